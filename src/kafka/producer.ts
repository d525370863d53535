import type { Message, Producer as KafkajsProducer, RecordMetadata } from 'kafkajs';
import { backoff, kafkaClient, sleep, type KafkaClient, type KafkaOptions } from './client.js';
import { ProduceError, sizeOf, type OutRecord } from './out-record.js';
import { partitionOf } from './partition-of.js';
import { Ticket } from './ticket.js';

export interface ProducerLimits {
  /** Most records in one request; 1,000 when not given. */
  readonly records?: number;
  /** Most bytes in one request; 900,000 when not given: even if all go to one partition they fit `max.message.bytes`. */
  readonly bytes?: number;
}

/** What Kafka answers to a record that it will never take, however often it is sent. */
const LASTING = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

interface Connected {
  readonly client: KafkaClient;
  readonly producer: KafkajsProducer;
  readonly ready: Promise<void>;
  /** `topic/partition` that the records of the present request went to. */
  readonly expected: Set<string>;
}

interface Entry {
  readonly record: OutRecord;
  readonly ticket: Ticket;
}

/**
 * Produces with acks=all, in the order of the calls, one request at a time (so at most one per partition; kafkajs makes
 * it one per broker). Records of calls that come meanwhile share the next request. It waits for Kafka as long as it takes
 * and drops nothing: at least once.
 *
 * kafkajs's own repetition of a produce is turned off, and so is its idempotent mode. The first counts a partition that
 * moved to a broker which had already answered as sent, and skips partitions that its metadata does not know; the second
 * loses records when a sequence number is used again after a failure (tulios/kafkajs#1005) and never recovers once the
 * broker forgot the producer. Here a request is good when the answers name every partition that it went to. Otherwise
 * every connection is reset first, so that nothing of it can arrive late, and then all of it is sent again on new ones.
 */
export class Producer {
  readonly #options: KafkaOptions;
  readonly #limits: Required<ProducerLimits>;
  readonly #queue: Entry[] = [];
  readonly #closing = new AbortController();
  #connected: Connected | null = null;
  #draining: Promise<void> | null = null;
  #awaySince: number | null = null;
  #keyless = 0;

  constructor(options: KafkaOptions, limits: ProducerLimits = {}) {
    this.#options = options;
    this.#limits = { records: limits.records ?? 1_000, bytes: limits.bytes ?? 900_000 };
  }

  /** False while Kafka does not take records. */
  get available(): boolean {
    return this.#awaySince === null;
  }

  /**
   * Resolves when Kafka has acknowledged every record.
   * @throws ProduceError RECORDS_REFUSED with those that Kafka will never take, once all others are acknowledged;
   *   PRODUCER_CLOSED; or the reason of the signal, and then it is not known which of the records are in Kafka
   */
  async send(records: readonly OutRecord[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    if (records.length === 0) return;
    const ticket = new Ticket(records.length);
    for (const record of records) this.#queue.push({ record, ticket });
    const abort = () => ticket.fail(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#draining ??= this.#drain();
    try {
      await ticket.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** What was not acknowledged by now fails with PRODUCER_CLOSED. May be called twice. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted)
      this.#closing.abort(new ProduceError('PRODUCER_CLOSED', 'The producer was closed'));
    this.#disconnect();
    await this.#draining;
    this.#disconnect();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#produce(this.#takeRound());
    // In the same turn as the look at the queue: a record that comes later starts the next run.
    this.#draining = null;
  }

  #takeRound(): Entry[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#queue.length, this.#limits.records); count += 1) {
      bytes += sizeOf((this.#queue[count] as Entry).record);
      if (bytes > this.#limits.bytes && count > 0) break;
    }
    return this.#queue.splice(0, count);
  }

  /** Comes back when every entry is acknowledged, refused or given up by its caller. */
  async #produce(round: readonly Entry[]): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const entries = this.#wanted(round);
      if (entries.length === 0) return;
      try {
        await this.#request(entries);
        this.#back();
        for (const { ticket } of entries) ticket.acknowledged();
        return;
      } catch (error) {
        this.#disconnect();
        const reason = lastingReason(error);
        if (reason !== null) return await this.#refuse(entries, reason);
        this.#away(error);
      }
      await sleep(backoff(attempt), this.#closing.signal).catch(() => undefined);
    }
  }

  #wanted(round: readonly Entry[]): Entry[] {
    if (this.#closing.signal.aborted) for (const { ticket } of round) ticket.fail(this.#closing.signal.reason);
    return round.filter(({ ticket }) => !ticket.settled);
  }

  /** Kafka does not say which record it refused: halves find it, and the others get through, in order. */
  async #refuse(entries: readonly Entry[], reason: string): Promise<void> {
    const [only, another] = entries;
    if (only !== undefined && another === undefined) return only.ticket.refused({ record: only.record, reason });
    const middle = entries.length >> 1;
    await this.#produce(entries.slice(0, middle));
    await this.#produce(entries.slice(middle));
  }

  async #request(entries: readonly Entry[]): Promise<void> {
    this.#connected ??= this.#connect();
    const { producer, ready, expected } = this.#connected;
    await ready;
    expected.clear();
    const answers = await producer.sendBatch({ acks: -1, topicMessages: byTopic(entries) });
    const missing = unanswered(expected, answers);
    if (missing.length > 0) throw new Error(`no answer for ${missing.join(', ')}`);
  }

  #connect(): Connected {
    const client = kafkaClient(this.#options);
    const expected = new Set<string>();
    const producer = client.kafka.producer({
      allowAutoTopicCreation: false,
      retry: { retries: 0 },
      createPartitioner: () => (args) => {
        const partition = this.#partition(args.message.key, args.partitionMetadata.length);
        expected.add(`${args.topic}/${partition}`);
        return partition;
      },
    });
    return { client, producer, ready: producer.connect(), expected };
  }

  #partition(key: Message['key'], partitions: number): number {
    if (key === null || key === undefined) return (this.#keyless += 1) % partitions;
    return partitionOf(key, partitions);
  }

  #disconnect(): void {
    const connected = this.#connected;
    this.#connected = null;
    if (connected === null) return;
    connected.client.reset();
    connected.producer.disconnect().catch(() => undefined);
  }

  #away(error: unknown): void {
    if (this.#awaySince !== null) return;
    this.#awaySince = Date.now();
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log('warn', `Kafka does not take records, waiting for it: ${reason}`);
  }

  #back(): void {
    if (this.#awaySince === null) return;
    const seconds = Math.round((Date.now() - this.#awaySince) / 1_000);
    this.#awaySince = null;
    this.#options.log('info', `Kafka takes records again, after ${seconds} s`);
  }
}

function byTopic(entries: readonly Entry[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { record } of entries) {
    const { key, value, headers, timestamp } = record;
    const message: Message = { key, value, ...(headers && { headers: { ...headers } }) };
    if (timestamp !== undefined) message.timestamp = String(Math.trunc(timestamp));
    const messages = topics.get(record.topic);
    if (messages) messages.push(message);
    else topics.set(record.topic, [message]);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

function unanswered(expected: ReadonlySet<string>, answers: readonly RecordMetadata[]): string[] {
  const answered = new Set(answers.map(({ topicName, partition }) => `${topicName}/${partition}`));
  return [...expected].filter((partition) => !answered.has(partition));
}

/** Kafka's name of an error that comes again however often the record is sent; null when trying again makes sense. */
function lastingReason(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { type } = cause as { type?: unknown };
    if (typeof type === 'string' && LASTING.has(type)) return type;
  }
  return null;
}
