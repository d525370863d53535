import type { Log } from '../log/log.js';
import type { Observed } from './observer.js';

/** s that an unscored reading keeps the alarm up. */
const REMEMBERED = 60;
/** The share of the readings that may go unscored without an alarm: a car that sends nothing a model can judge. */
const TOLERATED = 0.001;

interface Second {
  readonly at: number;
  readings: number;
  unscored: number;
}

/**
 * Readings that go unscored are stored all the same, so nothing stops; this is how people learn of it: readiness says
 * `degraded` and why, and one line of the log tells when it begins and when it is over.
 */
export class ScoringAlarm implements Observed {
  /** Of the last minute, the oldest first. */
  #seconds: Second[] = [];
  #reason = '';
  #raised = false;

  /** @param clock ms */
  constructor(
    private readonly log: Log,
    private readonly clock: () => number,
  ) {}

  applied({ readings }: Parameters<Observed['applied']>[0]): void {
    this.seen(readings);
  }

  /** @param rows that were stored; `unscored` says why one has no score */
  seen(rows: readonly { readonly unscored?: string }[]): void {
    const unscored = rows.filter((row) => row.unscored !== undefined);
    this.#reason = unscored.at(-1)?.unscored ?? this.#reason;
    const second = this.#now();
    second.readings += rows.length;
    second.unscored += unscored.length;
    this.check();
  }

  /** @returns what is wrong, or `ok` */
  check(): string {
    const now = this.#now();
    this.#seconds = this.#seconds.filter(({ at }) => at > now.at - REMEMBERED);
    const readings = this.#seconds.reduce((sum, one) => sum + one.readings, 0);
    const unscored = this.#seconds.reduce((sum, one) => sum + one.unscored, 0);
    const raised = unscored > TOLERATED * readings;
    const told = raised ? `${unscored} of the last minute's ${readings} readings have no score: ${this.#reason}` : 'ok';
    if (raised !== this.#raised)
      this.log(raised ? 'error' : 'info', raised ? 'readings go unscored' : 'readings are scored again', {
        unscored,
        readings,
        ...(raised ? { reason: this.#reason } : {}),
      });
    this.#raised = raised;
    return told;
  }

  #now(): Second {
    const at = Math.floor(this.clock() / 1_000);
    const last = this.#seconds.at(-1);
    if (last && last.at >= at) return last;
    const second = { at, readings: 0, unscored: 0 };
    this.#seconds.push(second);
    return second;
  }

  step(): void {}
  lag(): void {}
  lost(): void {}
  released(): void {}
}
