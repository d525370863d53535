import type { Document } from 'mongodb';
import type { FreshnessEdges } from './freshness.js';
import { type Measure, measureField } from './measure.js';
import { type Cohort, LOOK_BACK } from './source.js';

/** How many cars an answer was made from. */
export interface Counts {
  readonly cars: number;
  /** Cars among them that have all that was measured; all of them where nothing was. */
  readonly measured: number;
  /** Cars among them that were not live, counted with their last reading; null where cars are counted over a window. */
  readonly stale: number | null;
}

/** What an answer about the fleet rests on. */
export interface Coverage extends Counts {
  readonly source: 'TWINS' | 'READINGS' | 'ROLLUPS';
  /** The first event time of what was looked at; null for all that the twins have. */
  readonly from: Date | null;
  /** When it was read; of the past the instant or the end of the window that was asked for. */
  readonly asOf: Date;
}

export interface Covered {
  readonly coverage: Coverage;
}

/** Accumulators of `Counts`, for any `$group` over documents that have the shape of twins. */
export function counting(measures: readonly Measure[], { stale }: FreshnessEdges): Document {
  const has = measures.map((measure) => ({ $gt: [`$${measureField(measure)}`, null] }));
  return {
    cars: { $sum: 1 },
    ...(has.length > 0 && { measured: { $sum: { $cond: [has.length > 1 ? { $and: has } : has[0], 1, 0] } } }),
    stale: { $sum: { $cond: [{ $gt: ['$lastSeenAt', stale] }, 0, 1] } },
  };
}

/** Cars of the cohort, those that have the measures, and those that are not live. One read of it. */
export const COVERAGE = (measures: readonly Measure[], edges: FreshnessEdges): Document[] => [
  { $group: { _id: null, ...counting(measures, edges) } },
];

/** Of a row that was grouped with `counting`; of no row where there was no car. */
export function countsOf(row: Document | undefined): Counts {
  const { cars = 0, measured = cars, stale = 0 } = (row ?? {}) as Partial<Counts>;
  return { cars, measured, stale };
}

export function totalOf(counts: readonly Counts[]): Counts {
  const sum = (of: keyof Counts) => counts.reduce((total, one) => total + (one[of] ?? 0), 0);
  return { cars: sum('cars'), measured: sum('measured'), stale: sum('stale') };
}

/** @param readAt ms */
export function coverageOf(counts: Counts, { at }: Cohort, readAt: number): Coverage {
  const when = at
    ? { source: 'READINGS' as const, from: new Date(at.getTime() - LOOK_BACK), asOf: at }
    : { source: 'TWINS' as const, from: null, asOf: new Date(readAt) };
  return { cars: counts.cars, measured: counts.measured, stale: counts.stale, ...when };
}
