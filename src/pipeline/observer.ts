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
}

export class Observer {
  constructor(private readonly observed: Observed) {}

  async timed<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.observed.step(step, (performance.now() - started) / 1_000);
    return result;
  }

  applied(write: BatchWrite, letters: readonly DeadLetter[]): void {
    this.observed.applied(write, letters);
  }

  lag(topic: string, partition: number, records: number): void {
    this.observed.lag(topic, partition, records);
  }
}
