import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, isId, isTime } from './cursor.js';
import { pageBounds, timedCursor, timedPlace } from './keyset.js';

const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const refused = expect.objectContaining({ code: 'BAD_CURSOR' });

describe('cursors', () => {
  it('come back as they were made', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e13, max: 1e14 }), fc.string({ minLength: 1, maxLength: 100 }), (at, id) => {
        expect(timedPlace('history', timedCursor('history', { at, id }))).toEqual({ at, id });
      }),
    );
  });

  it('are refused when they are anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue().map(cursorOf)), (text) => {
        expect(() => timedPlace('history', text)).toThrow(refused);
      }),
    );
  });

  it.each([
    ['another field', cursorOf(['anomalies', 1, 'a'])],
    ['an operator', cursorOf(['history', { $gt: 0 }, 'a'])],
    ['a time beyond all dates', cursorOf(['history', 9e15, 'a'])],
    ['a part too many', cursorOf(['history', 1, 'a', 'b'])],
    ['an id without end', cursorOf(['history', 1, 'a'.repeat(401)])],
    ['prototype keys', Buffer.from('{"__proto__":["history",1,"a"]}').toString('base64url')],
    ['nothing', ''],
    ['text without end', 'A'.repeat(70_000)],
  ])('are refused with %s', (_what, text) => {
    expect(() => timedPlace('history', text)).toThrow(refused);
  });

  it('are checked part by part', () => {
    const isPair = (parts: unknown[]): parts is [string] => isId(parts[0]) && !isTime(parts[0]);
    expect(decodeCursor(encodeCursor(['x', 'a']), 'x', isPair)).toEqual(['a']);
  });
});

describe('pageBounds', () => {
  const from = new Date(10);
  const to = new Date(20);
  const inside = { at: 15, id: 'm' };

  it('is the range itself for a first page', () => {
    expect(pageBounds('at', { from, to }, null, false)).toEqual([{ at: { $gte: from, $lt: to } }]);
  });

  it('finishes the instant first, then goes on behind it', () => {
    expect(pageBounds('at', { from, to }, inside, false)).toEqual([
      { at: new Date(15), _id: { $gt: 'm' } },
      { at: { $gt: new Date(15), $lt: to } },
    ]);
    expect(pageBounds('at', { from, to }, inside, true)).toEqual([
      { at: new Date(15), _id: { $lt: 'm' } },
      { at: { $gte: from, $lt: new Date(15) } },
    ]);
  });

  it('stays within the range with a cursor from outside it', () => {
    expect(pageBounds('at', { from, to }, { at: 5, id: 'm' }, false)).toEqual([{ at: { $gte: from, $lt: to } }]);
    expect(pageBounds('at', { from, to }, { at: 25, id: 'm' }, true)).toEqual([{ at: { $gte: from, $lt: to } }]);
  });
});
