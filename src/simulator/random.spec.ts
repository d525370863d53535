import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.js';

const COUNT = 2_000;

function draw(random: Random, count = COUNT): number[] {
  return Array.from({ length: count }, () => random.next());
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('Random', () => {
  it('gives the same numbers for the same seed, car and purpose, and others for others', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(1_000_000), (seed, car) => {
        const numbers = draw(new Random(seed, car, 1), 20);
        expect(draw(new Random(seed, car, 1), 20)).toEqual(numbers);
        expect(draw(new Random(seed + 1, car, 1), 20)).not.toEqual(numbers);
        expect(draw(new Random(seed, car + 1, 1), 20)).not.toEqual(numbers);
        expect(draw(new Random(seed, car, 2), 20)).not.toEqual(numbers);
      }),
    );
  });

  it('is uniform in [0,1)', () => {
    const numbers = draw(new Random(1));
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(mean(numbers)).toBeCloseTo(0.5, 1);
    expect(mean(numbers.map((x) => (x - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
  });

  it('is uniform over the first numbers of neighbouring cars, too', () => {
    const firsts = Array.from({ length: COUNT }, (_, car) => new Random(7, car, 1).next());
    const seconds = Array.from({ length: COUNT }, (_, car) => new Random(7, car, 2).next());
    expect(mean(firsts)).toBeCloseTo(0.5, 1);
    expect(mean(firsts.map((x, i) => (x - 0.5) * ((firsts[i + 1] ?? 0.5) - 0.5)))).toBeCloseTo(0, 2);
    expect(mean(firsts.map((x, i) => (x - 0.5) * ((seconds[i] ?? 0.5) - 0.5)))).toBeCloseTo(0, 2);
  });

  it('draws integers with both ends', () => {
    const random = new Random(3);
    const drawn = new Set(Array.from({ length: 300 }, () => random.integer(30, 34)));
    expect(drawn).toEqual(new Set([30, 31, 32, 33, 34]));
  });
});
