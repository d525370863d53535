import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coarse, percentileOf } from './fine-bins.js';

const FINE = 200;

/** What the database gives: cars by bin. */
function binned(values: readonly number[]) {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const width = (max - min) / FINE || 1;
  const counts = new Map<number, number>();
  for (const value of values) {
    const bin = Math.min(FINE - 1, Math.floor((value - min) / width));
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return { counts, min, max, width };
}
const values = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('fine bins', () => {
  it('give every percentile to a bin', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, part) => {
        const { counts, ...range } = binned(all);
        const sorted = all.toSorted((a, b) => a - b);
        const rank = part * all.length;
        const exact = sorted[Math.max(0, Math.ceil(rank) - 1)] ?? 0;
        const found = percentileOf(counts, rank, range);
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(range.width + 1e-9);
        expect(found).toBeGreaterThanOrEqual(range.min);
        expect(found).toBeLessThanOrEqual(range.max);
      }),
      { examples: [[[2.6e-322], 0]] },
    );
  });

  it('add up to coarse ones that count every car', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(1, 2, 10, 50), (all, bins) => {
        const { counts, min, width } = binned(all);
        const made = coarse(counts, { min, width }, bins, FINE);
        expect(made).toHaveLength(bins);
        expect(made.reduce((sum, { cars }) => sum + cars, 0)).toBe(all.length);
      }),
    );
  });
});
