import { STEPS, type Step } from '../telemetry/window.js';
import type { Database } from '../twin/database.js';
import type { RollupMarkDocument } from '../twin/rollup-documents.js';
import { rollUp, sweepRuns } from './roll-up.js';
import { marksBetween } from './windows-read.js';

/** How long after its end a window is computed first: the readings of its last moments are still on their way; ms. */
const SETTLED = 30_000;
/** A window is kept as it is from this long before its readings may begin to expire; ms. */
const MARGIN = 3_600_000;
const FIRST = Date.UTC(0, 0, 1);

export interface RollerOptions {
  readonly clock: () => number;
  /** A name that no other run has. */
  readonly newRun: () => string;
  /** Cars whose figures are gathered at a time; 500 when not given. */
  readonly slice?: number;
  /** How long readings and rollups are kept, ms; null for ever. */
  readonly retention: { readonly readings: number | null } & Readonly<Record<Step, number | null>>;
}

/** Computes what is marked. Any number of them may run at once, and each may be killed at any time. */
export class Roller {
  constructor(
    private readonly database: Database,
    private readonly options: RollerOptions,
  ) {}

  /**
   * One round over all windows that are over and marked.
   * @returns how many windows were computed
   */
  async round(signal: AbortSignal): Promise<number> {
    const now = this.options.clock();
    const { readings, FIVE_MINUTES } = this.options.retention;
    const done =
      (await this.#step('FIVE_MINUTES', now, edge(now, readings), signal)) +
      (await this.#step('HOUR', now, edge(now, sooner(readings, FIVE_MINUTES)), signal));
    await sweepRuns(this.database, now);
    return done;
  }

  async #step(step: Step, now: number, keptBefore: number, signal: AbortSignal): Promise<number> {
    const { newRun, slice } = this.options;
    const sliced = slice === undefined ? {} : { slice };
    const marks = await marksBetween(this.database, step, FIRST, now - SETTLED - STEPS[step] + 1);
    let done = 0;
    for (const [start, ofWindow] of byWindow(marks)) {
      if (signal.aborted) break;
      if (await rollUp(step, start, ofWindow, { database: this.database, now, run: newRun(), keptBefore, ...sliced }))
        done += 1;
    }
    return done;
  }
}

function byWindow(marks: readonly RollupMarkDocument[]): Map<number, RollupMarkDocument[]> {
  const windows = new Map<number, RollupMarkDocument[]>();
  for (const mark of marks) windows.set(mark.at.getTime(), [...(windows.get(mark.at.getTime()) ?? []), mark]);
  return windows;
}

/** Windows that begin before this have lost what they were computed from, or are about to; ms. */
export function edge(now: number, retention: number | null): number {
  return retention === null ? Number.NEGATIVE_INFINITY : now - retention + MARGIN;
}

function sooner(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
