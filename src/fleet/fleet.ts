import type { Collection, Filter } from 'mongodb';
import type { Twin } from '../twin/documents.js';
import { carQuery, filterKey, type ScopedFilter } from './car-filter.js';
import { type FreshnessEdges, type FreshnessLimits, freshnessEdges } from './freshness.js';
import { SameTime } from './joint-answer.js';
import { RankedCars } from './ranked-cars.js';
import type { Place, RankingOrder } from './ranking.js';
import type { Refreshed } from './refreshed.js';
import { type FleetSummary, readSummary } from './summary.js';
import type { Turns } from './turns.js';

/** How long MongoDB may take for one answer, ms. */
export const READ_LIMIT = 5_000;

export interface DatedSummary extends FleetSummary {
  /** When it was counted, ms. */
  readonly asOf: number;
}

export interface FleetOptions {
  readonly clock: () => number;
  readonly limits: FreshnessLimits;
  /** For whatever passes over the fleet. */
  readonly scans: Turns;
  /** How old a cached ranking may be, ms; 0 for none. */
  readonly maxAge?: number;
}

/** Questions about many cars at once. */
export class Fleet {
  private readonly ranked: RankedCars;
  private readonly sameTime = new SameTime();

  constructor(
    private readonly twins: Collection<Twin>,
    private readonly refreshed: Refreshed,
    private readonly options: FleetOptions,
  ) {
    this.ranked = new RankedCars(twins, options.scans, options.clock, READ_LIMIT, options.maxAge);
  }

  /** The instants that part LIVE, STALE and OFFLINE now. */
  edges(): FreshnessEdges {
    return freshnessEdges(this.options.clock(), this.options.limits);
  }

  /** Counts and percentiles, renewed behind whoever asks: `Refreshed` says how old they can be. */
  summary(filter: ScopedFilter): Promise<DatedSummary> {
    return this.refreshed.get(`summary ${filterKey(filter)}`, (asOf) => this.counted(filter, asOf));
  }

  /** The same as of now; callers that ask at the same time share one read. */
  summaryNow(filter: ScopedFilter): Promise<DatedSummary> {
    return this.sameTime.get(`summary ${filterKey(filter)}`, () => this.counted(filter, this.options.clock()));
  }

  private async counted(filter: ScopedFilter, asOf: number): Promise<DatedSummary> {
    const edges = this.edges();
    const read = () => readSummary(this.twins, carQuery(filter, edges), edges, READ_LIMIT);
    return { ...(await this.options.scans.take(read)), asOf };
  }

  /** Up to `count` places behind `after` in an order that changes under the reader. */
  ranking(filter: ScopedFilter, order: RankingOrder, after: Place | null, count: number): Promise<Place[]> {
    return this.ranked.page(filterKey(filter), this.query(filter), order, after, count);
  }

  /** Callers that ask at the same time share one read. */
  count(filter: ScopedFilter): Promise<number> {
    const read = () => this.twins.countDocuments(this.query(filter), { maxTimeMS: READ_LIMIT });
    return this.sameTime.get(`count ${filterKey(filter)}`, () => this.options.scans.take(read));
  }

  private query(filter: ScopedFilter): Filter<Twin> {
    return carQuery(filter, this.edges());
  }
}
