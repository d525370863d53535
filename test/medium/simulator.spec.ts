import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kafka } from 'kafkajs';
import { connectAsync } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { simulateCommand } from '../../src/cli/simulate.js';
import { kafkaClient } from '../../src/kafka/client.js';
import { readCsv } from '../../src/simulator/csv.js';
import { disordered } from '../../src/simulator/disorder.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../../src/simulator/fleet.js';
import { publishAll, type Progress, type PublishOptions } from '../../src/simulator/publish.js';
import { encodeMessage } from '../../src/simulator/wire.js';
import { startProxy } from '../tcp-proxy.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function brokerUrl(): URL {
  const url = process.env['MQTT_URL'];
  if (!url) throw new Error('the suite has no MQTT: set MQTT_URL');
  return new URL(url);
}

/** A broker that can be taken away, topics of one's own, and what arrives on them. */
async function aRig() {
  const { hostname, port } = brokerUrl();
  const proxy = await startProxy({ host: hostname, port: Number(port || 1883) });
  closing.push(() => proxy.close());
  const id = randomUUID().slice(0, 8);
  const topicPrefix = `simulator-test/${id}/`;
  const options = { url: `mqtt://127.0.0.1:${proxy.port}`, connections: 3, clientIdPrefix: `sim-${id}`, topicPrefix };
  return { proxy, options: options satisfies PublishOptions, inbox: await anInbox(topicPrefix) };
}

type Inbox = Awaited<ReturnType<typeof anInbox>>;

async function anInbox(topicPrefix: string) {
  const client = await connectAsync(brokerUrl().href, { clientId: `inbox-${randomUUID().slice(0, 8)}` });
  closing.push(() => client.endAsync(true));
  const byCar = new Map<string, string[]>();
  const arrivals: number[] = [];
  client.on('message', (topic, payload) => {
    const car = topic.slice(topicPrefix.length);
    byCar.set(car, [...(byCar.get(car) ?? []), payload.toString()]);
    arrivals.push(performance.now());
  });
  await client.subscribeAsync(`${topicPrefix}#`, { qos: 1 });
  return {
    byCar,
    /** ms */
    arrivals,
    received: () => arrivals.length,
    distinct: () => [...byCar.values()].reduce((sum, payloads) => sum + new Set(payloads).size, 0),
  };
}

function kafkaBrokers(): string {
  const brokers = process.env['KAFKA_BROKERS'];
  if (!brokers) throw new Error('the suite has no Kafka: set KAFKA_BROKERS');
  return brokers;
}

/** A topic that is not there yet, and goes with the test. */
function aTopic() {
  const topic = `simulator-${randomUUID().slice(0, 8)}`;
  const log = () => undefined;
  const client = kafkaClient({ brokers: kafkaBrokers().split(','), clientId: topic, log });
  closing.push(async () => {
    const admin = client.kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
    client.reset();
  });
  return { kafka: client.kafka, topic };
}

interface Found {
  readonly key: string;
  readonly value: string;
  readonly at: number;
}

/** All records of a topic that has so many; those of a partition in order. */
async function recordsOf(kafka: Kafka, topic: string, count: number): Promise<Found[]> {
  const records: Found[] = [];
  const consumer = kafka.consumer({ groupId: topic });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const value = String(message.value);
      records.push({ key: String(message.key), value, at: (JSON.parse(value) as { timestamp: number }).timestamp });
    },
  });
  await expect.poll(() => records.length, { timeout: 20_000 }).toBe(count);
  await consumer.disconnect();
  return records;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length / 2] ?? NaN;
}

function fleet(messages: number, overrides: Partial<FleetOptions> = {}): Generator<CarMessage> {
  return simulateFleet({ cars: 20, seed: 5, start: Date.UTC(2026, 0, 1), stepSeconds: 10, messages, ...overrides });
}

function payloadsByCar(messages: Iterable<CarMessage>): Map<string, string[]> {
  const byCar = new Map<string, string[]>();
  for (const message of messages) {
    byCar.set(message.car, [...(byCar.get(message.car) ?? []), encodeMessage(message).toString()]);
  }
  return byCar;
}

/** Nothing is missing, and no message comes for the first time after a later one of its car. */
function expectInOrder(inbox: Inbox, sent: Iterable<CarMessage>): void {
  const firsts = new Map([...inbox.byCar].map(([car, payloads]) => [car, [...new Set(payloads)]]));
  expect(firsts).toEqual(payloadsByCar(sent));
}

