import type { Batch } from 'kafkajs';

/** One Kafka record as the pipeline sees it. */
export interface SourceRecord {
  readonly offset: number;
  /** The record's time, ms. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** What one fetch brought of one partition, in the order of the offsets. Never empty. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly SourceRecord[];
  /** First offset that is not yet written. */
  readonly highWatermark: number;
  /** Counts how often this consumer joined its group: a partition was possibly somebody else's between two of them. */
  readonly generation: number;
  /** Aborted when the partition may be lost or the consumer stops: what is not committed is to be left alone. */
  readonly signal: AbortSignal;
}

/** What the handler did with a batch. */
export type BatchOutcome =
  /** Everything before `next` is applied: go on there. */
  | { readonly kind: 'applied'; readonly next: number }
  /** Nothing of this batch counts: read again from `offset`. */
  | { readonly kind: 'seek'; readonly offset: number }
  /** The partition is not ours any more. */
  | { readonly kind: 'abandoned' };

export type BatchHandler = (batch: RecordBatch) => Promise<BatchOutcome>;

/** What kafkajs fetched, in the form that the stages take. */
export function recordBatchOf(batch: Batch): Omit<RecordBatch, 'generation' | 'signal'> {
  const records = batch.messages.map(
    ({ offset, timestamp, key, value, headers }): SourceRecord => ({
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: key ?? null,
      value: value ?? null,
      headers: headersOf(headers),
    }),
  );
  return { topic: batch.topic, partition: batch.partition, records, highWatermark: Number(batch.highWatermark) };
}

const NO_HEADERS = {};

/** A header that was sent twice counts with its last value. */
function headersOf(headers: Batch['messages'][number]['headers']): SourceRecord['headers'] {
  if (!headers) return NO_HEADERS;
  const found: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) found[name] = typeof last === 'string' ? Buffer.from(last) : last;
  }
  return found;
}
