import type { Collections } from '../twin/collections.js';
import type { Twin } from '../twin/documents.js';
import { FOLDED_FIELDS, type PastReading } from './past-reading.js';

export interface Stretch {
  readonly car: string;
  /** ms, included */
  readonly oldest: number;
  /** ms, included */
  readonly newest: number;
  /** ms; how far the first command goes back */
  readonly span: number;
  /** ms for each command */
  readonly maxTimeMS: number;
}

/** Readings that the first command of a walk should about bring. */
const FIRST_ROWS = 40;
const BATCH = 1_000;

/** Time in which a car usually sends as many readings as a calm car needs, ms. */
export function usualSpan({ firstSeenAt, lastSeenAt, counters }: Twin): number {
  const each = (lastSeenAt.getTime() - firstSeenAt.getTime()) / Math.max(1, counters.readings);
  return Math.max(1_000, Math.ceil(each * FIRST_ROWS));
}

/**
 * A car's rows from the newest back. Each command is bounded at both ends and goes back as far as all before it together:
 * a server that reads the whole of a range before it gives the first row reads at most twice what is needed, and a silence of
 * any length costs a few commands. Rows of one instant are never parted.
 */
export async function* newestFirst(
  { readings }: Pick<Collections, 'readings'>,
  { car, oldest, newest, span, maxTimeMS }: Stretch,
): AsyncGenerator<PastReading, void, undefined> {
  const end = newest + 1;
  for (let to = end, width = span; to > oldest; width = end - to) {
    const from = Math.max(oldest, to - width);
    // Not $lte: `secantusd-py` leaves the bound itself out where the index goes on behind it.
    const range = { car, at: { $gte: new Date(from), $lt: new Date(to) } };
    const options = { projection: FOLDED_FIELDS, maxTimeMS, batchSize: BATCH };
    yield* readings.find(range, options).sort({ car: -1, at: -1, _id: -1 });
    to = from;
  }
}
