import { describe, expect, it } from 'vitest';
import { lttb } from './lttb.js';

const peaks = (height: number) =>
  Array.from({ length: 100 }, (_, at) => ({
    at: at * 60_000,
    value: at % 10 === 4 ? (at % 20 === 4 ? 1 : -1) * height : 0,
  }));

describe('largest triangles', () => {
  it.each([1, 1e200, 1.7e308, 5e-324])('keep the peaks, however high they are: %s', (height) => {
    const points = lttb(peaks(height), 12);
    expect(points).toHaveLength(12);
    expect(points.filter(({ value }) => Math.abs(value) === height)).toHaveLength(10);
    expect([points[0]?.at, points.at(-1)?.at]).toEqual([0, 99 * 60_000]);
  });

  it('are not looked for where there is little', () => {
    expect(lttb([], 4)).toEqual([]);
    expect(lttb(peaks(1).slice(0, 4), 4)).toEqual(peaks(1).slice(0, 4));
  });
});
