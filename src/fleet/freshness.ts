export const FRESHNESSES = ['LIVE', 'STALE', 'OFFLINE'] as const;
export type Freshness = (typeof FRESHNESSES)[number];

/** After how long without a reading a car counts as stale and as offline, ms; offline >= stale. */
export interface FreshnessLimits {
  readonly staleAfter: number;
  readonly offlineAfter: number;
}

/** The two instants that part live from stale and stale from offline at `now`. */
export interface FreshnessEdges {
  readonly stale: Date;
  readonly offline: Date;
}

export function freshnessEdges(now: number, limits: FreshnessLimits): FreshnessEdges {
  return { stale: new Date(now - limits.staleAfter), offline: new Date(now - limits.offlineAfter) };
}

/** A car seen exactly at an edge is already past it. */
export function freshnessOf(lastSeenAt: Date, edges: FreshnessEdges): Freshness {
  if (lastSeenAt > edges.stale) return 'LIVE';
  return lastSeenAt > edges.offline ? 'STALE' : 'OFFLINE';
}

/** Every car whose freshness is one of `wanted` was last seen in one of these ranges. */
export function lastSeenRanges(
  wanted: readonly Freshness[],
  edges: FreshnessEdges,
): { readonly $gt?: Date; readonly $lte?: Date }[] {
  const all = [
    { freshness: 'LIVE', range: { $gt: edges.stale } },
    { freshness: 'STALE', range: { $gt: edges.offline, $lte: edges.stale } },
    { freshness: 'OFFLINE', range: { $lte: edges.offline } },
  ] as const;
  return all.filter(({ freshness }) => wanted.includes(freshness)).map(({ range }) => range);
}
