import type { ClientSession } from 'mongodb';
import type { LogBounds } from '../kafka/log-offsets.js';
import type { RecordBatch } from '../kafka/record-batch.js';
import type { PositionDocument } from '../twin/documents.js';
import { readPosition, restartPosition, takeOver } from '../twin/positions.js';
import { storeFaultOf } from '../twin/store-fault.js';
import { loadCars } from '../twin/twin-reads.js';
import { CarCache } from './car-cache.js';
import { isSameRecord, judgeLog, lostBefore } from './log-check.js';
import { patiently, type Workshop } from './workshop.js';

/** Somebody else has the epoch, or the position is not where this writer left it. */
export class Fenced extends Error {}

/** After this long without a fetch (a batch may have waited) the log may have been made anew unseen, ms. */
const LOOK_AGAIN = 30_000;

/** `unchecked`: it is not yet known whether the log is the one that the position speaks of. */
type LogState = 'unchecked' | 'reading-back' | 'checked';

/**
 * One partition in the hands of this process, from taking it over (a new epoch) until it is lost. The cache of cars
 * belongs to it and starts empty.
 */
export class Holding {
  readonly cars: CarCache;
  #log: LogState = 'unchecked';
  #generation = -1;
  /** When a fetch of the log last came here; ms. */
  #lookedAt: number;

  private constructor(
    readonly topic: string,
    readonly partition: number,
    public position: PositionDocument,
    private readonly workshop: Workshop,
    /** All transactions of this holding. */
    readonly session: ClientSession,
  ) {
    const { database, clock } = workshop.stages;
    this.#lookedAt = clock();
    this.cars = new CarCache(workshop.cachedCars, (cars) => loadCars(database, cars));
  }

  /** Becomes the writer, and publishes what a former one may have left unpublished. */
  static async take(topic: string, partition: number, workshop: Workshop, signal: AbortSignal): Promise<Holding> {
    const { database, clock } = workshop.stages;
    // Never given back to the driver's pool: whoever takes over ends it, and that must not meet anything else.
    const session = database.client.startSession();
    const taker = { holder: workshop.holder, session, now: new Date(clock()), signal };
    const take = () => store(takeOver(database, topic, partition, taker), signal);
    const position = await patiently(take, workshop, signal);
    const { epoch, next } = position;
    workshop.log('info', 'took a partition over', { topic, partition, epoch, next });
    const holding = new Holding(topic, partition, position, workshop, session);
    await holding.publishBacklog(signal);
    return holding;
  }

