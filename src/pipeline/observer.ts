import type { DeadLetter } from '../kafka/dead-letters.js';
import type { BatchWrite } from '../twin/commit-batch.js';

/** The steps of a batch, in their order. */
export const STEPS = ['decode', 'load', 'lookup', 'score', 'dead-letter', 'commit', 'publish', 'batch'] as const;
export type Step = (typeof STEPS)[number];

/** What of the pipeline's work is seen from outside: times and counts. */
export interface Observed {
  step(step: Step, seconds: number): void;
  applied(write: BatchWrite, letters: readonly DeadLetter[]): void;
  /** Records of the partition that are in Kafka and not yet applied. */
  lag(topic: string, partition: number, records: number): void;
  /** Records that were removed from the log before they were applied. */
  lost(records: number): void;
  /** The partition is another process's now. */
  released(topic: string, partition: number): void;
}

/** Tells everybody who watches. */
export class Observer implements Observed {
  constructor(private readonly watchers: readonly Observed[]) {}

  /** A step that fails is not counted. */
  async timed<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.step(step, (performance.now() - started) / 1_000);
    return result;
  }

  step(step: Step, seconds: number): void {
    for (const watcher of this.watchers) watcher.step(step, seconds);
  }

  applied(write: BatchWrite, letters: readonly DeadLetter[]): void {
    for (const watcher of this.watchers) watcher.applied(write, letters);
  }

  lag(topic: string, partition: number, records: number): void {
    for (const watcher of this.watchers) watcher.lag(topic, partition, records);
  }

  lost(records: number): void {
    for (const watcher of this.watchers) watcher.lost(records);
  }

  released(topic: string, partition: number): void {
    for (const watcher of this.watchers) watcher.released(topic, partition);
  }
}
