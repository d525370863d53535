import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, installOnce } from './cached-install.js';
import { installMosquitto, libraryFolders, mosquittoCacheName } from './mosquitto-packages.js';
import { namedService, PartMissing, type Choice, type Part, type Place, type Server } from './part.js';
import type { Progress } from './progress.js';
import { projectFolder } from './project-folder.js';
import type { Surroundings } from './surroundings.js';

const PROBE_TIMEOUT_MS = 3_000;
const AEDES_BROKER = join(projectFolder(), 'dist', 'stack', 'aedes-broker.js');
const AEDES_LIMITS =
  'MQTT 3.1.1, no shared subscriptions, nothing kept over a restart; install mosquitto, or name a broker in MQTT_URL';

export const mqtt: Part = {
  name: 'mqtt',
  variable: 'MQTT_URL',
  defaultPort: 1883,
  choose: (surroundings) => namedService(mqtt, 'MQTT broker', surroundings) ?? chooseLocal(surroundings),
  fetch,
  server,
  probe: probeMqtt,
};

function chooseLocal({ cacheDir, onPath }: Surroundings): Choice {
  const location = onPath('mosquitto');
  if (location !== undefined)
    return { source: 'path', server: 'mosquitto', version: '', why: 'it is on the PATH', location };
  const folder = cached(cacheDir, mosquittoCacheName());
  if (folder !== undefined) {
    const program = join(folder, 'usr', 'sbin', 'mosquitto');
    return { source: 'cache', server: 'mosquitto', version: '', why: 'unpacked from its packages', location: program };
  }
  if (onPath('apt-get') !== undefined && onPath('dpkg') !== undefined) {
    return {
      source: 'fetch',
      server: 'mosquitto',
      version: '',
      why: "Debian's packages, unpacked into the cache (1 MB)",
    };
  }
  return aedesChoice('neither mosquitto nor apt-get on the PATH');
}

function aedesChoice(why: string): Choice {
  return {
    source: 'cache',
    server: 'aedes',
    version: '',
    why,
    location: AEDES_BROKER,
    advice: `aedes: ${AEDES_LIMITS}`,
  };
}

async function fetch(choice: Choice, surroundings: Surroundings, progress: Progress): Promise<void> {
  if (choice.source !== 'fetch') return;
  const install = (folder: string): Promise<void> => installMosquitto(folder, progress);
  await installOnce({ cacheDir: surroundings.cacheDir, name: mosquittoCacheName(), install }, progress);
}

/** The broker that needs nothing fetched; for when the packages cannot be had. */
export function mqttWithoutPackages(reason: string): Choice {
  return aedesChoice(`mosquitto could not be fetched: ${reason}`);
}

function server(choice: Choice, surroundings: Surroundings, place: Place): Server {
  if (choice.location === undefined) throw new PartMissing('mqtt', choice.advice ?? 'not fetched');
  const url = `mqtt://127.0.0.1:${place.port}`;
  const ready = (): Promise<void> => probeMqtt(url);
  if (choice.server === 'aedes') {
    const prepare = async (): Promise<void> => void mkdirSync(place.dataDir, { recursive: true });
    return { command: process.execPath, args: [choice.location, String(place.port)], url, prepare, ready };
  }
  const settings = join(place.dataDir, 'mosquitto.conf');
  const folder = choice.source === 'cache' ? cached(surroundings.cacheDir, mosquittoCacheName()) : undefined;
  return {
    command: choice.location,
    args: ['-c', settings],
    ...(folder !== undefined && { env: { LD_LIBRARY_PATH: libraryFolders(folder).join(':') } }),
    url,
    prepare: async () => {
      mkdirSync(place.dataDir, { recursive: true });
      writeFileSync(settings, mosquittoSettings(place, process.getuid?.()));
    },
    ready,
  };
}

/**
 * `max_queued_messages 0` is no limit: the default drops messages for a slow subscriber although their publisher
 * was told that they had arrived. `autosave_interval` is how much a broker that is killed may lose; 1,800 s by default.
 */
export function mosquittoSettings(
  { dataDir, port }: Pick<Place, 'dataDir' | 'port'>,
  userId: number | undefined,
): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    'max_inflight_messages 1000',
    'set_tcp_nodelay true',
    'persistence true',
    `persistence_location ${dataDir}/`,
    'autosave_interval 1',
    'log_dest stdout',
    'log_type error',
    'log_type warning',
    // Started by root it would become another user, who may not write the data folder.
    ...(userId === 0 ? ['user root'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

async function probeMqtt(url: string): Promise<void> {
  const { connectAsync } = await import('mqtt');
  const options = { connectTimeout: PROBE_TIMEOUT_MS, reconnectPeriod: 0 };
  const client = await connectAsync(url, options, false);
  await client.endAsync();
}
