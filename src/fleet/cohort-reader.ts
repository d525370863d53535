import type { Document } from 'mongodb';
import type { Database } from '../twin/database.js';
import { carQuery } from './car-filter.js';
import { type Counts, COVERAGE, countsOf } from './coverage.js';
import { type FreshnessEdges, type FreshnessLimits, freshnessEdges } from './freshness.js';
import type { Measure } from './measure.js';
import { type Cohort, fewCars, lasting, sourceOf } from './source.js';

export interface ReaderOptions {
  readonly clock: () => number;
  readonly limits: FreshnessLimits;
  readonly maxTimeMS: number;
}

/** Reads cohorts of cars, as they are or as they were. */
export class CohortReader {
  constructor(
    private readonly database: Database,
    private readonly options: ReaderOptions,
  ) {}

  /** What parts live, stale and offline: then, for a cohort of the past. */
  edges({ at }: Pick<Cohort, 'at'>): FreshnessEdges {
    return freshnessEdges(at?.getTime() ?? this.options.clock(), this.options.limits);
  }

  /** One document per car, in the shape of a twin, through the stages. */
  async read(cohort: Cohort, stages: readonly Document[]): Promise<Document[]> {
    const { maxTimeMS } = this.options;
    const edges = this.edges(cohort);
    const { twins } = this.database.collections;
    const among = cohort.at ? await fewCars(twins, carQuery(lasting(cohort.filter), edges), maxTimeMS) : null;
    const source = sourceOf(cohort, edges, among);
    const collection = this.database.db.collection(source.collection);
    return collection.aggregate([...source.stages, ...stages], { maxTimeMS }).toArray();
  }

  async counts(cohort: Cohort, measures: readonly Measure[]): Promise<Counts> {
    const [row] = await this.read(cohort, COVERAGE(measures, this.edges(cohort)));
    return countsOf(row);
  }

  episodes(stages: readonly Document[]): Promise<Document[]> {
    const { maxTimeMS } = this.options;
    return this.database.collections.anomalies.aggregate([...stages], { maxTimeMS }).toArray();
  }
}
