import { describe, expect, it } from 'vitest';
import { advanced, eventCursor, eventPlace, headOf, partitionsBehind } from './heads.js';

const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('heads', () => {
  it('know nothing of partitions that they do not name', () => {
    expect(headOf({}, 'constructor')).toBe(0);
    expect(partitionsBehind({ 't/00001': 2 }, { 't/00001': 2, 't/00002': 1 })).toEqual(['t/00002']);
    expect(partitionsBehind(advanced({}, 't/00002', 1), { 't/00002': 1 })).toEqual([]);
  });

  it('go into a cursor and come out again', () => {
    const place = { storeId: 'store', heads: { 'sensor-data/00000': 3, 'sensor-data/00007': 12 }, token: '82AB' };
    expect(eventPlace(eventCursor(place))).toEqual(place);
    expect(eventPlace(eventCursor({ ...place, token: null }))).toEqual({ ...place, token: null });
  });

  it.each([
    ['events', 'store', [['sensor-data/00000', -1]]],
    ['events', 'store', [['sensor-data/00000', 0]]],
    ['events', 'store', [['sensor-data/00000', '1']]],
    ['events', 'store', [['__proto__', 1]]],
    ['events', 'store', [['sensor-data/00000', 1, 2]]],
    ['events', 'store', { 'sensor-data/00000': 1 }],
    ['events', 7, []],
    ['events', 'store', [], 'no hex'],
    ['events', 'store', [], { $gt: '' }],
    ['events', 'store', [], 'ab'.repeat(1_001)],
    ['car-updates', 'store', '0000000000000000'],
  ])('refuse %j as a cursor', (...parts) => {
    expect(() => eventPlace(cursorOf(parts))).toThrow(expect.objectContaining({ code: 'BAD_CURSOR' }));
  });
});