describe('publishing over MQTT', () => {
  it('brings every message once, those of a car in order', async () => {
    const { options, inbox } = await aRig();
    const { published } = await publishAll(fleet(5_000), options);
    await expect.poll(inbox.received).toBe(5_000);
    expect(published).toBe(5_000);
    expectInOrder(inbox, fleet(5_000));
  });

  it.each([
    ['cut', false],
    ['stalled until all windows are full, and then cut', true],
  ])('loses and reorders nothing when the connections are %s in the middle', async (_how, stalled) => {
    const { proxy, options, inbox } = await aRig();
    const messages = 20_000;
    const troubles = new Set<string | null>();
    const acknowledged: number[] = [];
    const onProgress = ({ trouble, published }: Progress) => {
      troubles.add(trouble);
      acknowledged.push(published);
    };
    const publishing = publishAll(fleet(messages), { ...options, onProgress });
    for (const share of [0.1, 0.5]) {
      await expect.poll(inbox.received, { interval: 1, timeout: 20_000 }).toBeGreaterThan(share * messages);
      if (stalled) {
        proxy.stall();
        const standing = () => acknowledged.length > 1 && acknowledged.at(-1) === acknowledged.at(-2);
        await expect.poll(standing, { timeout: 10_000 }).toBe(true);
      }
      proxy.cut();
      await expect.poll(() => [...troubles].some((trouble) => trouble !== null), { timeout: 5_000 }).toBe(true);
      troubles.clear();
      proxy.resume();
    }
    expect(await publishing).toMatchObject({ published: messages });
    await expect.poll(inbox.distinct).toBe(messages);
    expectInOrder(inbox, fleet(messages));
  });

  it('keeps its rate within 1 %', async () => {
    const { options, inbox } = await aRig();
    await publishAll(fleet(2_000), { ...options, rate: 400 });
    await expect.poll(inbox.received).toBe(2_000);
    // The median of the first and of the last tenth: a moment in which the machine was busy elsewhere does not count.
    const took = median(inbox.arrivals.slice(-200)) - median(inbox.arrivals.slice(0, 200));
    expect(Math.abs(1_800_000 / took / 400 - 1)).toBeLessThan(0.01);
  });

  it('replays by the own times of the messages', async () => {
    const { options } = await aRig();
    // 20 cars, 10 s a step: 100 messages take 49.5 s.
    const { seconds } = await publishAll(fleet(100), { ...options, speed: 50 });
    expect(seconds).toBeGreaterThan(0.98);
    expect(seconds).toBeLessThan(1.5);
  });

  it('stops at the signal, and counts what the broker has', async () => {
    const { options, inbox } = await aRig();
    const stop = new AbortController();
    const publishing = publishAll(fleet(Infinity), { ...options, rate: 2_000, signal: stop.signal });
    await expect.poll(inbox.received, { interval: 5 }).toBeGreaterThan(100);
    stop.abort();
    const { published } = await publishing;
    await expect.poll(inbox.received).toBe(published);
    expectInOrder(inbox, fleet(published));
  });

  it('stops at the signal while the broker is away', async () => {
    const { proxy, options, inbox } = await aRig();
    const stop = new AbortController();
    const publishing = publishAll(fleet(Infinity), { ...options, signal: stop.signal });
    await expect.poll(inbox.received, { interval: 5 }).toBeGreaterThan(100);
    proxy.cut();
    stop.abort();
    const { published } = await publishing;
    expect(published).toBeGreaterThan(0);
    expect(inbox.distinct()).toBeGreaterThanOrEqual(published);
  });

  it('says so when there is no broker from the start', async () => {
    const { proxy, options } = await aRig();
    proxy.cut();
    const publishing = publishAll(fleet(10), { ...options, patience: 300 });
    await expect(publishing).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(publishing).rejects.toThrow(`no MQTT broker at 127.0.0.1:${proxy.port}`);
  });

  it('hands on what the source throws', async () => {
    const { options } = await aRig();
    await expect(publishAll(readCsv('no/such/file.csv'), options)).rejects.toThrow('no/such/file.csv');
  });
});

