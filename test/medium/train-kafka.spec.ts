import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Message } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { trainCommand } from '../../src/cli/train.js';
import { createDecoder } from '../../src/decode/decode.js';
import { kafkaClient, type KafkaOptions } from '../../src/kafka/client.js';
import { simulateFleet, type CarMessage } from '../../src/simulator/fleet.js';
import { writeFileOf } from '../../src/simulator/write-file.js';
import { encodeMessage } from '../../src/simulator/wire.js';
import type { Reading } from '../../src/telemetry/reading.js';
import { kafkaReadings, type KafkaWindow, type LogProgress } from '../../src/training/kafka-readings.js';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const kafka: KafkaOptions = { brokers, clientId: 'train-spec', log: () => undefined };
const decoder = createDecoder({ format: 'auto', maxBody: 65_536, clockAhead: 60_000 });
const DAY = Date.UTC(2026, 0, 1);
let topic: string;
let folder: string;
let groupId: string;

beforeEach(async () => {
  topic = `train-${randomUUID().slice(0, 8)}`;
  groupId = `${topic}-reader`;
  folder = await mkdtemp(join(tmpdir(), 'fleet-twin-train-kafka-'));
  // The records are of a day long past: Kafka would take them out whenever it looks.
  const configEntries = [{ name: 'retention.ms', value: '-1' }];
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 3, configEntries }] }));
});

afterEach(async () => {
  await withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
  await rm(folder, { recursive: true });
});

