import type { Collection, Filter } from 'mongodb';
import type { Twin } from '../twin/documents.js';
import { type CarFilter, carQuery } from './car-filter.js';
import { type FreshnessEdges, type FreshnessLimits, freshnessEdges } from './freshness.js';
import { RankedCars } from './ranked-cars.js';
import type { Place, RankingOrder } from './ranking.js';
import { type FleetSummary, readSummary } from './summary.js';

/** How long MongoDB may take for one answer, ms. */
export const READ_LIMIT = 5_000;
/** A summary of the fleet is used for this long, ms. */
export const SUMMARY_AGE = 2_000;

export interface DatedSummary extends FleetSummary {
  /** When it was counted, ms. */
  readonly asOf: number;
}

export interface FleetOptions {
  readonly clock: () => number;
  readonly limits: FreshnessLimits;
  /** How old a cached summary or ranking may be, ms; 0 for none. */
  readonly maxAge?: number;
}

/** Questions about many cars at once. */
export class Fleet {
  private readonly ranked: RankedCars;
  private latest: { readonly asOf: number; readonly summary: Promise<DatedSummary> } | null = null;

  constructor(
    private readonly twins: Collection<Twin>,
    private readonly options: FleetOptions,
  ) {
    this.ranked = new RankedCars(twins, options.clock, READ_LIMIT, options.maxAge);
  }

  /** The instants that part LIVE, STALE and OFFLINE now. */
  edges(): FreshnessEdges {
    return freshnessEdges(this.options.clock(), this.options.limits);
  }

  /** Counts and percentiles, at most SUMMARY_AGE old; callers that ask at the same time share one read. */
  summary(): Promise<DatedSummary> {
    const asOf = this.options.clock();
    const maxAge = this.options.maxAge ?? SUMMARY_AGE;
    if (this.latest && asOf - this.latest.asOf < maxAge) return this.latest.summary;
    const summary = readSummary(this.twins, this.edges(), READ_LIMIT).then((read) => ({ ...read, asOf }));
    const latest = { asOf, summary };
    this.latest = latest;
    summary.catch(() => {
      if (this.latest === latest) this.latest = null;
    });
    return summary;
  }

  /** Up to `count` places behind `after` in an order that changes under the reader. */
  ranking(filter: CarFilter, order: RankingOrder, after: Place | null, count: number): Promise<Place[]> {
    return this.ranked.page(JSON.stringify([filter.status, filter.freshness]), this.query(filter), order, after, count);
  }

  count(filter: CarFilter): Promise<number> {
    return this.twins.countDocuments(this.query(filter), { maxTimeMS: READ_LIMIT });
  }

  private query(filter: CarFilter): Filter<Twin> {
    return carQuery(filter, this.edges());
  }
}
