/**
 * Training straight from a Kafka topic: records and bytes a second of reading beside plain consumption of the same topic,
 * and the peak memory of the whole process. With --compare-file the same readings are trained on from a file, too.
 *
 *   npm run build && node dist/bench/train.js [--records 1000000] [--cars 2000] [--epochs 30] [--compare-file]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { startStack } from '../stack/stack.js';
import { simulateFleet, type CarMessage } from '../src/simulator/fleet.js';
import { encodeMessage } from '../src/simulator/wire.js';
import { writeFileOf } from '../src/simulator/write-file.js';

const PARTITIONS = 10;
const CLI = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
/** Says the peak memory of a process when it ends, in KiB. */
const PEAK = 'process.on("exit",()=>process.stderr.write(`\\npeak ${process.resourceUsage().maxRSS}\\n`))';

interface Consumed {
  /** a second */
  readonly records: number;
  /** MB a second */
  readonly bytes: number;
}

interface Trained extends Consumed {
  /** MiB */
  readonly memory: number;
  readonly seconds: number;
  readonly model: { readonly version: string; readonly threshold: number; readonly metrics: object };
}

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    cars: { type: 'string', default: '2000' },
    epochs: { type: 'string', default: '30' },
    'compare-file': { type: 'boolean', default: false },
  },
});
const [records, cars] = [Number(values.records), Number(values.cars)];
const say = (line: string) => void process.stderr.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'fleet-twin-bench-train-'));
const stack = await startStack({ parts: ['kafka'], say });
const topic = `bench-train-${process.pid}`;
const kafka = new Kafka({ brokers: stack.urls.kafkaBrokers.split(','), logLevel: logLevel.NOTHING });
try {
  say(`filling topic ${topic}`);
  await fill();
  const plain = await consume();
  say(`plain consumption: ${rates(plain)}`);
  const fromTopic = await train(['--from-kafka', topic], join(folder, 'topic'));
  const { version, threshold } = fromTopic.model;
  const ratio = (fromTopic.records / plain.records).toFixed(2);
  process.stdout.write(
    `${records} records of ${cars} cars: plain consumption ${rates(plain)}; training reads ${rates(fromTopic)}, ` +
      `ratio ${ratio}; peak memory ${fromTopic.memory} MiB; ${fromTopic.seconds} s in all; ` +
      `version ${version}, threshold ${threshold.toFixed(4)}\n`,
  );
  if (values['compare-file']) await compare(fromTopic);
} finally {
  await dropTopic();
  await stack.stop();
  rmSync(folder, { recursive: true });
}

async function compare(fromTopic: Trained): Promise<void> {
  const file = join(folder, 'readings.jsonl');
  await writeFileOf(messages(), file, { format: 'jsonl' });
  const fromFile = await train(['--from-file', file], join(folder, 'file'));
  const same = JSON.stringify(fromFile.model) === JSON.stringify(fromTopic.model);
  process.stdout.write(
    `from a file with the same readings: ${same ? 'the same model' : `another model: ${JSON.stringify(fromFile.model)}`}, ` +
      `version ${fromFile.model.version}; peak memory ${fromFile.memory} MiB; ${fromFile.seconds} s in all\n`,
  );
  if (!same) process.exitCode = 1;
}

/** The same each time. The cars' clocks end before now, or the decoder would take them for clocks that are ahead. */
function messages(): Generator<CarMessage> {
  return simulateFleet({ cars, seed: 1, start: Date.UTC(2026, 0, 1), stepSeconds: 10, messages: records });
}

async function fill(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  let batch: { key: string; value: Buffer }[] = [];
  let sending: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    // One request under way while the next batch is made.
    await sending;
    sending = producer.send({ topic, messages: batch, acks: -1 });
    batch = [];
  };
  for (const message of messages()) {
    batch.push({ key: message.car, value: encodeMessage(message) });
    if (batch.length >= 5_000) await flush();
  }
  await flush();
  await sending;
  await producer.disconnect();
}

async function dropTopic(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
  await admin.disconnect();
}

/** kafkajs by itself, with the fetches that training makes; from the first batch on, as joining the group is no reading. */
async function consume(): Promise<Consumed> {
  const groupId = `${topic}-plain`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  let [count, bytes, first] = [0, 0, NaN];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((done, failed) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => failed(payload.error));
    const eachBatch = ({ batch }: { batch: { messages: readonly { key: Buffer | null; value: Buffer | null }[] } }) => {
      if (count === 0) first = performance.now();
      count += batch.messages.length;
      for (const { key, value } of batch.messages) bytes += (key?.length ?? 0) + (value?.length ?? 0);
      if (count >= records) done();
      return Promise.resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(failed);
  });
  const seconds = (performance.now() - first) / 1_000;
  await consumer.disconnect();
  return { records: count / seconds, bytes: bytes / seconds / 1e6 };
}

async function train(source: readonly string[], out: string): Promise<Trained> {
  const started = performance.now();
  const flags = process.env['NODE_FLAGS']?.split(' ').filter(Boolean) ?? [];
  const wanted = ['train', ...source, '--out', out, '--epochs', values.epochs];
  const child = spawn(process.execPath, [...flags, '--import', `data:text/javascript,${PEAK}`, CLI, ...wanted], {
    env: { ...process.env, KAFKA_BROKERS: stack.urls.kafkaBrokers },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    say(`  ${line}`);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`fleet-twin ${wanted.join(' ')} ended with ${code}`);
  const text = lines.join('\n');
  const [, perSecond = NaN, megabytes = NaN] = /read \d+ records.*?(\d+)\/s, ([\d.]+) MB\/s/.exec(text) ?? [];
  const memory = Math.round(Number(/^peak (\d+)/m.exec(text)?.[1]) / 1_024);
  const metadata = JSON.parse(readFileSync(join(out, 'metadata.json'), 'utf8')) as Trained['model'];
  const { version, threshold, metrics } = metadata;
  return {
    records: Number(perSecond),
    bytes: Number(megabytes),
    memory,
    seconds: Math.round((performance.now() - started) / 1_000),
    model: { version, threshold, metrics },
  };
}

function rates({ records: perSecond, bytes }: Consumed): string {
  return `${Math.round(perSecond)}/s, ${bytes.toFixed(1)} MB/s`;
}
