import { createHash } from 'node:crypto';
import { ProduceError, sizeOf, type OutRecord, type RecordHeaders } from './out-record.js';
import type { Producer } from './producer.js';
import { DEAD_LETTER_MAX_BYTES } from './topics.js';

export type DeadLetterStage = 'bridge' | 'decode' | 'score' | 'store';

/** The record as it was. A message that never was in Kafka has neither partition nor offset, and its MQTT topic as topic. */
export interface OriginalRecord {
  readonly topic: string;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders;
  /** ms since 1970 */
  readonly timestamp: number;
}

export interface DeadLetter {
  readonly original: OriginalRecord;
  /** A word for programs, such as NO_CAR_ID. */
  readonly reason: string;
  /** A sentence for people. */
  readonly detail: string;
  readonly stage: DeadLetterStage;
}

/** Room under the topic's limit for the batch around the record. */
const MARGIN = 4_096;
const DETAIL_LIMIT = 1_000;

/**
 * The record for the dead-letter topic: the original key, bytes and headers, and why, where and at which position.
 * `dlq-id` is made of the position (of the content, where there is none), so that a letter sent twice is seen to be one.
 * Bytes that do not fit are cut, with `dlq-cut` and `dlq-original-length` to say so; where that is not enough the original
 * headers are left out (`dlq-headers-left-out`), and then the key is cut (`dlq-key-cut`): every letter fits.
 */
export function deadLetter(letter: DeadLetter, topic: string, maxBytes: number = DEAD_LETTER_MAX_BYTES): OutRecord {
  const { key, value, headers } = letter.original;
  const record = { topic, key, value, headers: { ...headers, ...explanation(letter) } };
  return fitting(record, maxBytes - MARGIN);
}

const CUTS = [cutValue, leaveOutHeaders, cutKey];

function fitting(record: OutRecord, limit: number): OutRecord {
  let letter = record;
  for (const cut of CUTS) {
    const tooMuch = sizeOf(letter) - limit;
    if (tooMuch <= 0) return letter;
    letter = cut(letter, tooMuch);
  }
  return letter;
}

function cutValue(record: OutRecord, tooMuch: number): OutRecord {
  const { value } = record;
  if (value === null || value.length === 0) return record;
  // A copy: a view would keep all of the original bytes in memory.
  const kept = Buffer.from(value.subarray(0, Math.max(0, value.length - tooMuch)));
  const original = record.headers?.['dlq-original-length'] ?? String(value.length);
  return { ...record, value: kept, headers: { ...record.headers, 'dlq-cut': 'true', 'dlq-original-length': original } };
}

/** A topic's name in MQTT is the longest that is told. */
const OWN_HEADER = 65_535;

function leaveOutHeaders(record: OutRecord): OutRecord {
  const all = Object.entries(record.headers ?? {});
  // A sender may have chosen such a name, too; ours are short.
  const own = all.filter(([name, value]) => name.startsWith('dlq-') && value.length <= OWN_HEADER);
  if (own.length === all.length) return record;
  return {
    ...record,
    headers: { ...Object.fromEntries(own), 'dlq-headers-left-out': String(all.length - own.length) },
  };
}

const KEY_KEPT = 256;

function cutKey(record: OutRecord): OutRecord {
  const key = record.key === null ? null : Buffer.from(record.key);
  if (key === null || key.length <= KEY_KEPT) return record;
  const headers = { ...record.headers, 'dlq-key-cut': 'true', 'dlq-original-key-length': String(key.length) };
  return { ...record, key: Buffer.from(key.subarray(0, KEY_KEPT)), headers };
}

function explanation({ original, reason, detail, stage }: DeadLetter): RecordHeaders {
  return {
    'dlq-reason': reason,
    'dlq-detail': detail.slice(0, DETAIL_LIMIT),
    'dlq-stage': stage,
    'dlq-topic': original.topic,
    'dlq-timestamp': String(original.timestamp),
    'dlq-id': letterId(original),
    ...(original.partition !== null && { 'dlq-partition': String(original.partition) }),
    ...(original.offset !== null && { 'dlq-offset': String(original.offset) }),
  };
}

/** `topic/partition/offset`, padded so that ids sort as positions do; `mqtt/` and a hash for what has no position. */
function letterId({ topic, partition, offset, value }: OriginalRecord): string {
  if (partition !== null && offset !== null)
    return `${topic}/${String(partition).padStart(5, '0')}/${String(offset).padStart(16, '0')}`;
  const hash = createHash('sha256').update(topic).update('\0');
  return `mqtt/${hash
    .update(value ?? '')
    .digest('hex')
    .slice(0, 32)}`;
}

export class DeadLetters {
  readonly #producer: Producer;
  readonly #topic: string;

  constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  /**
   * Resolves when Kafka has acknowledged every letter. Where the topic takes less than it was created for, a letter is cut
   * until it fits.
   */
  async send(letters: readonly DeadLetter[], signal?: AbortSignal): Promise<void> {
    await this.sendRecords(
      letters.map((letter) => deadLetter(letter, this.#topic)),
      signal,
    );
  }

  /** The same for letters that `deadLetter` has made already. */
  async sendRecords(letters: readonly OutRecord[], signal?: AbortSignal): Promise<void> {
    for (let left = letters; left.length > 0; ) left = await this.#refused(left, signal);
  }

  async #refused(records: readonly OutRecord[], signal: AbortSignal | undefined): Promise<OutRecord[]> {
    try {
      await this.#producer.send(records, signal);
      return [];
    } catch (error) {
      if (!(error instanceof ProduceError) || error.code !== 'RECORDS_REFUSED') throw error;
      return error.refused.map(({ record, reason }) => smaller(record, reason, error));
    }
  }
}

/** @throws the error when nothing is left to cut */
function smaller(record: OutRecord, reason: string, error: ProduceError): OutRecord {
  if (reason !== 'MESSAGE_TOO_LARGE') throw error;
  const less = fitting(record, Math.floor(sizeOf(record) / 2));
  if (sizeOf(less) >= sizeOf(record)) throw error;
  return less;
}
