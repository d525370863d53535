import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../log/log.js';
import type { Drift } from '../score/drift.js';
import type { Database } from '../twin/database.js';
import { driftOfFleet } from './drift-of-fleet.js';

export interface DriftWatchOptions {
  readonly database: Database;
  readonly fallbackDir: string;
  readonly log: Log;
  readonly clock: () => number;
  /** Given the drift of all readings together, then by firmware, against the model in use. */
  readonly onDrift: (groups: readonly Drift[]) => void;
  /** ms between two looks */
  readonly interval: number;
}

const DAY = 86_400_000;

/** Looks now and then how far the last day's readings are from what the model in use was trained on. */
export class DriftWatch {
  readonly #stopping = new AbortController();
  #watching: Promise<void> | null = null;
  #told: string | null = null;

  constructor(private readonly options: DriftWatchOptions) {}

  start(): void {
    this.#watching ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    const { interval, log } = this.options;
    while (!signal.aborted) {
      await pause(interval, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.look().catch((error: unknown) =>
        log('debug', 'drift could not be told', { error: error instanceof Error ? error.message : String(error) }),
      );
    }
  }

  /** @throws what `driftOfFleet` throws */
  async look(): Promise<void> {
    const { database, fallbackDir, clock, onDrift, log } = this.options;
    const now = clock();
    const { model, groups } = await driftOfFleet(database, {
      from: new Date(now - DAY),
      to: new Date(now),
      fallbackDir,
    });
    const [all] = groups;
    if (!all) return;
    onDrift(groups);
    const verdict = `${model} ${all.verdict}`;
    if (verdict !== this.#told && all.verdict !== null)
      log(
        all.verdict === 'FOREIGN' ? 'warn' : 'info',
        'drift of the last day against the training of the model in use',
        {
          model,
          verdict: all.verdict,
          readings: all.readings,
          signals: all.signals.filter((one) => one.verdict === 'FOREIGN').map(({ signal }) => signal),
        },
      );
    this.#told = verdict;
  }
}
