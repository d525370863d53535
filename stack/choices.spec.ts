import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafka } from './kafka.js';
import { mongodb } from './mongodb.js';
import { mosquittoCacheName } from './mosquitto-packages.js';
import { mqtt } from './mqtt.js';
import { preparePart } from './prepare.js';
import { missingTools } from './secantus-build.js';
import { SECANTUS_RS_CACHE } from './secantus.js';
import type { Surroundings } from './surroundings.js';
import { KAFKA_VERSION, SECANTUS_PY_VERSION } from './versions.js';

describe('the choice of a part', () => {
  let cacheDir: string;

  beforeEach(() => {
    cacheDir = mkdtempSync(join(tmpdir(), 'fleet-twin-choices-'));
  });
  afterEach(() => rmSync(cacheDir, { recursive: true }));

  const given = (programs: readonly string[], env: Surroundings['env'] = {}): Surroundings => ({
    env,
    cacheDir,
    onPath: (program) => (programs.includes(program) ? `/bin/${program}` : undefined),
  });

  const putIntoCache = (name: string, ...files: string[]): void => {
    mkdirSync(join(cacheDir, name, 'bin'), { recursive: true });
    ['.complete', ...files].forEach((file) => writeFileSync(join(cacheDir, name, file), ''));
  };

  it('takes what the environment names before everything else', () => {
    const everything = ['mongod', 'secantusd-rs', 'python3', 'java', 'mvn', 'mosquitto'];
    const env = { MONGODB_URI: 'mongodb://db', KAFKA_BROKERS: 'broker:9092', MQTT_URL: 'mqtt://broker' };
    for (const part of [mongodb, kafka, mqtt]) {
      expect(part.choose(given(everything, env))).toMatchObject({
        source: 'environment',
        location: env[part.variable as keyof typeof env],
      });
    }
  });

  it('takes mongod, then secantusd-rs on the PATH or in the cache, then secantusd-py', () => {
    putIntoCache(SECANTUS_RS_CACHE);
    putIntoCache(`secantusd-py-${SECANTUS_PY_VERSION}`, 'bin/secantusd-py');
    expect(mongodb.choose(given(['mongod', 'secantusd-rs']))).toMatchObject({ server: 'mongod', source: 'path' });
    expect(mongodb.choose(given(['secantusd-rs']))).toMatchObject({ server: 'secantusd-rs', source: 'path' });
    expect(mongodb.choose(given([]))).toMatchObject({ server: 'secantusd-rs', source: 'cache' });
    rmSync(join(cacheDir, SECANTUS_RS_CACHE), { recursive: true });
    expect(mongodb.choose(given([]))).toMatchObject({ server: 'secantusd-py', source: 'cache' });
    rmSync(join(cacheDir, `secantusd-py-${SECANTUS_PY_VERSION}`), { recursive: true });
    expect(mongodb.choose(given(['python3']))).toMatchObject({ server: 'secantusd-py', source: 'fetch' });
    expect(mongodb.choose(given([]))).toMatchObject({ source: 'missing' });
  });

  it('takes the one server that is asked for, or says how to get it', () => {
    const asked = { FLEET_TWIN_MONGODB: 'secantusd-rs', MONGODB_URI: 'mongodb://db' };
    const choice = mongodb.choose(given(['mongod', 'python3'], asked));
    expect(choice).toMatchObject({ source: 'missing', server: 'secantusd-rs' });
    expect(choice.advice).toContain('build-db');
    expect(mongodb.choose(given(['mongod'], { FLEET_TWIN_MONGODB: 'mongo' })).advice).toContain('it can be');
  });

  it('needs Java for Kafka, and Maven only to fetch it', () => {
    expect(kafka.choose(given(['java', 'mvn']))).toMatchObject({ source: 'fetch' });
    expect(kafka.choose(given(['java']))).toMatchObject({
      source: 'missing',
      advice: expect.stringContaining('Maven'),
    });
    putIntoCache(`kafka-${KAFKA_VERSION}`);
    expect(kafka.choose(given(['java']))).toMatchObject({ source: 'cache' });
    expect(kafka.choose(given([]))).toMatchObject({ source: 'missing', advice: expect.stringContaining('Java') });
  });

  it('takes mosquitto where it can be had, else aedes, and says what that lacks', () => {
    expect(mqtt.choose(given(['mosquitto', 'apt-get', 'dpkg']))).toMatchObject({ source: 'path', server: 'mosquitto' });
    expect(mqtt.choose(given(['apt-get', 'dpkg']))).toMatchObject({ source: 'fetch', server: 'mosquitto' });
    expect(mqtt.choose(given([]))).toMatchObject({
      server: 'aedes',
      advice: expect.stringContaining('no shared subscriptions'),
    });
    putIntoCache(mosquittoCacheName());
    expect(mqtt.choose(given([]))).toMatchObject({ source: 'cache', server: 'mosquitto' });
  });

  it('fails with advice when a part cannot be had', async () => {
    const progress = { say: () => {}, tick: () => {} };
    await expect(preparePart('kafka', given([]), progress)).rejects.toThrow(/kafka: no Java.*apt install/s);
  });

  it('names every tool that a build lacks', () => {
    expect(missingTools(given(['cargo', 'cc', 'cmake', 'ninja']))).toEqual([]);
    expect(missingTools(given(['cargo', 'gcc', 'python3']))).toEqual([]);
    expect(missingTools(given([])).join()).toMatch(/cargo.*C compiler.*cmake and ninja/);
  });
});
