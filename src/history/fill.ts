import type { SignalName } from '../telemetry/signals.js';
import type { Bucket } from './buckets.js';

/** NONE: buckets without readings are left out; NULL: they are there without figures; PREVIOUS, LINEAR: with the mean guessed. */
export const FILLS = ['NONE', 'NULL', 'PREVIOUS', 'LINEAR'] as const;
export type Fill = (typeof FILLS)[number];

export interface FilledBucket extends Bucket {
  /** Whether it had no readings. */
  readonly filled: boolean;
}

/**
 * Adds the buckets that had no readings.
 * @param signals what every bucket has, in this order
 * @param starts of all buckets, rising; ms
 */
export function fill(
  buckets: readonly Bucket[],
  signals: readonly SignalName[],
  starts: readonly number[],
  how: Fill,
): FilledBucket[] {
  const there = buckets.map((bucket) => ({ ...bucket, filled: false }));
  if (how === 'NONE') return there;
  const known = new Map(there.map((bucket) => [bucket.start, bucket]));
  const guessed = signals.map((signal, n) => ({ signal, means: guesses(known, n, starts, how) }));
  return starts.map((start, index) => {
    const bucket = known.get(start);
    if (bucket) return bucket;
    return {
      start,
      readings: 0,
      filled: true,
      signals: guessed.map(({ signal, means }) => ({ ...EMPTY, signal, mean: means[index] ?? null })),
    };
  });
}

const EMPTY = { count: null, min: null, max: null, mean: null, last: null, rate: null, percentiles: null } as const;

/** A mean that there is. */
interface Place {
  readonly start: number;
  readonly mean: number;
}

/** The mean that each start's bucket would have by those before and behind it that have one. */
function guesses(
  known: ReadonlyMap<number, Bucket>,
  n: number,
  starts: readonly number[],
  how: Fill,
): readonly (number | null)[] {
  if (how !== 'PREVIOUS' && how !== 'LINEAR') return [];
  const places = starts.map((start) => {
    const mean = known.get(start)?.signals[n]?.mean ?? null;
    return mean === null ? null : { start, mean };
  });
  const before = lastOf(places);
  if (how === 'PREVIOUS') return before.map((place) => place && place.mean);
  const behind = lastOf(places.toReversed()).toReversed();
  return starts.map((start, index) => between(before[index] ?? null, behind[index] ?? null, start));
}

/** For each, the last one up to it that is there. */
function lastOf(places: readonly (Place | null)[]): (Place | null)[] {
  let last: Place | null = null;
  return places.map((place) => (last = place ?? last));
}

function between(before: Place | null, behind: Place | null, start: number): number | null {
  if (!before || !behind) return null;
  const share = (start - before.start) / (behind.start - before.start);
  const change = behind.mean - before.mean;
  return Number.isFinite(change) ? before.mean + change * share : before.mean * (1 - share) + behind.mean * share;
}
