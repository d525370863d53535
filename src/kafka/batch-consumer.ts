import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Consumer, ConsumerConfig, EachBatchPayload } from 'kafkajs';
import { lastValueFrom, type Observable } from 'rxjs';
import { RETRY, backoff, kafkaClient, sleep, type KafkaOptions, type Log } from './client.js';
import { recordBatchOf, type BatchOutcome, type RecordBatch } from './record-batch.js';

export interface ConsumerSettings {
  readonly groupId: string;
  /** ms */
  readonly sessionTimeout: number;
  /** Partitions that are worked on at a time. */
  readonly concurrency: number;
  readonly fetchBytes: number;
  /** ms */
  readonly fetchWait: number;
}

/** Partitions of one topic that this consumer was given. */
export type Assigned = (topic: string, partitions: readonly number[], generation: number) => void;

/** Group errors after which the batch is to be left alone: the partition is, or will be, somebody else's. */
const LOST = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID']);

class Stopping extends Error {}

/**
 * Nest's transport for whole Kafka batches: what a fetch brought of one partition goes to the handler of its topic in
 * one piece, and Kafka's offset moves only as far as the handler says. The offset is a hint for tools that show the lag;
 * where to go on after a restart is the handler's to say (`seek`).
 *
 * Nest's own Kafka server is not used: it hands over one message at a time, appends to the group id, and reads bytes as text.
 */
export class BatchConsumer extends Server implements CustomTransportStrategy {
  readonly #stopping = new AbortController();
  readonly #options: KafkaOptions;
  readonly #settings: ConsumerSettings;
  #assigned: Assigned = () => undefined;
  #consumer: Consumer | null = null;
  #generation = 0;
  #running: Promise<void> | null = null;

  /** @param transportId handlers that name it are served by this consumer, and by no other */
  constructor(
    options: KafkaOptions,
    settings: ConsumerSettings,
    override readonly transportId = Symbol('kafka-batches'),
  ) {
    super();
    this.#options = options;
    this.#settings = settings;
  }

  /** True between joining the group and losing it. */
  joined = false;

  whenAssigned(listener: Assigned): void {
    this.#assigned = listener;
  }

  listen(callback: (error?: unknown) => void): void {
    this.#running ??= this.#keepConsuming();
    callback();
  }

  /** Lets the batches in work come to an end, leaves the group. May be called twice. */
  async close(): Promise<void> {
    this.#stopping.abort(new Stopping('the consumer stops'));
    await this.#consumer?.disconnect().catch(() => undefined);
    await this.#running?.catch(() => undefined);
  }

  on(): never {
    throw new TypeError('BatchConsumer has no events of its own: see whenAssigned');
  }

  unwrap<T>(): T {
    return this.#consumer as T;
  }

  /** kafkajs restarts a consumer after some failures and gives up after others; here it never is given up. */
  async #keepConsuming(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted; failures += 1) {
      try {
        await this.#consumeUntilCrash(() => {
          failures = 0;
        });
      } catch (error) {
        this.#log('warn', 'Kafka consumer failed, starting it again', { error: messageOf(error) });
      }
      await sleep(backoff(failures), this.#stopping.signal).catch(() => undefined);
    }
  }

  async #consumeUntilCrash(joined: () => void): Promise<void> {
    const consumer = kafkaClient(this.#options).kafka.consumer(this.#config());
    this.#consumer = consumer;
    const crashed = new Promise<Error>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        this.joined = false;
        if (!payload.restart) resolve(payload.error);
      });
      this.#stopping.signal.addEventListener('abort', () => resolve(new Stopping()), { once: true });
    });
    consumer.on(consumer.events.REBALANCING, () => {
      this.joined = false;
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      joined();
      this.#onJoin(payload.memberAssignment);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.getHandlers().keys()], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.#settings.concurrency,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
      const error = await crashed;
      if (!(error instanceof Stopping)) throw error;
    } finally {
      await consumer.disconnect().catch(() => undefined);
    }
  }

  #config(): ConsumerConfig {
    const { groupId, sessionTimeout, fetchBytes, fetchWait } = this.#settings;
    return {
      groupId,
      sessionTimeout,
      rebalanceTimeout: Math.max(60_000, sessionTimeout),
      heartbeatInterval: Math.floor(sessionTimeout / 10),
      maxBytesPerPartition: fetchBytes,
      maxBytes: fetchBytes * 16,
      maxWaitTimeInMs: fetchWait,
      metadataMaxAge: 60_000,
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(true) },
    };
  }

  #onJoin(assignment: Readonly<Record<string, number[]>>): void {
    this.#generation += 1;
    this.joined = true;
    for (const topic of this.getHandlers().keys()) this.#assigned(topic, assignment[topic] ?? [], this.#generation);
    this.#log('info', 'joined the consumer group', { assignment });
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const lost = new AbortController();
    const beat = () =>
      payload.heartbeat().catch((error: unknown) => {
        if (LOST.has((error as { type?: string }).type ?? '')) lost.abort(error);
      });
    // Whoever slept through the session learns here, and not by writing, that the partition is not its own any more.
    await payload.heartbeat();
    const timer = setInterval(() => void beat(), this.#settings.sessionTimeout / 10);
    try {
      const signal = AbortSignal.any([lost.signal, this.#stopping.signal]);
      const outcome = await this.#handle({ ...recordBatchOf(batch), generation: this.#generation, signal });
      await this.#settle(payload, outcome);
    } finally {
      clearInterval(timer);
    }
    if (lost.signal.aborted) throw lost.signal.reason;
  }

  async #handle(batch: RecordBatch): Promise<BatchOutcome> {
    const handler = this.getHandlerByPattern(batch.topic);
    if (!handler) throw new TypeError(`no handler for topic ${batch.topic}`);
    const answer = (await handler(batch)) as Observable<BatchOutcome> | BatchOutcome;
    return 'subscribe' in answer ? lastValueFrom(answer) : answer;
  }

  async #settle(payload: EachBatchPayload, outcome: BatchOutcome) {
    const { batch } = payload;
    const { topic, partition } = batch;
    if (outcome.kind === 'abandoned') return;
    if (outcome.kind === 'seek') {
      this.#consumer?.seek({ topic, partition, offset: outcome.offset.toString() });
      return;
    }
    const last = batch.messages.at(-1)?.offset;
    payload.resolveOffset(outcome.next > Number(last) ? (last ?? '') : (outcome.next - 1).toString());
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: outcome.next.toString() }] }],
    });
  }

  #log(...line: Parameters<Log>): void {
    this.#options.log(...line);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