  /**
   * Whether the batch can be applied: null, or the offset to read from instead. After every joining of the group Kafka's
   * client reads from its own idea of the offset, so the log is checked and `next` is sought anew.
   */
  async checkLog(batch: RecordBatch): Promise<number | null> {
    const first = batch.records[0]?.offset ?? 0;
    const { next } = this.position;
    const rejoined = this.#generation !== batch.generation;
    this.#generation = batch.generation;
    // Records from before `next` that were not asked for: the log was cut or made anew under our feet.
    const away = this.workshop.stages.clock() - this.#lookedAt > LOOK_AGAIN;
    this.#lookedAt = this.workshop.stages.clock();
    if (rejoined || away || (this.#log === 'checked' && first < next)) this.#log = 'unchecked';
    if (this.#log === 'checked') return first > next ? this.#skipGap(batch) : null;
    return this.#compare(batch, first, await this.#bounds(batch.signal));
  }

  /** Publishes from MongoDB what lies between `published` and `next`. */
  async publishBacklog(signal: AbortSignal): Promise<void> {
    const { published, next, eventsPublished, eventSequence } = this.position;
    if (published === next && eventsPublished === eventSequence) return;
    const { publisher } = this.workshop;
    const publish = () => store(publisher.publishBacklog(this.position, this.topic, this.partition, signal));
    this.position = await patiently(publish, this.workshop, signal);
  }

  /**
   * After a commit that did not match: goes on where the position is, when it is still mine.
   * @throws Fenced
   */
  async readAgain(signal: AbortSignal): Promise<void> {
    const found = await this.#read(signal);
    if (found?.epoch !== this.position.epoch) throw new Fenced(`the epoch is ${found?.epoch} now`);
    this.position = found;
    this.cars.clear();
  }

  /** Whether nobody else has taken it over. */
  async isMine(signal: AbortSignal): Promise<boolean> {
    return (await this.#read(signal))?.epoch === this.position.epoch;
  }

  #read(signal: AbortSignal): Promise<PositionDocument | null> {
    const { database } = this.workshop.stages;
    return patiently(() => store(readPosition(database, this.position._id)), this.workshop, signal);
  }

  async #compare(batch: RecordBatch, first: number, log: LogBounds): Promise<number | null> {
    const verdict = judgeLog(this.position, log);
    if (verdict === 'made-anew') return this.#startAnew(log, batch);
    if (verdict === 'take-as-is') return this.#follow(first, log, batch);
    const wanted = this.position.next - 1;
    const record = batch.records[0];
    if (first === wanted && record && !isSameRecord(record, this.position.last)) return this.#startAnew(log, batch);
    // Compaction may have taken the very record that was asked for; then nothing is left to compare.
    if (first === wanted || (first > wanted && this.#log === 'reading-back')) return this.#follow(first, log, batch);
    this.#log = 'reading-back';
    return wanted;
  }

  async #follow(first: number, log: LogBounds, { signal }: RecordBatch): Promise<number | null> {
    const lost = lostBefore(this.position, log);
    if (lost > 0) await this.#countLost(lost, log, signal);
    this.position = { ...this.position, clusterId: log.clusterId };
    const wasReadBack = this.#log === 'reading-back';
    this.#log = 'checked';
    const { next } = this.position;
    return first === next || first === next - 1 || (first > next && wasReadBack) ? null : Math.max(next, log.low);
  }

  /** Logs have gaps; but the gap may also be what retention removed before it was applied. */
  async #skipGap({ signal }: RecordBatch): Promise<null> {
    const log = await this.#bounds(signal);
    const lost = lostBefore(this.position, log);
    if (lost > 0) await this.#countLost(lost, log, signal);
    return null;
  }

  async #countLost(lost: number, log: LogBounds, signal: AbortSignal): Promise<void> {
    const { topic, partition, position } = this;
    this.workshop.log('error', 'LOST: records were removed from the log before they were applied', {
      topic,
      partition,
      from: position.next,
      lost,
    });
    await this.#restart({ next: log.low, lost, incarnation: position.incarnation }, log, signal);
    this.workshop.stages.observer.lost(lost);
  }

  async #startAnew(log: LogBounds, batch: RecordBatch): Promise<number | null> {
    const { topic, partition, position } = this;
    this.workshop.log('warn', 'the topic was made anew: starting at its beginning', {
      topic,
      partition,
      next: position.next,
      low: log.low,
      high: log.high,
    });
    await this.#restart({ next: log.low, lost: 0, incarnation: position.incarnation + 1 }, log, batch.signal);
    this.#log = 'checked';
    return batch.records[0]?.offset === log.low ? null : log.low;
  }

  async #restart(
    to: { next: number; lost: number; incarnation: number },
    { clusterId }: LogBounds,
    signal: AbortSignal,
  ): Promise<void> {
    const { database, clock } = this.workshop.stages;
    await this.publishBacklog(signal);
    const restart = () => store(restartPosition(database, this.position, { ...to, clusterId }, new Date(clock())));
    const position = await patiently(restart, this.workshop, signal);
    if (!position) throw new Fenced('the position moved while the log was compared');
    this.position = position;
    this.cars.clear();
  }

  #bounds(signal: AbortSignal): Promise<LogBounds> {
    const { logBounds } = this.workshop;
    return patiently(() => kafka(logBounds(this.topic, this.partition)), this.workshop, signal);
  }
}

/** Whatever the store throws outside of a batch is a reason to wait, never to stop. */
function store<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  return work.catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw Object.assign(storeFaultOf(error), { retriable: true });
  });
}

function kafka<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), { retriable: true });
  });
}
