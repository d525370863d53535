import type { Collection, Filter } from 'mongodb';
import type { Twin } from '../twin/documents.js';
import { carQuery, filterKey, type ScopedFilter } from './car-filter.js';
import { type FreshnessEdges, type FreshnessLimits, freshnessEdges } from './freshness.js';
import { RankedCars } from './ranked-cars.js';
import type { Place, RankingOrder } from './ranking.js';
import { type FleetSummary, readSummary } from './summary.js';

/** How long MongoDB may take for one answer, ms. */
export const READ_LIMIT = 5_000;
/** A summary of the fleet is used for this long, ms. */
export const SUMMARY_AGE = 2_000;
/** Summaries that are kept at most: one per filter and scope. */
const SUMMARIES = 50;

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
  private readonly latest = new Map<string, { readonly asOf: number; readonly summary: Promise<DatedSummary> }>();

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
  summary(filter: ScopedFilter): Promise<DatedSummary> {
    const key = filterKey(filter);
    const asOf = this.options.clock();
    const maxAge = this.options.maxAge ?? SUMMARY_AGE;
    const known = this.latest.get(key);
    if (known && asOf - known.asOf < maxAge) return known.summary;
    const edges = this.edges();
    const read = readSummary(this.twins, carQuery(filter, edges), edges, READ_LIMIT);
    const latest = { asOf, summary: read.then((counted) => ({ ...counted, asOf })) };
    this.latest.delete(key);
    this.latest.set(key, latest);
    for (const old of [...this.latest.keys()].slice(0, Math.max(0, this.latest.size - SUMMARIES)))
      this.latest.delete(old);
    latest.summary.catch(() => this.latest.get(key) === latest && this.latest.delete(key));
    return latest.summary;
  }

  /** Up to `count` places behind `after` in an order that changes under the reader. */
  ranking(filter: ScopedFilter, order: RankingOrder, after: Place | null, count: number): Promise<Place[]> {
    return this.ranked.page(filterKey(filter), this.query(filter), order, after, count);
  }

  count(filter: ScopedFilter): Promise<number> {
    return this.twins.countDocuments(this.query(filter), { maxTimeMS: READ_LIMIT });
  }

  private query(filter: ScopedFilter): Filter<Twin> {
    return carQuery(filter, this.edges());
  }
}