async function withAdmin<T>(use: (admin: ReturnType<ReturnType<typeof kafkaClient>['kafka']['admin']>) => Promise<T>) {
  const admin = kafkaClient(kafka).kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

async function send(messages: Message[]): Promise<void> {
  const producer = kafkaClient(kafka).kafka.producer();
  await producer.connect();
  for (let at = 0; at < messages.length; at += 1_000)
    await producer.send({ topic, messages: messages.slice(at, at + 1_000) });
  await producer.disconnect();
}

function fleet(messages: number): CarMessage[] {
  const options = { cars: 60, seed: 3, start: DAY, stepSeconds: 10, messages, faults: 0.1 };
  return [...simulateFleet(options)];
}

function recordOf(message: CarMessage): Message {
  return { key: message.car, value: encodeMessage(message), timestamp: String(message.at) };
}

function readingsFrom(window: Partial<KafkaWindow>, signal = new AbortController().signal) {
  const progress: LogProgress[] = [];
  const whole = { topic, since: null, offsets: new Map<number, number>(), take: Infinity, groupId };
  const onProgress = (one: LogProgress) => progress.push(one);
  return {
    readings: kafkaReadings({ ...whole, ...window }, { kafka, decoder, onProgress, signal }),
    progress,
  };
}

async function collected(readings: AsyncIterable<Reading>): Promise<Reading[]> {
  const all: Reading[] = [];
  for await (const reading of readings) all.push(reading);
  return all;
}

async function train(...args: string[]): Promise<void> {
  const command = trainCommand().exitOverride();
  await command.parseAsync([...args, '--epochs', '1', '--quantile', '0.99'], { from: 'user' });
}

/** Interrupts the real command at the first line that looks like this. */
async function interruptedAt(line: RegExp, ...args: string[]): Promise<{ code: number | null; said: string[] }> {
  const child = spawn(process.execPath, ['dist/src/cli/main.js', 'train', ...args], {
    env: { ...process.env, KAFKA_BROKERS: brokers.join(',') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (one) => {
    said.push(one);
    if (line.test(one)) child.kill('SIGINT');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

async function metadataOf(dir: string) {
  const text = await readFile(join(dir, 'metadata.json'), 'utf8');
  return JSON.parse(text) as { version: string; training: { dataHash: string; readings: number } };
}

describe('training from a Kafka topic', () => {
  it('makes the same model as from a file with the same readings', async () => {
    const messages = fleet(6_000);
    await send([...messages.map(recordOf), { key: 'car-1', value: 'no JSON' }, { key: null, value: '{}' }]);
    const fromTopic = join(folder, 'topic');
    await train('--from-kafka', topic, '--out', fromTopic);
    const one = await metadataOf(fromTopic);
    for (const format of ['csv', 'jsonl', 'avro'] as const) {
      const [file, fromFile] = [join(folder, `readings.${format}`), join(folder, format)];
      await writeFileOf(messages, file, { format });
      await train('--from-file', file, '--out', fromFile);
      const other = await metadataOf(fromFile);
      expect(one.training).toMatchObject({ readings: 6_000, dataHash: other.training.dataHash });
      expect(one.version).toBe(other.version);
    }
  });

  it('refuses a topic that is not there, a window without records, and too few of them, and writes nothing', async () => {
    const out = join(folder, 'none');
    await expect(train('--from-kafka', `${topic}-not`, '--out', out)).rejects.toThrow(`no topic ${topic}-not`);
    await expect(train('--from-kafka', topic, '--out', out)).rejects.toThrow(`no record in that window of topic`);
    await send(fleet(300).map(recordOf));
    await expect(train('--from-kafka', topic, '--since', '2026-02-01', '--out', out)).rejects.toThrow('no record');
    await expect(train('--from-kafka', topic, '--out', out)).rejects.toThrow(/^300 readings of 60 cars leave/);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['while the topic is read', /^0 records/, []],
    ['while the network is fitted', /^epoch 2 /, ['--epochs', '200']],
  ])('leaves nothing behind when it is interrupted %s', async (_when, line, args) => {
    await send(fleet(6_000).map(recordOf));
    const out = join(folder, 'none');
    const { code, said } = await interruptedAt(line, '--from-kafka', topic, '--out', out, ...args);
    expect(said.at(-1)).toBe('interrupted; nothing was written');
    expect(code).toBe(1);
    expect(await readdir(folder)).toEqual([]);
    const { groups } = await withAdmin((admin) => admin.listGroups());
    expect(groups.filter((group) => group.groupId.startsWith('fleet-twin-train-'))).toEqual([]);
  });

  it('names the line, the column and the value of a CSV row that cannot be read', async () => {
    const file = join(folder, 'bad.csv');
    await writeFile(file, 'time,car,speed\n0,car-1,1\n0,car-1,fast\n');
    const training = train('--from-file', file, '--out', join(folder, 'none'));
    await expect(training).rejects.toThrow(`${file}: line 3, column speed: "fast" is no number`);
    expect(await readdir(folder)).toEqual(['bad.csv']);
  });
});

describe('kafkaReadings', () => {
  it('begins at the time or at the offsets that are asked for, and takes no more than is wanted', async () => {
    const messages = fleet(3_000);
    await send(messages.map(recordOf));
    const since = messages[1_500]?.at ?? NaN;
    const { readings } = readingsFrom({ since });
    const later = await collected(readings);
    expect(later.length).toBe(messages.filter(({ at }) => at >= since).length);
    const ends = await withAdmin((admin) => admin.fetchTopicOffsets(topic));
    const offsets = new Map(ends.map(({ partition, high }) => [partition, Number(high) - 2]));
    expect((await collected(readingsFrom({ offsets }).readings)).length).toBe(6);
    expect((await collected(readingsFrom({ take: 17 }).readings)).length).toBe(17);
  });

  it('counts the records that the decoder rejects, and leaves no group behind', async () => {
    await send([...fleet(50).map(recordOf), { key: 'car-1', value: 'no JSON' }]);
    const { readings, progress } = readingsFrom({});
    expect((await collected(readings)).length).toBe(50);
    expect(progress.at(-1)).toMatchObject({ records: 51, rejected: 1 });
    const { groups } = await withAdmin((admin) => admin.listGroups());
    expect(groups.map((group) => group.groupId)).not.toContain(groupId);
  });

  it('ends at the signal, in the middle of the log, and leaves no group behind', async () => {
    await send(fleet(3_000).map(recordOf));
    const stop = new AbortController();
    const { readings } = readingsFrom({}, stop.signal);
    const interrupted = async () => {
      for await (const reading of readings) if (reading.car !== '') stop.abort(new Error('interrupted'));
    };
    await expect(interrupted()).rejects.toThrow('interrupted');
    const { groups } = await withAdmin((admin) => admin.listGroups());
    expect(groups.map((group) => group.groupId)).not.toContain(groupId);
  });
});
