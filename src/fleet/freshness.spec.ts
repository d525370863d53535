import { describe, expect, it } from 'vitest';
import { carQuery } from './car-filter.js';
import { freshnessEdges, freshnessOf } from './freshness.js';

const NOW = 1_000_000;
const edges = freshnessEdges(NOW, { staleAfter: 60_000, offlineAfter: 600_000 });

describe('freshnessOf', () => {
  it.each([
    [0, 'LIVE'],
    [59_999, 'LIVE'],
    [60_000, 'STALE'],
    [599_999, 'STALE'],
    [600_000, 'OFFLINE'],
    [-5_000, 'LIVE'],
  ] as const)('%d ms ago is %s', (ago, expected) => {
    expect(freshnessOf(new Date(NOW - ago), edges)).toBe(expected);
  });
});

describe('carQuery', () => {
  it('is empty for no filter, and for one that names everything', () => {
    expect(carQuery({ within: null }, edges)).toEqual({});
    expect(carQuery({ within: null, status: null, freshness: ['OFFLINE', 'LIVE', 'STALE'] }, edges)).toEqual({});
  });

  it('finds nothing for an empty list', () => {
    expect(carQuery({ within: null, freshness: [] }, edges)).toEqual({ _id: { $in: [] } });
    expect(carQuery({ within: null, status: [] }, edges)).toEqual({ status: { $in: [] } });
  });

  it('bounds the time that a car was last seen as freshnessOf does', () => {
    expect(carQuery({ within: null, freshness: ['STALE'] }, edges)).toEqual({
      lastSeenAt: { $gt: edges.offline, $lte: edges.stale },
    });
    expect(carQuery({ within: null, status: ['NORMAL'], freshness: ['LIVE', 'OFFLINE'] }, edges)).toEqual({
      $and: [
        { status: { $in: ['NORMAL'] } },
        { $or: [{ lastSeenAt: { $gt: edges.stale } }, { lastSeenAt: { $lte: edges.offline } }] },
      ],
    });
  });
});
