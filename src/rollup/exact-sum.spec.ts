import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactSum } from './exact-sum.js';

const sumOf = (values: readonly number[]) => {
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  return sum.value;
};

describe('ExactSum', () => {
  it('is the same in any order', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), { maxLength: 40 });
    fc.assert(
      fc.property(values, (list) => {
        expect(sumOf([...list].reverse())).toBe(sumOf(list));
        expect(sumOf([...list].sort((one, other) => one - other))).toBe(sumOf(list));
      }),
    );
  });

  it('loses nothing on the way', () => {
    expect(sumOf([1e100, 1, -1e100])).toBe(1);
    expect(sumOf(Array.from({ length: 10 }, () => 0.1))).toBe(1);
    expect(sumOf([])).toBe(0);
  });

  it('rounds a tie by what lies below it', () => {
    expect(sumOf([1e16, 1, 1e-16])).toBe(10_000_000_000_000_002);
    expect(sumOf([1e16, 1, -1e-16])).toBe(1e16);
  });
});