describe('fleet-twin simulate', () => {
  async function simulate(...args: string[]): Promise<void> {
    const command = simulateCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    await command.parseAsync(args, { from: 'user' });
  }

  async function aFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-twin-simulate-'));
    closing.push(() => rm(folder, { recursive: true }));
    return folder;
  }

  it('writes the same bytes for the same seed', async () => {
    const folder = await aFolder();
    const [first, second, other] = ['1', '2', '3'].map((name) => join(folder, `${name}.jsonl`)) as [
      string,
      string,
      string,
    ];
    for (const [file, seed] of [
      [first, '7'],
      [second, '7'],
      [other, '8'],
    ] as const) {
      await simulate('--to', file, '--cars', '50', '--messages', '3000', '--seed', seed, '--faults', '20%');
    }
    const bytes = await readFile(first);
    expect(bytes.equals(await readFile(second))).toBe(true);
    expect(bytes.equals(await readFile(other))).toBe(false);
    expect(bytes.toString().trimEnd().split('\n')).toHaveLength(3_000);
  });

  it('writes a CSV that can be read again', async () => {
    const file = join(await aFolder(), 'readings.csv');
    await simulate('--to', file, '--cars', '5', '--seconds', '100');
    const cars: string[] = [];
    for await (const { car } of readCsv(file)) cars.push(car);
    expect(cars).toHaveLength(50);
    expect(new Set(cars).size).toBe(5);
  });

  it('produces into Kafka what it would publish over MQTT, under the cars as keys, those of a car in order', async () => {
    const { kafka, topic } = aTopic();
    await simulate('--to', `kafka://${kafkaBrokers()}/${topic}`, '--cars', '7', '--messages', '3000', '--rate', 'max');
    const records = await recordsOf(kafka, topic, 3_000);
    expect(records).toHaveLength(3_000);
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7].map((n) => `car${n}`)));
    for (let car = 1; car <= 7; car++) {
      const sent = records.filter(({ key }) => key === `car${car}`).map(({ at }) => at);
      expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    }
  });

  it('brings disorder, but loses nothing', async () => {
    const { kafka, topic } = aTopic();
    const disorder = ['--dup', '10%', '--shuffle', '30s', '--late', '5%', '--start', '2026-01-01'];
    const where = ['--to', `kafka://${kafkaBrokers()}/${topic}`];
    await simulate(...where, '--cars', '7', '--messages', '2000', '--rate', 'max', '--seed', '4', ...disorder);
    const expected = [
      ...simulateFleet({ cars: 7, seed: 4, start: Date.UTC(2026, 0, 1), stepSeconds: 10, messages: 2_000 }),
    ];
    const disordering = disordered(expected, { dup: 0.1, shuffle: 30, late: 0.05, skew: 0 }, 4);
    const sent = [...disordering].map(encodeMessage).map(String);
    const records = await recordsOf(kafka, topic, sent.length);
    expect(records.map(({ value }) => value).sort()).toEqual(sent.sort());
    expect(new Set(records.map(({ value }) => value)).size).toBe(2_000);
  });

  it('gives every car a connection with its own client id', async () => {
    const { options, inbox } = await aRig();
    // The broker ends the connection of whoever had the id before [MQTT-3.1.4-2].
    const holder = await connectAsync(brokerUrl().href, { clientId: 'car4711', reconnectPeriod: 0 });
    closing.push(() => holder.endAsync(true));
    const thrownOut = new Promise<void>((resolve) => holder.once('close', () => resolve()));
    const where = ['--to', options.url, '--topic-prefix', options.topicPrefix, '--client-per-car'];
    await simulate(...where, '--cars', '30', '--first-car', '4700', '--messages', '300', '--rate', 'max');
    await thrownOut;
    await expect.poll(inbox.received).toBe(300);
    expect(inbox.byCar.size).toBe(30);
  });

  it('publishes over MQTT', async () => {
    const { options, inbox } = await aRig();
    const where = ['--to', options.url, '--topic-prefix', options.topicPrefix];
    await simulate(...where, '--cars', '10', '--rate', '500', '--seconds', '1');
    await expect.poll(inbox.received).toBe(500);
    expect(inbox.byCar.size).toBe(10);
  });

  it.each([
    [['--to', 'x.parquet'], /none of mqtt:\/\/host:port, kafka:\/\/host:port\/topic, FILE\.jsonl/],
    [['--to', 'kafka://127.0.0.1/x'], /not a topic of Kafka; like kafka:\/\/127\.0\.0\.1:9092\/sensor-data/],
    [['--to', 'x.csv', '--messages', '1', '--location'], /no place for it in \.csv/],
    [['--to', '-', '--shuffle', 'often'], /must be a time like 30s/],
    [['--to', 'mqtt://127.0.0.1:1', '--client-per-car', '--cars', '99999999'], /may have \d+ files open/],
    [['--to', 'x.jsonl'], /--messages or --seconds/],
    [['--to', '-', '--cars', 'many'], /'many' is invalid\. It must be a whole number above 0/],
    [['--to', '-', '--faults', '2'], /must be between 0 and 1/],
    [[], /'--to <where>' not specified/],
  ])('says what is wrong with %j', async (args, message) => {
    await expect(simulate(...args)).rejects.toThrow(message);
  });
});
