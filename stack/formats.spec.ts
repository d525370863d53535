import { describe, expect, it } from 'vitest';
import { table } from './doctor.js';
import { bytesOf } from './kafka-jars.js';
import { kafkaSettings } from './kafka-settings.js';
import { assertUsable } from './mongodb-probe.js';
import { missingPackages } from './mosquitto-packages.js';
import { mosquittoSettings } from './mqtt.js';
import { lineProgress } from './progress.js';
import { cacheFolder } from './surroundings.js';

describe('what other programs say', () => {
  it('counts what Maven says that it has downloaded', () => {
    expect(bytesOf('[INFO] Downloaded from central: x/kafka-clients-4.1.0.jar (9.8 MB at 28 MB/s)')).toBe(9_800_000);
    expect(bytesOf('Downloaded from central: x/a.pom (18 kB at 90 kB/s)')).toBe(18_000);
    expect(bytesOf('[INFO] Downloading from central: x/a.pom')).toBe(0);
  });

  it('finds the packages that mosquitto lacks', () => {
    const depends = 'mosquitto\n  Depends: libcjson1\n  Depends: adduser\nlibcjson1\nadduser\nlibc6\nlibuv1:amd64\n';
    expect(missingPackages(depends, 'installed libc6\ninstalled adduser\nconfig-files libcjson1\n')).toEqual([
      'mosquitto',
      'libcjson1',
      'libuv1',
    ]);
  });

  it('takes a primary or a router for a MongoDB, and nothing else', () => {
    expect(() => assertUsable({ setName: 'rs', isWritablePrimary: true })).not.toThrow();
    expect(() => assertUsable({ msg: 'isdbgrid', isWritablePrimary: true })).not.toThrow();
    expect(() => assertUsable({ isWritablePrimary: true })).toThrow('standalone');
    expect(() => assertUsable({ setName: 'rs', isWritablePrimary: false })).toThrow('no primary');
  });
});

describe('what other programs are told', () => {
  it('listens on this machine only', () => {
    const place = { dataDir: '/data', port: 4001, extraPort: 4002 };
    expect(mosquittoSettings(place, 1000)).toContain('listener 4001 127.0.0.1\n');
    expect(kafkaSettings(place)).toContain('listeners=PLAINTEXT://127.0.0.1:4001,CONTROLLER://127.0.0.1:4002\n');
  });

  it('keeps mosquitto from becoming a user who may not write its data', () => {
    expect(mosquittoSettings({ dataDir: '/data', port: 1 }, 0)).toContain('user root');
    expect(mosquittoSettings({ dataDir: '/data', port: 1 }, 1000)).not.toContain('user root');
  });
});

describe('what people are told', () => {
  it('lines up a table', () => {
    expect(
      table([
        ['a', 'b'],
        ['long', 'c'],
      ]),
    ).toEqual(['a     b', 'long  c']);
  });

  it('thins out ticks where lines stay', () => {
    const lines: string[] = [];
    let now = 0;
    const progress = lineProgress(
      (line) => lines.push(line),
      () => now,
    );
    for (now = 0; now <= 25_000; now += 500) progress.tick(`at ${now}`);
    expect(lines).toEqual(['at 10000', 'at 20000']);
  });

  it('finds the cache folder as the system has it', () => {
    expect(cacheFolder({ FLEET_TWIN_CACHE: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/c');
    expect(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/fleet-twin');
    expect(cacheFolder({ HOME: '/h' })).toBe('/h/.cache/fleet-twin');
  });
});
