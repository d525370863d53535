import type { Source } from '../../history/aggregate.js';

/** What the history is kept by. */
export interface KeptTools {
  /** How long each is kept, ms; null for ever. */
  readonly retention: Readonly<Record<Source, number | null>>;
  readonly clock: () => number;
}

export const KEPT_TOOLS = Symbol('KeptTools');

export const KEPT_SINCE =
  'Before it, what the answer was made from is no longer kept, and may be missing from it; null where all of the range is kept.';

/** @param firstSeenAt before it there was nothing that could be missing */
export function missingBefore(
  { retention, clock }: KeptTools,
  source: Source,
  { from, to }: { readonly from: Date; readonly to: Date },
  firstSeenAt: Date,
): Date | null {
  const kept = retention[source];
  if (kept === null) return null;
  const since = new Date(clock() - kept);
  const begin = from < firstSeenAt ? firstSeenAt : from;
  return begin < since && begin < to ? since : null;
}
