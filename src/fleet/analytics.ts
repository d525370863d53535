import type { Document } from 'mongodb';
import { withinScope } from '../access/scope.js';
import type { Database } from '../twin/database.js';
import { carQuery, filterKey, narrows } from './car-filter.js';
import type { Distribution, FailureRate, Group } from './answers.js';
import { type FreshnessEdges, type FreshnessLimits, freshnessEdges } from './freshness.js';
import { wilson } from './intervals.js';
import {
  type Dimension,
  EPISODE_TIMES,
  type EpisodeWindow,
  EXTREMES,
  FAILED,
  GROUPS,
  HISTOGRAM,
  MEANS,
  type Measure,
  PRODUCTS,
  SPREAD,
} from './pipelines.js';
import type { DatedSummary } from './fleet.js';
import { coarse, FINE_BINS, NOTHING, percentileOf, type Spread } from './fine-bins.js';
import { Refreshed } from './refreshed.js';
import { type Cohort, fewCars, lasting, sourceOf } from './source.js';
import { type CountRow, FLEET_COUNTS, summaryOf } from './summary.js';

export interface AnalyticsOptions {
  readonly clock: () => number;
  readonly limits: FreshnessLimits;
  readonly maxTimeMS: number;
  /** How old a cached answer may be before it is renewed, ms; 0 for none. */
  readonly maxAge?: number;
}

/** Questions about cohorts of cars, each answered by a named aggregation (`pipelines.ts`). */
export class FleetAnalytics {
  private readonly refreshed: Refreshed;

  constructor(
    private readonly database: Database,
    private readonly options: AnalyticsOptions,
  ) {
    this.refreshed = new Refreshed(options.clock, options.maxAge);
  }

  /** Not cached: anything may be asked. The most frequent groups first, at most 1,000. */
  async groups(cohort: Cohort, by: readonly Dimension[], measure: Measure | null, percentiles: readonly number[]) {
    const rows = await this.read(cohort, GROUPS(by, measure, percentiles));
    return rows.map((row): Group => {
      const id = row['_id'] as Record<string, string | number | null>;
      return {
        values: by.map((_, n) => id[`d${n}`] ?? null),
        cars: row['cars'] as number,
        measured: (row['values'] as number | undefined) ?? 0,
        mean: (row['mean'] as number | null | undefined) ?? null,
        percentiles: (row['percentiles'] as (number | null)[] | undefined) ?? [],
      };
    });
  }

  /** Counts and percentiles of a cohort in the past; its status is not known then. */
  summaryAt(cohort: Cohort, at: Date): Promise<DatedSummary> {
    return this.cached(['summary'], cohort, async () => {
      const edges = freshnessEdges(at.getTime(), this.options.limits);
      const rows = (await this.read(cohort, FLEET_COUNTS(edges))) as CountRow[];
      return { ...summaryOf(rows), asOf: at.getTime() };
    });
  }

  counts(cohort: Cohort, by: Dimension): Promise<Group[]> {
    return this.cached(['counts', by], cohort, () => this.groups(cohort, [by], null, []));
  }

  distribution(cohort: Cohort, measure: Measure, percentiles: readonly number[], bins: number): Promise<Distribution> {
    return this.cached(['distribution', measure, percentiles, bins], cohort, async (asOf) => {
      const [spread] = await this.read(cohort, SPREAD(measure));
      if (!spread) return { ...NOTHING, percentiles: percentiles.map(() => null), asOf };
      const { cars, mean, min, max } = spread as unknown as Spread;
      const fine = bins * Math.ceil(FINE_BINS / bins);
      const width = (max - min) / fine || 1;
      const rows = await this.read(cohort, HISTOGRAM(measure, min, width, fine));
      const counts = new Map(rows.map((row) => [row['_id'] as number, row['cars'] as number]));
      const found = percentiles.map((part) => percentileOf(counts, part * cars, { min, max, width }));
      return { cars, mean, min, max, percentiles: found, histogram: coarse(counts, { min, width }, bins, fine), asOf };
    });
  }

  /** Ids of cars with their values, the most extreme first. */
  extremes(cohort: Cohort, measure: Measure, lowest: boolean, count: number): Promise<{ id: string; value: number }[]> {
    return this.cached(['extremes', measure, lowest, count], cohort, async () => {
      const rows = await this.read(cohort, EXTREMES(measure, lowest ? 1 : -1, count));
      return rows.map((row) => ({ id: row['_id'] as string, value: row['value'] as number }));
    });
  }

