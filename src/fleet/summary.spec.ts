import { describe, expect, it } from 'vitest';
import { type CountRow, summaryOf } from './summary.js';

const bucketOf = (ratio: number) => Math.floor(100 * Math.log(ratio));
const row = (cars: number, id: Partial<CountRow['_id']>): CountRow => ({
  _id: { status: 'NORMAL', freshness: 'LIVE', bucket: null, ...id },
  cars,
});

describe('summaryOf', () => {
  it('is all zero and without percentiles for no cars', () => {
    expect(summaryOf([])).toEqual({
      cars: 0,
      scored: 0,
      byStatus: { NORMAL: 0, SUSPECT: 0, ANOMALOUS: 0 },
      byFreshness: { LIVE: 0, STALE: 0, OFFLINE: 0 },
      percentiles: [null, null, null, null],
    });
  });

  it('finds percentiles to half a percent, whatever order the buckets come in', () => {
    const ratios = Array.from({ length: 1_000 }, (_, n) => 0.01 * 1.01 ** n);
    const rows = ratios.map((ratio) => row(1, { bucket: bucketOf(ratio), status: 'SUSPECT' })).reverse();
    const { percentiles, scored, byStatus } = summaryOf([...rows, row(5, {})]);
    expect([scored, byStatus.SUSPECT, byStatus.NORMAL]).toEqual([1_000, 1_000, 5]);
    for (const [index, rank] of [500, 900, 950, 990].entries())
      expect((percentiles[index] ?? 0) / (ratios[rank - 1] ?? 1)).toBeCloseTo(1, 1);
  });
});
