import { finite } from '../telemetry/finite.js';
import type { Database } from '../twin/database.js';
import type { Correlation, Distribution, Extremes, Group, Groups } from './answers.js';
import { filterKey } from './car-filter.js';
import { CohortReader, type ReaderOptions } from './cohort-reader.js';
import { type Coverage, countsOf, coverageOf, totalOf } from './coverage.js';
import { coarse, FINE_BINS, NOTHING, percentileOf, type Spread, widthOf } from './fine-bins.js';
import type { DatedSummary } from './fleet.js';
import type { Measure } from './measure.js';
import { type Dimension, GROUPS, HISTOGRAM, MEANS, MOST_GROUPS, PRODUCTS, SPREAD } from './pipelines.js';
import type { Refreshed } from './refreshed.js';
import type { Cohort } from './source.js';
import { type CountRow, FLEET_COUNTS, summaryOf } from './summary.js';

/** Questions about cohorts of cars, each answered by a named aggregation (`pipelines.ts`) and with its coverage. */
export class FleetAnalytics {
  private readonly reader: CohortReader;

  constructor(
    database: Database,
    private readonly refreshed: Refreshed,
    private readonly options: ReaderOptions,
  ) {
    this.reader = new CohortReader(database, options);
  }

  /** Not cached: anything may be asked. The most frequent groups first, at most 1,000. */
  async groups(
    cohort: Cohort,
    by: readonly Dimension[],
    measure: Measure | null,
    percentiles: readonly number[],
  ): Promise<Groups> {
    const readAt = this.options.clock();
    const rows = await this.reader.read(cohort, GROUPS(by, measure, percentiles, this.reader.edges(cohort)));
    const groups = rows.slice(0, MOST_GROUPS).map((row): Group => {
      const id = row['_id'] as Record<string, string | number | null>;
      return {
        values: by.map((_, n) => id[`d${n}`] ?? null),
        ...countsOf(row),
        mean: finite(row['mean']),
        percentiles: ((row['percentiles'] ?? []) as unknown[]).map(finite),
      };
    });
    return { groups, more: rows.length > MOST_GROUPS, coverage: coverageOf(totalOf(groups), cohort, readAt) };
  }

  /** Counts and percentiles of a cohort in the past; its status is not known then. */
  summaryAt(cohort: Cohort, at: Date): Promise<DatedSummary> {
    return this.cached(['summary'], cohort, async () => {
      const rows = (await this.reader.read(cohort, FLEET_COUNTS(this.reader.edges(cohort)))) as CountRow[];
      return { ...summaryOf(rows), asOf: at.getTime() };
    });
  }

  counts(cohort: Cohort, by: Dimension): Promise<Groups> {
    return this.cached(['counts', by], cohort, () => this.groups(cohort, [by], null, []));
  }

  distribution(cohort: Cohort, measure: Measure, percentiles: readonly number[], bins: number): Promise<Distribution> {
    return this.cached(['distribution', measure, percentiles, bins], cohort, async (readAt) => {
      const [spread] = await this.reader.read(cohort, SPREAD(measure, this.reader.edges(cohort)));
      const coverage = coverageOf(countsOf(spread), cohort, readAt);
      const { measured } = coverage;
      if (!spread || measured === 0) return { ...NOTHING, percentiles: percentiles.map(() => null), coverage };
      const { min, max } = spread as unknown as Spread;
      const fine = bins * Math.ceil(FINE_BINS / bins);
      const width = widthOf({ min, max }, fine);
      const rows = await this.reader.read(cohort, HISTOGRAM(measure, min, width, fine));
      const counts = new Map(rows.map((row) => [row['_id'] as number, row['cars'] as number]));
      const found = percentiles.map((part) => percentileOf(counts, part * measured, { min, max, width }));
      const histogram = coarse(counts, { min, width }, bins, fine);
      return { mean: finite(spread['mean']), min, max, percentiles: found, histogram, coverage };
    });
  }

  /** Ids of cars with their values, the most extreme first. */
  extremes(cohort: Cohort, measure: Measure, lowest: boolean, count: number): Promise<Extremes> {
    return this.cached(['extremes', measure, lowest, count], cohort, async (readAt) => {
      const [rows, counts] = await Promise.all([
        // To MongoDB a limit of 0 is none.
        count === 0 ? [] : this.reader.extremes(cohort, measure, lowest ? 1 : -1, count),
        this.reader.counts(cohort, [measure]),
      ]);
      const cars = rows.map((row) => ({ id: row['_id'] as string, value: row['value'] as number }));
      return { cars, coverage: coverageOf(counts, cohort, readAt) };
    });
  }

  /**
   * Pearson's correlation of each pair, over the cars that have all of the measures; null where one of a pair never varies, or has
   * no mean among the numbers.
   */
  async correlation(cohort: Cohort, measures: readonly Measure[]): Promise<Correlation> {
    const readAt = this.options.clock();
    const [counts, [found]] = await Promise.all([
      this.reader.counts(cohort, measures),
      this.reader.read(cohort, MEANS(measures)),
    ]);
    const coverage = coverageOf(counts, cohort, readAt);
    if (!found) return { measures, coverage, matrix: measures.map(() => measures.map(() => null)) };
    const means = measures.map((_, n) => found[`m${n}`] as number);
    const ranges = measures.map((_, n) => [found[`l${n}`], found[`h${n}`]] as [number, number]);
    const units = ranges.map(unitOf);
    // Not told by the products: a mean may be rounded.
    const varies = ranges.map(([low, high]) => low < high);
    const [sums = {}] = await this.reader.read(cohort, PRODUCTS(measures, means, units));
    const product = (a: number, b: number) => sums[`p${Math.min(a, b)}_${Math.max(a, b)}`] as number;
    const matrix = measures.map((_, a) =>
      measures.map((__, b) => {
        const scale = Math.sqrt(product(a, a) * product(b, b));
        // What was sent between the two reads may be too large for the units.
        const told = varies[a] && varies[b] && scale > 0 && scale < Infinity;
        return told ? Math.max(-1, Math.min(1, product(a, b) / scale)) : null;
      }),
    );
    return { measures, coverage, matrix };
  }

  /** How many cars there are. */
  coverage(cohort: Cohort): Promise<Coverage> {
    return this.cached(['coverage'], cohort, async (readAt) =>
      coverageOf(await this.reader.counts(cohort, []), cohort, readAt),
    );
  }

  private cached<T>(
    what: readonly unknown[],
    { filter, at }: Cohort,
    compute: (readAt: number) => Promise<T>,
  ): Promise<T> {
    return this.refreshed.get(JSON.stringify([what, filterKey(filter), at]), compute, at === null);
  }
}

/** The power of two below the largest value of a range. */
function unitOf([lowest, highest]: readonly [number, number]): number {
  const largest = Math.max(Math.abs(lowest), Math.abs(highest));
  return largest === 0 ? 1 : 2 ** Math.min(1_023, Math.floor(Math.log2(largest)));
}
