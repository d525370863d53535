import { vi, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeadLetters } from '../../src/kafka/dead-letters.js';
import { ProduceError } from '../../src/kafka/out-record.js';
import { partitionOf } from '../../src/kafka/partition-of.js';
import { Producer } from '../../src/kafka/producer.js';
import type { TcpProxy } from '../tcp-proxy.js';
import { type Arrived, type BridgeRig, bridgeRig } from './mqtt-bridge-rig.js';

let rig: BridgeRig;
let proxy: TcpProxy;
let producer: Producer;

beforeEach(async () => {
  rig = await bridgeRig();
  proxy = await rig.kafkaProxy();
  const route = () => ({ host: '127.0.0.1', port: proxy.port });
  producer = new Producer({ ...rig.kafka, requestTimeout: 2_000, route }, { records: 100 });
});

afterEach(async () => {
  await producer.close();
  await rig.close();
});

const record = (key: string, value: string | Buffer) => ({ topic: rig.topics.sensor, key, value: Buffer.from(value) });
const textsOf = (arrived: readonly Arrived[]) => arrived.map(({ value }) => value.toString());

describe('the producer', () => {
  it('keeps the order of many calls at once, in the partition of the key', async () => {
    const calls = Array.from({ length: 50 }, (_, call) =>
      producer.send(Array.from({ length: 7 }, (_, i) => record('car1', String(call * 7 + i)))),
    );
    await Promise.all(calls);
    const arrived = await rig.records((records) => records.length >= 350);
    expect(textsOf(arrived)).toEqual(Array.from({ length: 350 }, (_, i) => String(i)));
    expect(new Set(arrived.map(({ partition }) => partition))).toEqual(new Set([partitionOf('car1', 4)]));
  });

  it('waits through a Kafka that is away, in order, and says so once', async () => {
    await producer.send([record('car1', 'before')]);
    proxy.cut();
    const sends = ['a', 'b', 'c'].map((value) => producer.send([record('car1', value)]));
    await rig.logged(/does not take records/);
    expect(producer.available).toBe(false);
    proxy.resume();
    await Promise.all(sends);
    const arrived = await rig.records((records) => records.length >= 4);
    expect([...new Set(textsOf(arrived))]).toEqual(['before', 'a', 'b', 'c']);
    expect(producer.available).toBe(true);
    expect(rig.lines.filter((line) => line.includes('Kafka'))).toHaveLength(2);
  });

  it('rejects only the call whose record Kafka refuses, after everything else is in Kafka', async () => {
    const big = record('big', Buffer.alloc(1_200_000));
    const [good, mixed] = await Promise.allSettled([
      producer.send([record('a', '1'), record('b', '2')]),
      producer.send([record('a', '3'), big, record('a', '4')]),
    ]);
    expect(good.status).toBe('fulfilled');
    const reason = mixed.status === 'rejected' ? (mixed.reason as ProduceError) : null;
    expect(reason).toBeInstanceOf(ProduceError);
    expect(reason?.refused).toEqual([{ record: big, reason: 'MESSAGE_TOO_LARGE' }]);
    const arrived = await rig.records((records) => new Set(textsOf(records)).size >= 4);
    const ofA = arrived.filter(({ key }) => key === 'a');
    expect([...new Set(textsOf(ofA))]).toEqual(['1', '3', '4']);
  });

  it('waits for a topic that is not there yet', async () => {
    const controller = new AbortController();
    const sent = producer.send([{ ...record('a', '1'), topic: `${rig.id}-missing` }], controller.signal);
    await rig.logged(/does not take records/);
    controller.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    await producer.send([record('a', '2')]);
    expect(textsOf(await rig.records((records) => records.length > 0))).toEqual(['2']);
  });

  it('fails what is open when it is closed, and every call after', async () => {
    proxy.cut();
    const sent = producer.send([record('a', '1')]);
    await rig.logged(/does not take records/);
    await Promise.all([producer.close(), expect(sent).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })]);
    await expect(producer.send([record('a', '2')])).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' });
  });

  it('gives up a request that gets no answer, and what it held back does not come after later records', async () => {
    await producer.send([record('car1', 'before')]);
    proxy.stall();
    const sent = producer.send([record('car1', 'first')]);
    await rig.logged(/does not take records/);
    proxy.resume();
    await sent;
    await producer.send([record('car1', 'second')]);
    await vi.waitFor(() => expect(producer.available).toBe(true));
    const arrived = textsOf(await rig.records((records) => textsOf(records).includes('second')));
    expect([...new Set(arrived)]).toEqual(['before', 'first', 'second']);
    expect(arrived.at(-1)).toBe('second');
  });
});

describe('dead letters', () => {
  it('carry the original key, bytes and headers, and the position as id', async () => {
    const letters = new DeadLetters(producer, rig.topics.deadLetters);
    const original = {
      topic: rig.topics.sensor,
      partition: 3,
      offset: 42,
      key: 'car1',
      value: Buffer.from([0, 255, 1]),
      headers: { 'mqtt-topic': 'a/b' },
      timestamp: 1_700_000_000_000,
    };
    await letters.send([{ original, reason: 'NOT_JSON', detail: 'neither JSON nor Avro', stage: 'decode' }]);
    const [letter] = await rig.records((records) => records.length > 0);
    expect(letter).toMatchObject({ topic: rig.topics.deadLetters, key: 'car1', value: original.value });
    expect(letter?.headers).toEqual({
      'mqtt-topic': 'a/b',
      'dlq-reason': 'NOT_JSON',
      'dlq-detail': 'neither JSON nor Avro',
      'dlq-stage': 'decode',
      'dlq-topic': rig.topics.sensor,
      'dlq-partition': '3',
      'dlq-offset': '42',
      'dlq-timestamp': '1700000000000',
      'dlq-id': `${rig.topics.sensor}/00003/0000000000000042`,
    });
  });

  it('are cut until the topic takes them', async () => {
    // A topic that somebody made with the usual limit.
    const letters = new DeadLetters(producer, rig.topics.sensor);
    const value = Buffer.alloc(1_500_000, 'x');
    const original = { topic: 'elsewhere', partition: 0, offset: 1, key: null, value, timestamp: 1 };
    await letters.send([{ original, reason: 'TOO_LARGE', detail: '', stage: 'decode' }]);
    const [letter] = await rig.records((records) => records.length > 0);
    // Half of the record, its headers included.
    expect(letter?.value.length).toBeLessThan(750_000);
    expect(letter?.value.length).toBeGreaterThan(745_000);
    expect(letter?.headers).toMatchObject({ 'dlq-cut': 'true', 'dlq-original-length': '1500000' });
  });
});
