import type { Filter } from 'mongodb';
import { STATUSES, type Status, type Twin } from '../twin/documents.js';
import { FRESHNESSES, type Freshness, type FreshnessEdges, lastSeenRanges } from './freshness.js';

/** Which cars are meant. A list that is absent or null means all; an empty list means none. */
export interface CarFilter {
  readonly status?: readonly Status[] | null;
  readonly freshness?: readonly Freshness[] | null;
}

/**
 * The query for a filter. `status` comes as `$in` of what is wanted, which the partial index on cars that need attention
 * can serve; a filter that names every value is no filter.
 */
export function carQuery(filter: CarFilter, edges: FreshnessEdges): Filter<Twin> {
  const { status, freshness } = filter;
  return {
    ...(status && !namesAll(status, STATUSES) && { status: { $in: [...new Set(status)] } }),
    ...(freshness && !namesAll(freshness, FRESHNESSES) && seen(freshness, edges)),
  };
}

function seen(freshness: readonly Freshness[], edges: FreshnessEdges): Filter<Twin> {
  const ranges = lastSeenRanges(freshness, edges);
  if (ranges.length === 0) return { _id: { $in: [] } };
  const [only] = ranges;
  return ranges.length === 1 && only ? { lastSeenAt: only } : { $or: ranges.map((lastSeenAt) => ({ lastSeenAt })) };
}

function namesAll<T>(wanted: readonly T[], every: readonly T[]): boolean {
  return every.every((value) => wanted.includes(value));
}

/** The same for one twin in memory: what a subscription lets through. */
export function carMatches(
  twin: Twin,
  filter: { ids?: ReadonlySet<string> | null; status?: readonly Status[] | null },
) {
  return (!filter.ids || filter.ids.has(twin._id)) && (!filter.status || filter.status.includes(twin.status));
}
