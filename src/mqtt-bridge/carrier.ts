import { sleep, untilItWorks } from '../kafka/client.js';
import { DeadLetters } from '../kafka/dead-letters.js';
import { ProduceError, type RefusedRecord } from '../kafka/out-record.js';
import type { Producer } from '../kafka/producer.js';
import type { Log } from '../log/log.js';
import type { Backlog, Carried } from './backlog.js';
import { refusedLetter, type BridgeTopics } from './to-record.js';

export interface CarrierOptions {
  readonly topics: BridgeTopics;
  /** ms */
  readonly linger: number;
  /** Most messages in one produce. */
  readonly batch: number;
  readonly log: Log;
  readonly now: () => number;
}

/** Takes messages from the backlog into Kafka, one batch after the other, and then releases their PUBACKs. */
export class Carrier {
  produced = 0;
  deadLettered = 0;
  /** Settled after `finish`, with the last PUBACK sent. */
  readonly ended: Promise<void>;
  readonly #backlog: Backlog;
  readonly #producer: Producer;
  readonly #letters: DeadLetters;
  readonly #options: CarrierOptions;
  readonly #givingUp = new AbortController();
  #finishing = false;

  constructor(backlog: Backlog, producer: Producer, options: CarrierOptions) {
    this.#backlog = backlog;
    this.#producer = producer;
    this.#letters = new DeadLetters(producer, options.topics.deadLetters);
    this.#options = options;
    this.ended = this.#run();
  }

  /** Carries what is in the backlog, for at most so many ms. */
  async finish(timeout: number): Promise<void> {
    this.#finishing = true;
    this.#backlog.wake();
    const late = setTimeout(() => this.#givingUp.abort(new Error('Kafka did not come back in time')), timeout);
    await this.ended;
    clearTimeout(late);
  }

  async #run(): Promise<void> {
    const { signal } = this.#givingUp;
    while (!signal.aborted) {
      if (this.#backlog.waiting === 0) {
        if (this.#finishing) return;
        await this.#backlog.next();
      } else await this.#carryBatch(signal);
    }
  }

  async #carryBatch(signal: AbortSignal): Promise<void> {
    await this.#linger();
    const batch = this.#backlog.take(this.#options.batch);
    try {
      await this.#produce(batch, signal);
      for (const { held, source } of batch) if (held !== null) source.release(held);
    } catch (error) {
      // Given up while stopping: without their PUBACKs the broker sends these messages again.
      if (!signal.aborted) throw error;
    } finally {
      this.#backlog.done(batch);
    }
  }

  /** Waits until the oldest message has waited for the linger time, or a batch is full. */
  async #linger(): Promise<void> {
    const { linger, batch, now } = this.#options;
    const left = linger - (now() - (this.#backlog.oldest ?? 0));
    if (left <= 0 || this.#finishing || this.#backlog.waiting >= batch) return;
    // Never longer than the linger time, whatever happens to the clock.
    await sleep(Math.min(left, linger));
  }

  async #produce(batch: readonly Carried[], signal: AbortSignal): Promise<void> {
    const { sensor } = this.#options.topics;
    const refused = await this.#refusedOf(batch, signal);
    if (refused.length > 0) await this.#bury(refused, signal);
    const intoSensor = batch.filter(({ record }) => record.topic === sensor).length;
    const buried = refused.filter(({ record }) => record.topic === sensor).length;
    this.produced += intoSensor - buried;
    this.deadLettered += batch.length - intoSensor + buried;
  }

  /** Everything but the answer is in Kafka then. */
  async #refusedOf(batch: readonly Carried[], signal: AbortSignal): Promise<readonly RefusedRecord[]> {
    try {
      const records = batch.map(({ record }) => record);
      await this.#producer.send(records, signal);
      return [];
    } catch (error) {
      if (error instanceof ProduceError && error.code === 'RECORDS_REFUSED') return error.refused;
      throw error;
    }
  }

  async #bury(refused: readonly RefusedRecord[], signal: AbortSignal): Promise<void> {
    const { topics, log } = this.#options;
    const letters = refused.map(({ record, reason }) =>
      record.topic === topics.sensor ? refusedLetter(record, reason, topics) : record,
    );
    const waiting = (error: unknown, failures: number) => {
      if (failures === 0) log('error', `Dead letters are refused, messages wait: ${(error as Error).message}`);
    };
    await untilItWorks(() => this.#letters.sendRecords(letters, signal), waiting, signal);
  }
}
