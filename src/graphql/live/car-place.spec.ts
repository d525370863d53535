import { Timestamp } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { carCursor, carPlace, sortableTime } from './car-place.js';

const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('places in the changes of cars', () => {
  it.each([null, '82AB01'])('go into a cursor and come out again, with the token %s', (token) => {
    const place = { storeId: 'store', at: '6a1f000000000001', token };
    expect(carPlace(carCursor(place))).toEqual(place);
  });

  it.each([
    ['car-updates', 'store', '6a1f'],
    ['car-updates', 7, '6a1f000000000001'],
    ['car-updates', 'store', '6a1f000000000001', 'xyz'],
    ['car-updates', 'store', '6a1f000000000001', { $gt: '' }],
    ['car-updates', 'store', '6a1f000000000001', 'ab'.repeat(1_001)],
    ['car-updates', 'store', '6a1f000000000001', 'ab', 'ab'],
    ['events', 'store', []],
  ])('refuse %j as a cursor', (...parts) => {
    expect(() => carPlace(cursorOf(parts))).toThrow(expect.objectContaining({ code: 'BAD_CURSOR' }));
  });

  it('keep the time of the store, which sorts as text', () => {
    const times = [
      new Timestamp({ t: 9, i: 700 }),
      new Timestamp({ t: 4_000_000_000, i: 2 }),
      new Timestamp({ t: 4_000_000_000, i: 11 }),
    ];
    const texts = times.map(sortableTime);
    expect(texts.toSorted()).toEqual(texts);
  });
});
