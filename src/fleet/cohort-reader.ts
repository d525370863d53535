import type { Document, Filter } from 'mongodb';
import type { Database } from '../twin/database.js';
import type { Twin } from '../twin/documents.js';
import { carQuery } from './car-filter.js';
import { type Counts, COVERAGE, countsOf } from './coverage.js';
import { type FreshnessEdges, type FreshnessLimits, freshnessEdges } from './freshness.js';
import { type Measure, measured, measureField } from './measure.js';
import { EXTREMES } from './pipelines.js';
import { type Cohort, fewCars, lasting, sourceOf } from './source.js';
import type { Turns } from './turns.js';

export interface ReaderOptions {
  readonly clock: () => number;
  readonly limits: FreshnessLimits;
  readonly maxTimeMS: number;
  /** For whatever passes over the fleet. */
  readonly scans: Turns;
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
  read(cohort: Cohort, stages: readonly Document[]): Promise<Document[]> {
    return this.options.scans.take(() => this.aggregate(cohort, stages));
  }

  private async aggregate(cohort: Cohort, stages: readonly Document[]): Promise<Document[]> {
    const { maxTimeMS } = this.options;
    const edges = this.edges(cohort);
    const { twins } = this.database.collections;
    const among = cohort.at ? await fewCars(twins, carQuery(lasting(cohort.filter), edges), maxTimeMS) : null;
    const source = sourceOf(cohort, edges, among);
    const collection = this.database.db.collection(source.collection);
    return collection.aggregate([...source.stages, ...stages], { maxTimeMS }).toArray();
  }

  /** The best of a measure, most extreme first: `EXTREMES`, which twins are asked for by a find that keeps only the best. */
  async extremes(cohort: Cohort, measure: Measure, direction: 1 | -1, count: number): Promise<Document[]> {
    if (cohort.at) return this.read(cohort, EXTREMES(measure, direction, count));
    const field = measureField(measure);
    // SecantusDB sorts whole documents in an aggregation: this takes a third of the time there, and the same on MongoDB.
    const { maxTimeMS, scans } = this.options;
    const query: Filter<Twin> = { $and: [carQuery(cohort.filter, this.edges(cohort)), { [field]: { $ne: null } }] };
    const rows = await scans.take(() =>
      this.database.collections.twins
        .find(query, { projection: { [field]: 1 }, maxTimeMS })
        .sort({ [field]: direction, _id: 1 })
        .limit(count)
        .toArray(),
    );
    return rows.map((row) => ({ _id: row._id, value: measured(row, measure) }));
  }

  async counts(cohort: Cohort, measures: readonly Measure[]): Promise<Counts> {
    const [row] = await this.read(cohort, COVERAGE(measures, this.edges(cohort)));
    return countsOf(row);
  }

  episodes(stages: readonly Document[]): Promise<Document[]> {
    const { maxTimeMS, scans } = this.options;
    return scans.take(() => this.database.collections.anomalies.aggregate([...stages], { maxTimeMS }).toArray());
  }
}
