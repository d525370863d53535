import { describe, expect, it } from 'vitest';
import { difference, wilson } from './intervals.js';

describe('wilson', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('is as published for %i of %i', (count, of, low, high) => {
    const [lower, upper] = wilson(count, of);
    expect(lower).toBeCloseTo(low, 4);
    expect(upper).toBeCloseTo(high, 4);
  });

  it('ends at the share where that is 0 or 1', () => {
    for (let whole = 1; whole < 100; whole += 1) expect([wilson(0, whole)[0], wilson(whole, whole)[1]]).toEqual([0, 1]);
  });

  it('knows nothing of nothing', () => {
    expect(wilson(0, 0)).toEqual([0, 1]);
  });
});

describe('difference', () => {
  it('has an interval about the difference of the means', () => {
    const found = difference({ count: 100, mean: 10, deviation: 3 }, { count: 100, mean: 12, deviation: 4 });
    expect(found?.value).toBe(2);
    expect(found?.interval?.[0]).toBeCloseTo(2 - 1.959964 * 0.5, 6);
    expect(found?.interval?.[1]).toBeCloseTo(2 + 1.959964 * 0.5, 6);
  });

  it('of large values has no squares that are beyond all numbers', () => {
    const large = { count: 4, mean: 0, deviation: 1e200 };
    const found = difference(large, large);
    expect((found?.interval?.[1] ?? 0) / 1e200).toBeCloseTo(1.959964 / Math.SQRT2, 6);
    expect(difference(large, { ...large, mean: 5, deviation: null })).toEqual({ value: 5, interval: null });
    expect(difference({ ...large, mean: -1.7e308 }, { ...large, mean: 1.7e308 })).toBeNull();
  });

  it('is unknown of a single car', () => {
    expect(difference({ count: 1, mean: 1, deviation: null }, { count: 9, mean: 1, deviation: 1 })).toBeNull();
  });
});
