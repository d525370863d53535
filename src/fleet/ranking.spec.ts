import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Direction, type Place, behind, firstBehind } from './ranking.js';

describe('behind', () => {
  it('puts cars without a score last in falling and first in rising order', () => {
    const scored = { value: 2, id: 'b' };
    const unscored = { value: null, id: 'b' };
    expect(behind(scored, { by: 'SCORE', direction: 'DESC' })).toEqual({
      $or: [{ 'score.ratio': 2, _id: { $gt: 'b' } }, { 'score.ratio': { $lt: 2 } }, { 'score.ratio': null }],
    });
    expect(behind(scored, { by: 'SCORE', direction: 'ASC' })).toEqual({
      $or: [{ 'score.ratio': 2, _id: { $gt: 'b' } }, { 'score.ratio': { $gt: 2 } }],
    });
    expect(behind(unscored, { by: 'SCORE', direction: 'DESC' })).toEqual({ 'score.ratio': null, _id: { $gt: 'b' } });
    expect(behind(unscored, { by: 'SCORE', direction: 'ASC' })).toEqual({
      $or: [{ 'score.ratio': null, _id: { $gt: 'b' } }, { 'score.ratio': { $ne: null } }],
    });
  });

  it('compares times as times', () => {
    expect(behind({ value: 5, id: 'b' }, { by: 'LAST_SEEN', direction: 'ASC' })).toEqual({
      $or: [{ lastSeenAt: new Date(5), _id: { $gt: 'b' } }, { lastSeenAt: { $gt: new Date(5) } }],
    });
  });
});

describe('firstBehind', () => {
  const place = fc.record({
    value: fc.option(fc.integer({ min: 0, max: 5 }), { nil: null }),
    id: fc.string({ minLength: 1, maxLength: 2 }),
  });

  it('parts a ranking where a reader stood', () => {
    fc.assert(
      fc.property(fc.array(place), place, fc.constantFrom<Direction>('ASC', 'DESC'), (places, reader, direction) => {
        const order = (a: Place, b: Place) => {
          const [left, right] = [a.value ?? -1, b.value ?? -1];
          const byValue = direction === 'ASC' ? left - right : right - left;
          return byValue || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
        };
        const sorted = places.toSorted(order);
        const index = firstBehind(sorted, reader, { by: 'SCORE', direction });
        expect(sorted.slice(0, index).every((each) => order(each, reader) <= 0)).toBe(true);
        expect(sorted.slice(index).every((each) => order(each, reader) > 0)).toBe(true);
      }),
    );
  });
});
