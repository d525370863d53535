import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, installOnce } from './cached-install.js';
import { runCommand } from './command-run.js';
import { installKafka } from './kafka-jars.js';
import { kafkaLoggingSettings, kafkaSettings } from './kafka-settings.js';
import { namedService, PartMissing, type Choice, type Part, type Place, type Server } from './part.js';
import type { Progress } from './progress.js';
import { isExecutable, type Surroundings } from './surroundings.js';
import { JAVA_MINIMUM, KAFKA_VERSION } from './versions.js';

const CACHE_NAME = `kafka-${KAFKA_VERSION}`;
const JVM_FLAGS = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  '-Djava.awt.headless=true',
];
const PROBE_TIMEOUT_MS = 2_000;

export const kafka: Part = {
  name: 'kafka',
  variable: 'KAFKA_BROKERS',
  defaultPort: 9092,
  choose: (surroundings) => namedService(kafka, 'Kafka', surroundings) ?? chooseLocal(surroundings),
  fetch,
  server,
  probe: probeKafka,
};

function chooseLocal(surroundings: Surroundings): Choice {
  const what = { server: 'Apache Kafka', version: KAFKA_VERSION };
  const java = findJava(surroundings);
  const javaAdvice = `Java ${JAVA_MINIMUM} or newer is missing (Debian: apt install openjdk-17-jre-headless), or name a Kafka in KAFKA_BROKERS`;
  if (java === undefined) return { ...what, source: 'missing', why: 'no Java', advice: javaAdvice };
  const folder = cached(surroundings.cacheDir, CACHE_NAME);
  if (folder !== undefined) return { ...what, source: 'cache', why: `with ${java}`, location: folder };
  if (surroundings.onPath('mvn') !== undefined) return { ...what, source: 'fetch', why: 'Maven fetches it (54 MB)' };
  const advice = 'Maven, which fetches Kafka, is missing (Debian: apt install maven), or name a Kafka in KAFKA_BROKERS';
  return { ...what, source: 'missing', why: 'neither in the cache nor Maven to fetch it', advice };
}

export function findJava({ env, onPath }: Surroundings): string | undefined {
  const fromHome = env['JAVA_HOME'] === undefined ? undefined : join(env['JAVA_HOME'], 'bin', 'java');
  return fromHome !== undefined && isExecutable(fromHome) ? fromHome : onPath('java');
}

async function fetch(choice: Choice, surroundings: Surroundings, progress: Progress): Promise<void> {
  if (choice.source !== 'fetch') return;
  const install = (folder: string): Promise<void> => installKafka(folder, progress);
  await installOnce({ cacheDir: surroundings.cacheDir, name: CACHE_NAME, install }, progress);
}

function server(choice: Choice, surroundings: Surroundings, place: Place): Server {
  const java = findJava(surroundings);
  if (java === undefined || choice.location === undefined)
    throw new PartMissing('kafka', choice.advice ?? 'not fetched');
  const settings = join(place.dataDir, 'server.properties');
  const logging = join(place.dataDir, 'logging.properties');
  const jvm = [...JVM_FLAGS, `-Dlog4j2.configurationFile=${logging}`, '-cp', join(choice.location, 'libs', '*')];
  const url = `127.0.0.1:${place.port}`;
  return {
    command: java,
    args: [...jvm, 'kafka.Kafka', settings],
    url,
    prepare: async () => {
      mkdirSync(place.dataDir, { recursive: true });
      writeFileSync(settings, kafkaSettings(place));
      writeFileSync(logging, kafkaLoggingSettings());
      await formatOnce(java, jvm, settings, place.dataDir);
    },
    ready: () => probeKafka(url),
  };
}

/** A log folder is formatted once in its life: formatting gives it the cluster id that its offsets belong to. */
async function formatOnce(java: string, jvm: readonly string[], settings: string, dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, 'log', 'meta.properties'))) return;
  await runCommand(java, [...jvm, 'kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', settings]);
}

/** Kafka's ids are 16 bytes in base64url; one that begins with a dash would be taken for an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

async function probeKafka(brokers: string): Promise<void> {
  const { Kafka, logLevel } = await import('kafkajs');
  const client = new Kafka({
    brokers: brokers.split(',').map((broker) => broker.trim()),
    connectionTimeout: PROBE_TIMEOUT_MS,
    requestTimeout: PROBE_TIMEOUT_MS,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = client.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) throw new Error('no broker has registered yet');
  } finally {
    await admin.disconnect();
  }
}
