import { describe, expect, it } from 'vitest';
import { pack, packedLength, unpack } from './sequence-memory.js';
import { seeded } from './seeded.js';

const LIMIT = 6;

function roundTrip(values: readonly number[]): { packed: number[]; back: number[] } {
  const packed: number[] = [];
  pack(values.length, LIMIT, (place) => values[place] ?? NaN, packed);
  const out = new Float32Array(values.length + 1);
  unpack([NaN, ...packed], 1, values.length, LIMIT, out, 1);
  return { packed, back: [...out.subarray(1)] };
}

describe('what a sequence model remembers of a reading', () => {
  it.each([1, 3, 4, 5, 16, 36])(
    'holds %i values in a quarter as many whole numbers, each to a 4,094th of the range',
    (width) => {
      const random = seeded(width);
      for (let round = 0; round < 200; round++) {
        const values = Array.from({ length: width }, () => (2 * random() - 1) * LIMIT);
        const { packed, back } = roundTrip(values);
        expect(packed).toHaveLength(packedLength(width));
        expect(packed.every(Number.isSafeInteger)).toBe(true);
        back.forEach((value, place) =>
          expect(Math.abs(value - (values[place] ?? NaN))).toBeLessThan(LIMIT / 4_094 + 1e-6),
        );
      }
    },
  );

  it('tells what is missing, which the network is given as the mean, and cuts what lies beyond the limit', () => {
    const { packed, back } = roundTrip([NaN, 9, -Infinity, -LIMIT, LIMIT]);
    expect(back).toEqual([0, LIMIT, -LIMIT, -LIMIT, LIMIT]);
    expect(packed.every(Number.isSafeInteger)).toBe(true);
  });
});
