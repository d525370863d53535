import type { BatchOutcome, RecordBatch } from '../kafka/record-batch.js';
import { downgradeEpisodes, eraseCar, openSilences } from './between-batches.js';
import { PartitionWriter } from './partition-writer.js';
import { MOST_TOLD, tellHandlings } from './tell-handlings.js';
import { findSilent, lookEvery, placeOf } from './silent-cars.js';
import { messageOf, type Workshop } from './workshop.js';

/** Which partition a car's records are in. */
export type PartitionOfCar = (car: string) => Promise<number>;

/** All partitions of this process: one writer for each, and what they do between batches. */
export class Ingest {
  readonly #writers = new Map<string, PartitionWriter>();
  readonly #stopping = new AbortController();
  #assignment = new AbortController();
  #timers: NodeJS.Timeout[] = [];
  #telling = false;
  #round: Promise<void> = Promise.resolve();
  /** When silent cars are looked for again, ms. */
  #silenceDue = 0;

  /** @param noDataAfter ms after which a car counts as silent; null: never */
  constructor(
    private readonly workshop: Workshop,
    private readonly partitionOfCar: PartitionOfCar,
    private readonly noDataAfter: number | null = null,
  ) {}

  handle(batch: RecordBatch): Promise<BatchOutcome> {
    return this.#writer(batch.topic, batch.partition).handle(batch);
  }

  /**
   * Writers of partitions that went to somebody else forget what they hold; the others take over what they do not hold,
   * also where no record comes: what happens between batches is to happen there, too.
   */
  assigned(topic: string, partitions: readonly number[]): void {
    this.#assignment.abort(new Error('the group was joined again'));
    this.#assignment = new AbortController();
    const signal = AbortSignal.any([this.#assignment.signal, this.#stopping.signal]);
    for (const writer of this.#writers.values())
      if (writer.topic === topic && !partitions.includes(writer.partition)) void this.#release(writer);
    for (const partition of partitions)
      this.#writer(topic, partition)
        .takeOver(signal)
        .catch((error: unknown) => {
          if (!signal.aborted) this.workshop.log('warn', 'a partition is not taken over', { error: messageOf(error) });
        });
  }

  /**
   * @param interval ms between two rounds of the work between batches
   * @param soon ms between two looks for what people did with episodes
   */
  start(interval: number, soon: number): void {
    if (this.#timers.length > 0) return;
    const then = (work: () => Promise<void>) => {
      this.#round = this.#round.then(work);
    };
    this.#timers = [
      setInterval(() => then(() => this.betweenBatches()), interval),
      setInterval(() => {
        if (!this.#telling) then(() => this.tell());
        this.#telling = true;
      }, soon),
    ];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#stopping.abort(new Error('ingest stops'));
    await this.#round;
  }

  /** Makes events of what people did with episodes of this process's cars. */
  async tell(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#patiently(async () => {
        for (const [writer, ids] of await this.#waiting())
          await this.#patiently(() => writer.between((holding) => tellHandlings(holding, ids, this.workshop, signal)));
      });
    } catch {
      // Stopping.
    } finally {
      this.#telling = false;
    }
  }

  async #waiting(): Promise<Map<PartitionWriter, string[]>> {
    const { handlings } = this.workshop.stages.database.collections;
    const waiting = new Map<PartitionWriter, string[]>();
    for await (const { _id, car } of handlings.find({}, { projection: { car: 1 } }).sort({ _id: 1 })) {
      const writer = await this.#writerOf(car);
      if (!writer) continue;
      const ids = waiting.get(writer) ?? [];
      if (ids.length < MOST_TOLD) ids.push(_id);
      waiting.set(writer, ids);
    }
    return waiting;
  }

  /** One round of timed downgrades, silent cars and asked-for erasures. What fails is tried in the next round. */
  async betweenBatches(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for (const writer of this.#writers.values())
        await this.#patiently(() => writer.between((holding) => downgradeEpisodes(holding, this.workshop, signal)));
      await this.#patiently(() => this.#silences(signal));
      await this.#patiently(() => this.#erase(signal));
    } catch {
      // Stopping.
    }
  }

  /** What fails in one partition is no reason to leave out the others. */
  async #patiently(work: () => Promise<unknown>): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    await work().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted)
        this.workshop.log('warn', 'the work between batches waits', { error: messageOf(error) });
    });
  }

  /** Many that fell silent together are one condition of the fleet, said in the log, and not so many alarms. */
  async #silences(signal: AbortSignal): Promise<void> {
    const { clock, database } = this.workshop.stages;
    const after = this.noDataAfter;
    const now = clock();
    if (after === null || now < this.#silenceDue) return;
    this.#silenceDue = now + lookEvery(after);
    for (const topic of new Set([...this.#writers.values()].map((writer) => writer.topic))) {
      const { alone, together } = await findSilent(database, topic, new Date(now - after));
      if (together > 0)
        this.workshop.log('error', 'SILENT: many cars stopped sending at the same time', { topic, cars: together });
      for (const writer of this.#writers.values()) {
        const cars = alone.get(placeOf(writer.topic, writer.partition)) ?? [];
        if (cars.length === 0) continue;
        await this.#patiently(async () => {
          const { high } = await this.workshop.logBounds(writer.topic, writer.partition);
          const silence = { now, after, high };
          await writer.between((holding) => openSilences(holding, cars, silence, this.workshop, signal));
        });
      }
    }
  }

  async #erase(signal: AbortSignal): Promise<void> {
    const { erasures } = this.workshop.stages.database.collections;
    const { clock } = this.workshop.stages;
    for await (const { _id: car, upTo } of erasures.find({ doneAt: null })) {
      const writer = await this.#writerOf(car);
      const done = await writer?.between((holding) =>
        eraseCar(holding, car, upTo, this.workshop, signal).then(() => true),
      );
      if (done) await erasures.updateOne({ _id: car, upTo }, { $set: { doneAt: new Date(clock()) } });
    }
  }

  /** The writer of the car's partition, should this process have one. */
  async #writerOf(car: string): Promise<PartitionWriter | undefined> {
    const partition = await this.partitionOfCar(car);
    return [...this.#writers.values()].find((one) => one.partition === partition);
  }

  async #release(writer: PartitionWriter): Promise<void> {
    await writer.release();
    this.workshop.stages.observer.released(writer.topic, writer.partition);
  }

  #writer(topic: string, partition: number): PartitionWriter {
    const key = `${topic}/${partition}`;
    const writer = this.#writers.get(key) ?? new PartitionWriter(topic, partition, this.workshop);
    this.#writers.set(key, writer);
    return writer;
  }
}
