import type { Collections } from '../twin/collections.js';
import type { Twin } from '../twin/documents.js';

type Readings = Collections['readings'];

/** What counting goes by. */
export interface CountOptions {
  /** See `PastOptions` */
  readonly keptSince: number | null;
  /** ms for each command */
  readonly maxTimeMS: number;
}

/**
 * How many readings of a car there were up to an instant, and how many of them were late. It costs an index entry for each
 * of them, so it is asked apart from the state.
 *
 * Where rows are gone already, what came since is taken from all that were ever counted.
 */
export async function countersAt(
  { readings }: Pick<Collections, 'readings'>,
  { _id: car, firstSeenAt, counters }: Pick<Twin, '_id' | 'firstSeenAt' | 'counters'>,
  at: Date,
  { keptSince, maxTimeMS }: CountOptions,
): Promise<{ readings: number; late: number }> {
  const cut = keptSince !== null && firstSeenAt.getTime() < keptSince;
  const end = new Date(at.getTime() + 1);
  const range = cut ? { $gte: end } : { $gte: firstSeenAt, $lt: end };
  const [all, late] = await Promise.all([
    readings.countDocuments({ car, at: range }, { maxTimeMS }),
    readings.countDocuments({ late: true, car, at: range }, { maxTimeMS }),
  ]);
  if (!cut) return { readings: all, late };
  return { readings: Math.max(0, counters.readings - all), late: Math.max(0, counters.late - late) };
}

/** Readings of a car behind `from`, up to `to`. */
export function readingsBetween(
  { readings }: { readonly readings: Readings },
  car: string,
  { from, to }: { readonly from: Date; readonly to: Date },
  maxTimeMS: number,
): Promise<number> {
  const range = { $gte: new Date(from.getTime() + 1), $lt: new Date(to.getTime() + 1) };
  return readings.countDocuments({ car, at: range }, { maxTimeMS });
}