  /** Pearson's correlation of each pair, over the cars that have all of the measures; null where one of a pair never varies. */
  async correlation(cohort: Cohort, measures: readonly Measure[]) {
    const [found] = await this.read(cohort, MEANS(measures));
    const cars = (found?.['cars'] as number | undefined) ?? 0;
    if (!found) return { cars, matrix: measures.map(() => measures.map(() => null)) };
    const means = measures.map((_, n) => found[`m${n}`] as number);
    const [sums = {}] = await this.read(cohort, PRODUCTS(measures, means));
    const product = (a: number, b: number) => sums[`p${Math.min(a, b)}_${Math.max(a, b)}`] as number;
    const matrix = measures.map((_, a) =>
      measures.map((__, b) => {
        const scale = Math.sqrt(product(a, a) * product(b, b));
        return scale > 0 ? Math.max(-1, Math.min(1, product(a, b) / scale)) : null;
      }),
    );
    return { cars, matrix };
  }

  /** Of the cars of each group, those that had an anomaly opened in the window. */
  failureRates(cohort: Cohort, by: Dimension, window: EpisodeWindow): Promise<FailureRate[]> {
    return this.cached(['failures', by, window], cohort, async () => {
      const cars = carQuery(cohort.filter, this.edges());
      const scope = withinScope('fleet', { fleets: cohort.filter.within });
      const [groups, failed] = await Promise.all([
        this.groups(cohort, [by], null, []),
        this.episodes(FAILED(by, window, scope, cars)),
      ]);
      const found = new Map(failed.map((row) => [row['_id'] as string | number | null, row]));
      return groups.map(({ values: [value = null], cars: all }) => {
        const row = found.get(value);
        const some = (row?.['failed'] as number | undefined) ?? 0;
        const [low, high] = wilson(some, all);
        return {
          value,
          cars: all,
          failed: some,
          episodes: (row?.['episodes'] as number | undefined) ?? 0,
          rate: some / all,
          low,
          high,
        };
      });
    });
  }

  /** By kind: episodes opened in the window, and how long it took until they cleared. Of the cohort's cars as they are now. */
  episodeTimes(cohort: Cohort, window: EpisodeWindow) {
    return this.cached(['times', window], cohort, async () => {
      const scope = withinScope('fleet', { fleets: cohort.filter.within });
      const cars = carQuery(cohort.filter, this.edges());
      // Where the scope is all that is asked, the anomalies themselves say whose they are.
      const { maxTimeMS } = this.options;
      const [all, rows] = await Promise.all([
        this.database.collections.twins.countDocuments(cars, { maxTimeMS }),
        this.episodes(EPISODE_TIMES(window, scope, narrows(cohort.filter) ? cars : {})),
      ]);
      const length = window.to.getTime() - window.from.getTime();
      return rows.map((row) => {
        const [episodes, cleared] = [row['episodes'] as number, row['cleared'] as number];
        return {
          kind: row['_id'] as string,
          cars: all,
          episodes,
          cleared,
          open: episodes - cleared,
          between: (all * length) / episodes / 1_000,
          toClear: cleared === 0 ? null : (row['clearing'] as number) / cleared / 1_000,
        };
      });
    });
  }

  private edges(): FreshnessEdges {
    return freshnessEdges(this.options.clock(), this.options.limits);
  }

  private async read(cohort: Cohort, stages: readonly Document[]): Promise<Document[]> {
    const { maxTimeMS } = this.options;
    const edges = this.edges();
    const { twins } = this.database.collections;
    const among = cohort.at ? await fewCars(twins, carQuery(lasting(cohort.filter), edges), maxTimeMS) : null;
    const source = sourceOf(cohort, edges, among);
    const collection = this.database.db.collection(source.collection);
    return collection.aggregate([...source.stages, ...stages], { maxTimeMS }).toArray();
  }

  private episodes(stages: readonly Document[]): Promise<Document[]> {
    const { maxTimeMS } = this.options;
    return this.database.collections.anomalies.aggregate([...stages], { maxTimeMS }).toArray();
  }

  private cached<T>(
    what: readonly unknown[],
    { filter, at }: Cohort,
    compute: (asOf: number) => Promise<T>,
  ): Promise<T> {
    return this.refreshed.get(JSON.stringify([what, filterKey(filter), at]), compute);
  }
}
