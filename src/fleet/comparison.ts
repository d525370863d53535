import type { Document } from 'mongodb';
import { finite } from '../telemetry/finite.js';
import type { Rollups } from '../rollup/rollups.js';
import type { Database } from '../twin/database.js';
import { carQuery, type ScopedFilter } from './car-filter.js';
import { CohortReader, type ReaderOptions } from './cohort-reader.js';
import { type Coverage, countsOf, coverageOf } from './coverage.js';
import { difference, type Sample } from './intervals.js';
import type { Measure } from './measure.js';
import { MOMENTS } from './pipelines.js';
import { type Cohort, fewCars, type TimeWindow } from './source.js';
import { windowSource } from './window-source.js';

/** Cars as they are or were, or what those that match now sent in a window: each car with its mean. */
export type ComparedCohort = Cohort & { readonly window: TimeWindow | null };

export interface ComparisonOptions extends ReaderOptions {
  /** How long readings are kept, ms; null for ever. */
  readonly retention: number | null;
}

interface Moments {
  readonly coverage: Coverage;
  readonly row: Document | undefined;
}

/** Two cohorts beside each other, read anew each time. */
export class Comparison {
  private readonly reader: CohortReader;

  constructor(
    private readonly database: Database,
    private readonly rollups: Rollups,
    private readonly options: ComparisonOptions,
  ) {
    this.reader = new CohortReader(database, options);
  }

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

  private momentsOf({ window, ...cohort }: ComparedCohort, measures: readonly Measure[]): Promise<Moments> {
    return window ? this.momentsOver(window, cohort.filter, measures) : this.momentsAt(cohort, measures);
  }

  private async momentsAt(cohort: Cohort, measures: readonly Measure[]): Promise<Moments> {
    const readAt = this.options.clock();
    const [row] = await this.reader.read(cohort, MOMENTS(measures, this.reader.edges(cohort)));
    return { coverage: coverageOf(countsOf(row), cohort, readAt), row };
  }

  private momentsOver(window: TimeWindow, filter: ScopedFilter, measures: readonly Measure[]): Promise<Moments> {
    return this.options.scans.take(() => this.readOver(window, filter, measures));
  }

  private async readOver(window: TimeWindow, filter: ScopedFilter, measures: readonly Measure[]): Promise<Moments> {
    const { clock, maxTimeMS, retention } = this.options;
    const edges = this.reader.edges({ at: null });
    const cars = carQuery(filter, edges);
    const among = await fewCars(this.database.collections.twins, cars, maxTimeMS);
    const keptSince = retention === null ? null : clock() - retention;
    const question = { window, measures, cars, among, keptSince };
    const { collection, stages, source } = await windowSource(this.database, this.rollups, question);
    const pipeline = [...stages, ...MOMENTS(measures, edges)];
    const [row] = await this.database.db.collection(collection).aggregate(pipeline, { maxTimeMS }).toArray();
    // What a car is over a window has no last reading.
    const counts = { ...countsOf(row), stale: null };
    return { coverage: { ...counts, source, from: window.from, asOf: window.to }, row };
  }
}

function sampleOf(row: Document | undefined, n: number): Sample {
  return {
    count: (row?.[`n${n}`] as number | undefined) ?? 0,
    mean: finite(row?.[`m${n}`]),
    deviation: finite(row?.[`s${n}`]),
  };
}
