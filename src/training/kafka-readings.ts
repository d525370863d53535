import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { kafkaClient, type KafkaOptions } from '../kafka/client.js';
import { recordBatchOf, type SourceRecord } from '../kafka/record-batch.js';
import type { Decoder } from '../decode/decode.js';
import type { Reading } from '../telemetry/reading.js';
import { Handover } from './handover.js';

export interface KafkaWindow {
  readonly topic: string;
  /** From the first record of this time on, ms since 1970; from the beginning of the log when null. */
  readonly since: number | null;
  /** First offsets by partition; they win over `since`. */
  readonly offsets: ReadonlyMap<number, number>;
  /** The most records that are read. */
  readonly take: number;
  /** Of a consumer group that is used once: nothing is committed to it, and it is deleted. */
  readonly groupId: string;
}

export interface LogProgress {
  readonly records: number;
  /** Of keys and values. */
  readonly bytes: number;
  /** Records that the decoder rejects; they are left out. */
  readonly rejected: number;
}

export interface ReadOptions {
  readonly kafka: KafkaOptions;
  readonly decoder: Decoder;
  /** Called when the first batch is there, with 0 records, and when each one was read. */
  readonly onProgress: (progress: LogProgress) => void;
  readonly signal: AbortSignal;
}

/** The window of the log cannot be read. */
export class KafkaWindowError extends Error {
  override readonly name = 'KafkaWindowError';
}

/** How often in a row kafkajs may start the consumer again without a batch; each time it has tried for a second or more. */
const CRASHES = 10;

interface Range {
  next: number;
  readonly end: number;
}

/**
 * The readings of a topic from the beginning of the window to where the log ended when this began, as the service decodes
 * them. One fetched batch is held at a time: Kafka waits for whoever takes the readings. Each car's readings keep their
 * order, cars of different partitions are interleaved as it comes.
 *
 * @throws KafkaWindowError no such topic or partition, or nothing in the window; kafkajs's errors; what the signal was
 * aborted with
 */
export async function* kafkaReadings(window: KafkaWindow, options: ReadOptions): AsyncGenerator<Reading> {
  const { kafka } = kafkaClient(options.kafka);
  const admin = kafka.admin();
  await admin.connect();
  const consumer = kafka.consumer({ groupId: window.groupId, maxWaitTimeInMs: 100 });
  try {
    const ranges = await rangesOf(admin, window);
    yield* readingsOf(batchesOf(consumer, window, ranges, options.signal), window.take, options);
  } finally {
    await consumer.disconnect();
    // It is not there yet when reading ended early; a group without members and offsets goes by itself, too.
    await admin.deleteGroups([window.groupId]).catch(() => undefined);
    await admin.disconnect();
  }
}

async function* readingsOf(
  batches: AsyncIterable<readonly SourceRecord[]>,
  take: number,
  { decoder, onProgress }: ReadOptions,
): AsyncGenerator<Reading> {
  const so = { records: 0, bytes: 0, rejected: 0 };
  for await (const batch of batches) {
    // The clock starts with the first batch: joining the group is no reading.
    if (so.records === 0) onProgress({ ...so });
    for (const { record, decoded } of await decoder.decode(batch.slice(0, take - so.records))) {
      so.records++;
      so.bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
      if (decoded.kind === 'reading') yield decoded.reading;
      else so.rejected++;
    }
    onProgress({ ...so });
    if (so.records >= take) return;
  }
}

async function rangesOf(admin: Admin, { topic, since, offsets }: KafkaWindow): Promise<Map<number, Range>> {
  if (!(await admin.listTopics()).includes(topic)) throw new KafkaWindowError(`Kafka has no topic ${topic}`);
  const bounds = await admin.fetchTopicOffsets(topic);
  const starts = since === null ? [] : await admin.fetchTopicOffsetsByTimestamp(topic, since);
  for (const partition of offsets.keys()) {
    if (!bounds.some((one) => one.partition === partition))
      throw new KafkaWindowError(`topic ${topic} has no partition ${partition}`);
  }
  const ranges = new Map<number, Range>();
  for (const { partition, low, high } of bounds) {
    const found = starts.find((one) => one.partition === partition)?.offset ?? low;
    const asked = offsets.get(partition) ?? (Number(found) < 0 ? Number(high) : Number(found));
    const next = Math.max(asked, Number(low));
    if (next < Number(high)) ranges.set(partition, { next, end: Number(high) });
  }
  if (ranges.size === 0) throw new KafkaWindowError(`there is no record in that window of topic ${topic}`);
  return ranges;
}

/** Every record of the ranges once, in batches. */
async function* batchesOf(
  consumer: Consumer,
  { topic }: KafkaWindow,
  ranges: Map<number, Range>,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceRecord[]> {
  const handover = new Handover<readonly SourceRecord[]>();
  let crashes = 0;
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart || ++crashes > CRASHES) handover.fail(payload.error);
  });
  // After each joining, for a consumer that kafkajs starts again begins anew; the first one may fail, too, and then `run`
  // is over before the group was joined.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, { next }] of ranges) consumer.seek({ topic, partition, offset: String(next) });
  });
  const stop = () => handover.fail(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: (payload) => give(payload, ranges, handover) });
    while (ranges.size > 0) {
      yield await handover.take();
      crashes = 0;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    handover.close();
  }
}

/** Gives the part of the batch that is wanted, and comes back when it was taken. */
async function give(
  payload: EachBatchPayload,
  ranges: Map<number, Range>,
  handover: Handover<readonly SourceRecord[]>,
) {
  const { batch } = payload;
  const range = ranges.get(batch.partition);
  if (range === undefined) return void payload.pause();
  // What is fetched before `seek` takes effect, or again after the group was joined anew, begins too early.
  const records = recordBatchOf(batch).records.filter(({ offset }) => offset >= range.next && offset < range.end);
  range.next = Math.max(range.next, Number(batch.lastOffset()) + 1);
  if (range.next >= range.end) {
    ranges.delete(batch.partition);
    payload.pause();
  }
  await handover.give(records, () => payload.heartbeat());
}
