import { withinScope } from '../access/scope.js';
import type { Database } from '../twin/database.js';
import type { FleetAnalytics } from './analytics.js';
import type { EpisodeTimes, FailureRates } from './answers.js';
import { carQuery, filterKey, narrows, type ScopedFilter } from './car-filter.js';
import { CohortReader, type ReaderOptions } from './cohort-reader.js';
import { wilson } from './intervals.js';
import { type AskedWindow, type Dimension, EPISODE_TIMES, type EpisodeWindow, FAILED } from './pipelines.js';
import type { Refreshed } from './refreshed.js';
import type { Cohort } from './source.js';

/** Questions about the anomalies of cohorts, in a window of time, of the cars as they are now. */
export class FleetFailures {
  private readonly reader: CohortReader;

  constructor(
    database: Database,
    private readonly analytics: FleetAnalytics,
    private readonly refreshed: Refreshed,
    options: ReaderOptions,
  ) {
    this.reader = new CohortReader(database, options);
  }

  /** Of the cars of each group, those that had an anomaly opened in the window. */
  rates(filter: ScopedFilter, by: Dimension, asked: AskedWindow): Promise<FailureRates> {
    const cohort = { filter, at: null };
    return this.cached(['failures', by], cohort, asked, async (window) => {
      const [{ groups, more, coverage }, failed] = await Promise.all([
        // What does not hang on the window is counted once for all of them.
        this.analytics.counts(cohort, by),
        this.reader.episodes(FAILED(by, window, scopeOf(filter), this.carsOf(cohort))),
      ]);
      const found = new Map(failed.map((row) => [row['_id'] as string | number | null, row]));
      const rates = groups.map(({ values: [value = null], cars }) => {
        const row = found.get(value);
        // Cars that came since they were counted have failed, too.
        const some = Math.min(cars, (row?.['failed'] as number | undefined) ?? 0);
        const [low, high] = wilson(some, cars);
        const episodes = (row?.['episodes'] as number | undefined) ?? 0;
        return { value, cars, failed: some, episodes, rate: some / cars, low, high };
      });
      return { groups: rates, more, window, coverage };
    });
  }

  /** By kind: episodes opened in the window, and how long it took until they cleared. */
  times(filter: ScopedFilter, asked: AskedWindow): Promise<EpisodeTimes> {
    const cohort = { filter, at: null };
    return this.cached(['times'], cohort, asked, async (window) => {
      // Where the scope is all that is asked, the anomalies themselves say whose they are.
      const cars = narrows(filter) ? this.carsOf(cohort) : {};
      const [coverage, rows] = await Promise.all([
        this.analytics.coverage(cohort),
        this.reader.episodes(EPISODE_TIMES(window, scopeOf(filter), cars)),
      ]);
      const length = window.to.getTime() - window.from.getTime();
      const kinds = rows.map((row) => {
        const [episodes, cleared] = [row['episodes'] as number, row['cleared'] as number];
        return {
          kind: row['_id'] as string,
          episodes,
          cleared,
          open: episodes - cleared,
          between: (coverage.cars * length) / episodes / 1_000,
          toClear: cleared === 0 ? null : (row['clearing'] as number) / cleared / 1_000,
        };
      });
      return { kinds, window, coverage };
    });
  }

  private carsOf(cohort: Cohort) {
    return carQuery(cohort.filter, this.reader.edges(cohort));
  }

  /** Only the last so many ms are asked for in the same words again: other windows are not kept current by themselves. */
  private cached<T>(
    what: readonly unknown[],
    { filter }: Cohort,
    asked: AskedWindow,
    compute: (window: EpisodeWindow) => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([what, filterKey(filter), asked]);
    return this.refreshed.get(key, (readAt) => compute(windowAt(asked, readAt)), 'last' in asked);
  }
}

function windowAt(asked: AskedWindow, readAt: number): EpisodeWindow {
  if (!('last' in asked)) return asked;
  return { from: new Date(readAt - asked.last), to: new Date(readAt), kinds: asked.kinds };
}

const scopeOf = ({ within }: ScopedFilter) => withinScope('fleet', { fleets: within });
