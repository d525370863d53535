import { sleep } from '../kafka/client.js';
import type { BatchOutcome, RecordBatch, SourceRecord } from '../kafka/record-batch.js';
import { carIdOf } from '../telemetry/car-id.js';
import type { BatchWrite, CommitOutcome } from '../twin/commit-batch.js';
import { StoreFault, storeFaultOf } from '../twin/store-fault.js';
import type { Rejection } from './fold-batch.js';
import { Fenced, Holding } from './holding.js';
import { applyBatch } from './pipeline.js';
import { messageOf, patiently, type Workshop } from './workshop.js';

/** How long a writer that was fenced out waits before it takes the partition over again, ms. */
const FENCED_PAUSE = 2_000;

/** ms */
const MOVED_PAUSE = 100;

/** The position is mine but elsewhere: go on there. */
class Moved extends Error {
  constructor(readonly offset: number) {
    super(`the position is at ${offset}, not where this writer left it`);
  }
}

/**
 * The one writer of a partition in this process. Whatever writes (batches, timers, an erase) goes through its queue, one
 * after the other.
 */
export class PartitionWriter {
  #holding: Holding | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly workshop: Workshop,
  ) {}

  /** What has come of one partition; never throws for what a record, MongoDB or Kafka does. */
  handle(batch: RecordBatch): Promise<BatchOutcome> {
    return this.#exclusively(() => this.#surely(batch));
  }

  /**
   * Work between batches, on the partition as this process holds it; null when it does not. It never takes a partition
   * over: a process that woke up too late would take it from its owner.
   */
  between<T>(work: (holding: Holding) => Promise<T>): Promise<T | null> {
    return this.#exclusively(async () => {
      if (!this.#holding) return null;
      try {
        return await work(this.#holding);
      } catch (error) {
        // Nothing was written, and the partition is still held: without traffic nobody would take it over again.
        if (error instanceof Fenced) this.#holding = null;
        else if (!isAway(error)) this.#holding.cars.clear();
        throw error;
      }
    });
  }

  /**
   * Becomes the writer of a partition that was just assigned, without waiting for its next record. What it holds may have been
   * somebody else's meanwhile: a process that was thrown out of the group is not told what it lost.
   */
  takeOver(signal: AbortSignal): Promise<void> {
    return this.#exclusively(async () => {
      if (signal.aborted) return;
      if (this.#holding && !(await this.#holding.isMine(signal))) this.#holding = null;
      this.#holding ??= await Holding.take(this.topic, this.partition, this.workshop, signal);
    });
  }

  /** Forgets what it holds, so that the next batch takes the partition over. */
  release(): Promise<void> {
    return this.#exclusively(() => {
      this.#holding = null;
      return Promise.resolve();
    });
  }

  get cachedCars(): number {
    return this.#holding?.cars.size ?? 0;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #surely(batch: RecordBatch): Promise<BatchOutcome> {
    const { signal } = batch;
    try {
      return await this.workshop.stages.observer.timed('batch', () => this.#apply(batch));
    } catch (error) {
      if (error instanceof Moved) {
        // Should the position not be what a majority has yet, asking again at once would not help.
        await sleep(MOVED_PAUSE, signal).catch(() => undefined);
        return { kind: 'seek', offset: error.offset };
      }
      this.#holding = null;
      if (signal.aborted) return { kind: 'abandoned' };
      const level = error instanceof Fenced ? 'warn' : 'error';
      this.workshop.log(level, 'a batch was given up and will be read again', {
        partition: this.partition,
        error: messageOf(error),
      });
      await sleep(FENCED_PAUSE, signal).catch(() => undefined);
      return signal.aborted ? { kind: 'abandoned' } : { kind: 'seek', offset: batch.records[0]?.offset ?? 0 };
    }
  }

  async #apply(batch: RecordBatch): Promise<BatchOutcome> {
    const { signal, records } = batch;
    const holding = (this.#holding ??= await Holding.take(this.topic, this.partition, this.workshop, signal));
    const { observer } = this.workshop.stages;
    observer.lag(this.topic, this.partition, Math.max(0, batch.highWatermark - holding.position.next));
    await holding.publishBacklog(signal);
    const elsewhere = await holding.checkLog(batch);
    if (elsewhere !== null) return { kind: 'seek', offset: elsewhere };
    const fresh = records.filter(({ offset }) => offset >= holding.position.next);
    for (const chunk of wholeChunks(fresh, this.workshop.batchRecords, batch.highWatermark)) {
      if (signal.aborted) break;
      await this.#applyRecords(holding, chunk, signal);
      const { highWatermark } = batch;
      observer.lag(this.topic, this.partition, highWatermark - holding.position.next);
    }
    return { kind: 'applied', next: holding.position.next };
  }

  /** A batch that fails for a lasting reason is halved, down to the one record that is dead-lettered. */
  async #applyRecords(holding: Holding, records: readonly SourceRecord[], signal: AbortSignal): Promise<void> {
    try {
      await this.#commit(holding, records, signal);
    } catch (error) {
      if (
        signal.aborted ||
        error instanceof Fenced ||
        error instanceof Moved ||
        holding.position.next > (records[0]?.offset ?? 0)
      )
        throw error;
      const [record] = records;
      if (records.length === 1 && record && error instanceof StoreFault && error.code === 'STORE_KEEPS_ABORTING') {
        // Nothing is left to halve, and it is not the record's fault.
        return this.#applyRecords(holding, records, signal);
      }
      if (records.length === 1 && record) {
        this.workshop.log('error', 'a record is put aside', { offset: record.offset, error: messageOf(error) });
        return this.#commit(holding, records, signal, burial(record, error));
      }
      const middle = records.length >> 1;
      await this.#applyRecords(holding, records.slice(0, middle), signal);
      await this.#applyRecords(holding, records.slice(middle), signal);
    }
  }

  async #commit(holding: Holding, records: readonly SourceRecord[], signal: AbortSignal, buried?: Rejection) {
    const { stages, publisher } = this.workshop;
    const wait = <T>(work: () => Promise<T>) => patiently(work, this.workshop, signal);
    const { topic, partition } = this;
    const { cars, session } = holding;
    const hand = { topic, partition, cars, session, putAside: new Set<number>(), signal, patiently: wait };
    for (let attempt = 1; ; attempt += 1) {
      const { outcome, write } = await applyBatch(records, { ...hand, before: holding.position }, stages, buried);
      if (await this.#isCommitted(holding, outcome, write, attempt, signal)) {
        const publish = () => publisher.publish(holding.position, write.readings, write.events, signal);
        holding.position = await stages.observer.timed('publish', () => patiently(publish, this.workshop, signal));
        return;
      }
    }
  }

  async #isCommitted(
    holding: Holding,
    outcome: CommitOutcome,
    write: BatchWrite,
    attempt: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    switch (outcome.kind) {
      case 'committed':
        holding.position = outcome.position;
        return true;
      case 'stale-twins':
        // The car's key hashes elsewhere since the partition count was raised: read it again, after a pause that grows.
        holding.cars.drop(write.twins.map(({ twin }) => twin._id));
        await sleep(Math.min(1_000, attempt * 10), signal);
        return false;
      case 'fenced':
        await holding.readAgain(signal);
        throw new Moved(holding.position.next);
    }
  }
}

function isAway(error: unknown): boolean {
  return storeFaultOf(error).code === 'STORE_UNAVAILABLE';
}

/** The rejection of a record that nothing is wrong with but that it cannot be scored or stored. */
function burial({ key }: SourceRecord, error: unknown): Rejection {
  const stage = error instanceof StoreFault ? 'store' : 'score';
  const reason = error instanceof StoreFault ? error.code : 'UNPROCESSABLE';
  const car = key ? carIdOf(key.toString('utf8')) : null;
  return { kind: 'rejected', stage, reason, detail: messageOf(error), car };
}

/**
 * The records in transactions' sizes. A small rest with more behind it in the log is left for the next fetch: one write of
 * a twin serves all of a car's readings in the transaction, so that small ones cost more.
 */
function wholeChunks(records: readonly SourceRecord[], size: number, highWatermark: number): SourceRecord[][] {
  const chunks = chunksOf(records, size);
  const rest = chunks.at(-1);
  const more = (rest?.at(-1)?.offset ?? highWatermark) + 1 < highWatermark;
  return more && chunks.length > 1 && rest && rest.length < size / 2 ? chunks.slice(0, -1) : chunks;
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
