import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import { openDatabase, type Database } from '../../src/twin/database.js';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'src', 'main.js');
const CRASHING = join(import.meta.dirname, 'crashing-service.mjs');

export interface Servers {
  readonly mongodbUri: string;
  readonly kafkaBrokers: string;
  readonly mqttUrl: string;
}

/** The servers of the suite. @throws when one is not named: a real part is never left out */
export function serversOfSuite(): Servers {
  const { MONGODB_URI, KAFKA_BROKERS, MQTT_URL } = process.env;
  if (!MONGODB_URI || !KAFKA_BROKERS || !MQTT_URL) throw new Error('the suite has no MongoDB, Kafka or MQTT');
  return { mongodbUri: MONGODB_URI, kafkaBrokers: KAFKA_BROKERS, mqttUrl: MQTT_URL };
}

/** One process of the service. */
export class ServiceProcess {
  readonly lines: string[] = [];
  readonly exited: Promise<unknown>;
  #url: Promise<string>;

  constructor(readonly child: ChildProcess) {
    this.exited = once(child, 'exit');
    this.#url = new Promise((resolve, reject) => {
      const output = createInterface({ input: child.stderr as NodeJS.ReadableStream });
      output.on('line', (line) => {
        this.lines.push(line);
        if (line.includes('"the service is up"')) resolve((JSON.parse(line) as { url: string }).url);
      });
      child.once('exit', (code, signal) =>
        reject(new Error(`the service ended (${code ?? signal}):\n${this.lines.slice(-20).join('\n')}`)),
      );
    });
    this.#url.catch(() => undefined);
  }

  /** Resolves when it serves. */
  get url(): Promise<string> {
    return this.#url;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGCONT');
      this.child.kill(signal);
    }
    await this.exited;
  }
}

/** Names of its own on shared servers: a database, topics, a group, an MQTT session. */
export class World {
  readonly id = randomUUID().slice(0, 8);
  readonly database: Database;
  readonly topics = {
    sensor: `sensor-${this.id}`,
    predictions: `predictions-${this.id}`,
    anomalies: `anomalies-${this.id}`,
    modelUpdates: `models-${this.id}`,
    deadLetters: `dlq-${this.id}`,
    normalised: `normalised-${this.id}`,
    arrays: `arrays-${this.id}`,
  };
  readonly mqttPrefix = `test/${this.id}/`;
  readonly commandTopic = `test-commands/${this.id}`;
  readonly #kafka: Kafka;
  readonly #processes: ServiceProcess[] = [];

  constructor(
    readonly servers: Servers,
    private readonly overrides: Readonly<Record<string, string>> = {},
  ) {
    if (!existsSync(MAIN)) throw new Error('dist/ is missing: node stack/setup.mjs builds it');
    this.database = openDatabase(servers.mongodbUri, `e2e-${this.id}`, 'e2e');
    this.#kafka = new Kafka({
      brokers: servers.kafkaBrokers.split(','),
      logLevel: logLevel.NOTHING,
      retry: { retries: 20 },
    });
  }

  get environment(): Record<string, string> {
    const { mongodbUri, kafkaBrokers, mqttUrl } = this.servers;
    return {
      MONGODB_URI: mongodbUri,
      MONGODB_DATABASE: `e2e-${this.id}`,
      KAFKA_BROKERS: kafkaBrokers,
      KAFKA_GROUP_ID: `e2e-${this.id}`,
      KAFKA_SESSION_TIMEOUT: '6000',
      SENSOR_TOPIC: this.topics.sensor,
      PREDICTIONS_TOPIC: this.topics.predictions,
      ANOMALIES_TOPIC: this.topics.anomalies,
      MODEL_UPDATES_TOPIC: this.topics.modelUpdates,
      DEAD_LETTER_TOPIC: this.topics.deadLetters,
      TOPIC_PARTITIONS: '3',
      MQTT_URL: mqttUrl,
      MQTT_CLIENT_ID: `e2e-${this.id}`,
      MQTT_SHARE_GROUP: `e2e-${this.id}`,
      MQTT_TOPIC: `${this.mqttPrefix}#`,
      COMMAND_TOPIC: this.commandTopic,
      HISTORY_RETENTION: '0',
      HTTP_PORT: '0',
      LOG_LEVEL: 'info',
      ...this.overrides,
    };
  }

  /** @param crashAt `step:nth:signal`: see crashing-service.mjs */
  start(extra: Readonly<Record<string, string>> = {}, crashAt?: string): ServiceProcess {
    const env = {
      ...process.env,
      ...this.environment,
      ...extra,
      ...(crashAt === undefined ? {} : { CRASH_AT: crashAt }),
    };
    const child = spawn(process.execPath, [crashAt === undefined ? MAIN : CRASHING], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    const running = new ServiceProcess(child);
    this.#processes.push(running);
    return running;
  }

  /** Every record of a topic, from its beginning to where it ends now. */
  async records(topic: string): Promise<KafkaMessage[]> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    let left = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    const found: KafkaMessage[] = [];
    if (left === 0) return found;
    const consumer = this.#kafka.consumer({ groupId: `read-${randomUUID()}`, maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachMessage = ({ message }: { message: KafkaMessage }) => {
        found.push(message);
        left -= 1;
        if (left === 0) resolve();
        return Promise.resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    await consumer.disconnect();
    return found;
  }

  async produce(
    records: readonly { key: string | Buffer | null; value: Buffer | null; headers?: Record<string, string> }[],
    topic: string = this.topics.sensor,
  ): Promise<void> {
    const producer = this.#kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: records.map((record) => ({ ...record })), acks: -1 });
    await producer.disconnect();
  }

  /** How many records have ended somewhere: in the history or in a count. */
  async settled(): Promise<number> {
    const positions = await this.database.collections.positions.find().toArray();
    return positions.reduce(
      (sum, { counts }) => sum + counts.stored + counts.duplicate + counts.expired + counts.rejected,
      0,
    );
  }

  async counts(): Promise<Record<string, number>> {
    const total: Record<string, number> = {};
    for (const { counts } of await this.database.collections.positions.find().toArray())
      for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
    return total;
  }

  /** What the killed ones left open would hold up the tests that follow for a minute. */
  async #endTransactions(): Promise<void> {
    await this.database.client.db('admin').command({ killAllSessions: [] });
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.end('SIGKILL')));
    if (process.env['MONGODB_GOES']) await this.#endTransactions();
    else await this.database.db.dropDatabase().catch(() => undefined);
    await this.database.client.close();
    const admin = this.#kafka.admin();
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const topics = Object.values(this.topics).filter((topic) => there.has(topic));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await admin.disconnect();
  }
}

const ASK_AGAIN = 20;

/** Asks until it is so. @throws with the last answer when it takes too long */
export async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean, within = 60_000): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not so within ${within} ms: ${JSON.stringify(answer)}`);
    await delay(ASK_AGAIN);
  }
}
