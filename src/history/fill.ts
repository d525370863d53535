import type { Bucket, SignalBucket } from './buckets.js';

/** NONE: buckets without readings are left out; NULL: they are there without figures; PREVIOUS, LINEAR: with the mean guessed. */
export const FILLS = ['NONE', 'NULL', 'PREVIOUS', 'LINEAR'] as const;
export type Fill = (typeof FILLS)[number];

export interface FilledBucket extends Bucket {
  /** Whether it had no readings. */
  readonly filled: boolean;
}

/**
 * Adds the buckets that had no readings.
 * @param starts of all buckets, rising; ms
 */
export function fill(buckets: readonly Bucket[], starts: readonly number[], how: Fill): FilledBucket[] {
  const there = buckets.map((bucket) => ({ ...bucket, filled: false }));
  if (how === 'NONE') return there;
  const known = new Map(there.map((bucket) => [bucket.start, bucket]));
  const signals = buckets[0]?.signals ?? [];
  return starts.map((start) => {
    const bucket = known.get(start);
    if (bucket) return bucket;
    return {
      start,
      readings: 0,
      filled: true,
      signals: signals.map(({ signal }, n) => ({ ...EMPTY, signal, mean: guess(there, n, start, how) })),
    };
  });
}

const EMPTY = { count: null, min: null, max: null, mean: null, last: null, rate: null, percentiles: null } as const;

/** From the means of the buckets before and behind that have one. */
function guess(there: readonly FilledBucket[], n: number, start: number, how: Fill): number | null {
  if (how === 'NULL') return null;
  const mean = ({ signals }: FilledBucket) => (signals[n] as SignalBucket).mean;
  const before = there.findLast((bucket) => bucket.start < start && mean(bucket) !== null);
  const value = before ? mean(before) : null;
  if (how === 'PREVIOUS' || !before || value === null) return how === 'PREVIOUS' ? value : null;
  const behind = there.find((bucket) => bucket.start > start && mean(bucket) !== null);
  const next = behind ? mean(behind) : null;
  if (!behind || next === null) return null;
  return value + ((next - value) * (start - before.start)) / (behind.start - before.start);
}
