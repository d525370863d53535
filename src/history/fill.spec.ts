import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bucket } from './buckets.js';
import { fill, type Fill, FILLS } from './fill.js';

const EMPTY = { count: null, min: null, max: null, mean: null, last: null, rate: null, percentiles: null };
const SIGNALS = ['speed', 'coolantTemp'] as const;
const bucketAt = (start: number, means: readonly (number | null)[]): Bucket => ({
  start,
  readings: 1,
  signals: means.map((mean, n) => ({ ...EMPTY, signal: SIGNALS[n] ?? 'speed', mean })),
});
const meansOf = (buckets: readonly Bucket[], n = 0) => buckets.map(({ signals }) => signals[n]?.mean);

/** What each gap is by definition: looks through all buckets for every one. */
function naive(buckets: readonly Bucket[], start: number, n: number, how: Fill): number | null {
  const mean = ({ signals }: Bucket) => signals[n]?.mean ?? null;
  const before = buckets.findLast((bucket) => bucket.start < start && mean(bucket) !== null);
  const behind = buckets.find((bucket) => bucket.start > start && mean(bucket) !== null);
  const [one, other] = [before && mean(before), behind && mean(behind)];
  if (how === 'PREVIOUS') return one ?? null;
  if (how !== 'LINEAR' || !before || !behind || one == null || other == null) return null;
  return one + (other - one) * ((start - before.start) / (behind.start - before.start));
}

describe('filling', () => {
  const there = [bucketAt(20, [10, null]), bucketAt(30, [null, 5]), bucketAt(50, [40, null])];
  const starts = [10, 20, 30, 40, 50, 60];

  it('guesses the mean of buckets without readings only, from those that have one', () => {
    expect(meansOf(fill(there, SIGNALS, starts, 'LINEAR'))).toEqual([null, 10, null, 30, 40, null]);
    expect(meansOf(fill(there, SIGNALS, starts, 'PREVIOUS'))).toEqual([null, 10, null, 10, 40, 40]);
    expect(meansOf(fill(there, SIGNALS, starts, 'PREVIOUS'), 1)).toEqual([null, null, 5, 5, null, 5]);
    expect(meansOf(fill(there, SIGNALS, starts, 'NULL'))).toEqual([null, 10, null, null, 40, null]);
    expect(fill(there, SIGNALS, starts, 'NONE').map(({ start }) => start)).toEqual([20, 30, 50]);
    expect(fill(there, SIGNALS, starts, 'LINEAR').map(({ filled }) => filled)).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  it('draws a line between means that lie further apart than any number', () => {
    const far = [bucketAt(20, [-1.7e308]), bucketAt(40, [1.7e308])];
    expect(meansOf(fill(far, ['speed'], [20, 30, 40], 'LINEAR'))).toEqual([-1.7e308, 0, 1.7e308]);
  });

  it('gives what looking through all buckets for each gap gives', () => {
    const means = fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { nil: null });
    const rows = fc.array(fc.option(fc.tuple(means, means), { nil: null }), { maxLength: 40 });
    fc.assert(
      fc.property(rows, fc.constantFrom(...FILLS), fc.integer({ min: 1, max: 1e9 }), (given, how, step) => {
        const all = given.map((_, n) => n * step);
        const buckets = given.flatMap((one, n) => (one ? [bucketAt(n * step, one)] : []));
        for (const { start, filled, signals } of fill(buckets, SIGNALS, all, how))
          if (filled)
            expect(signals.map(({ mean }) => mean)).toEqual(signals.map((_, n) => naive(buckets, start, n, how)));
      }),
    );
  });

  it('looks at each bucket a few times, however many gaps there are', () => {
    let looks = 0;
    const counted = (start: number, mean: number | null): Bucket => ({
      start,
      readings: 1,
      signals: [
        {
          ...EMPTY,
          signal: 'speed',
          get mean() {
            looks += 1;
            return mean;
          },
        },
      ],
    });
    const all = Array.from({ length: 2_000 }, (_, n) => n);
    // The next one with a mean is far from every gap.
    const buckets = all.slice(0, 1_000).map((n) => counted(n, n === 0 ? 0 : null));
    expect(fill([...buckets, counted(1_999, 1)], ['speed'], all, 'LINEAR')).toHaveLength(2_000);
    expect(looks).toBeLessThan(5_000);
  });
});
