import type { Document } from 'mongodb';
import type { Rollups } from '../rollup/rollups.js';
import type { Database } from '../twin/database.js';
import { carQuery } from './car-filter.js';
import { type Coverage, countsOf } from './coverage.js';
import { type FreshnessLimits, freshnessEdges } from './freshness.js';
import { difference, type Sample } from './intervals.js';
import type { Measure } from './measure.js';
import { MOMENTS } from './pipelines.js';
import { type Cohort, fewCars, lasting, LOOK_BACK, sourceOf, type TimeWindow } from './source.js';
import { windowSource } from './window-source.js';

/** Cars as they are or were, or what those that match now sent in a window: each car with its mean. */
export type ComparedCohort = Cohort & { readonly window: TimeWindow | null };

export interface ComparisonOptions {
  readonly clock: () => number;
  readonly limits: FreshnessLimits;
  readonly maxTimeMS: number;
  /** How long readings are kept, ms; null for ever. */
  readonly retention: number | null;
}

interface Moments {
  readonly coverage: Coverage;
  readonly row: Document | undefined;
}

/** Two cohorts beside each other, read anew each time. */
export class Comparison {
  constructor(
    private readonly database: Database,
    private readonly rollups: Rollups,
    private readonly options: ComparisonOptions,
  ) {}

  /**
   * Means of measures in two cohorts, and their differences.
   * @throws BeforeRetention
   */
  async compare(one: ComparedCohort, other: ComparedCohort, measures: readonly Measure[]) {
    const [left, right] = await Promise.all([this.momentsOf(one, measures), this.momentsOf(other, measures)]);
    return {
      coverage: [left.coverage, right.coverage],
      measures: measures.map((measure, n) => {
        const samples = { left: sampleOf(left.row, n), right: sampleOf(right.row, n) };
        return { measure, ...samples, difference: difference(samples.left, samples.right) };
      }),
    };
  }

  private async momentsOf(cohort: ComparedCohort, measures: readonly Measure[]): Promise<Moments> {
    const { clock, limits, maxTimeMS, retention } = this.options;
    const now = clock();
    const { filter, at, window } = cohort;
    const edges = freshnessEdges(at?.getTime() ?? now, limits);
    const { twins } = this.database.collections;
    const keptSince = retention === null ? null : now - retention;
    const cars = carQuery(window ? filter : lasting(filter), edges);
    const among = window || at ? await fewCars(twins, cars, maxTimeMS) : null;
    const { collection, stages, ...source } = window
      ? await windowSource(this.database, this.rollups, { window, measures, cars, among, keptSince })
      : { ...sourceOf(cohort, edges, among), source: at ? ('READINGS' as const) : ('TWINS' as const) };
    const pipeline = [...stages, ...MOMENTS(measures, edges)];
    const [row] = await this.database.db.collection(collection).aggregate(pipeline, { maxTimeMS }).toArray();
    const span = window ?? { from: at && new Date(at.getTime() - LOOK_BACK), to: at ?? new Date(now) };
    const counts = countsOf(row);
    // What a car is over a window has no last reading.
    const stale = window ? null : counts.stale;
    return { coverage: { ...counts, stale, ...source, from: span.from, asOf: span.to }, row };
  }
}

function sampleOf(row: Document | undefined, n: number): Sample {
  return {
    count: (row?.[`n${n}`] as number | undefined) ?? 0,
    mean: (row?.[`m${n}`] as number | null | undefined) ?? null,
    deviation: (row?.[`s${n}`] as number | null | undefined) ?? null,
  };
}
