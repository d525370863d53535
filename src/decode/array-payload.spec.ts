import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeArray } from './array-payload.js';

const FORMAT = { width: 3, maxBody: 1_000 };
const decoded = (text: string | null, format = FORMAT) =>
  decodeArray(text === null ? null : Buffer.from(text), 5_000, format);
const outcome = (text: string | null) => {
  const one = decoded(text);
  return one.kind === 'array' ? [one.reading.id, ...one.reading.values] : one.reason;
};

describe('decodeArray', () => {
  it.each([
    ['as documented', 'car-7,2.10# 2.13# 2.19', ['car-7', 2.1, 2.13, 2.19]],
    ['without spaces', '99999,2.10#2.13#2.19', ['99999', 2.1, 2.13, 2.19]],
    ['with a hash sign at the end', 'a,1#2#3#', ['a', 1, 2, 3]],
    ['with a line end', 'a,1# 2# 3\r\n', ['a', 1, 2, 3]],
    ['with signs and exponents', ' a , -1e2#+.5# 3.', ['a', -100, 0.5, 3]],
  ])('takes an array %s', (_, text, wanted) => {
    expect(outcome(text)).toEqual(wanted);
  });

  it('gives the record its own time', () => {
    expect(decoded('a,1#2#3')).toMatchObject({ reading: { at: 5_000 } });
  });

  it.each([
    ['nothing', null, 'TOMBSTONE'],
    ['an empty body', '', 'EMPTY'],
    ['white space', ' \n', 'EMPTY'],
    ['an id alone', 'a,', 'EMPTY'],
    ['hash signs alone', 'a,#', 'NOT_A_NUMBER'],
    ['no id', ',1#2#3', 'NO_ID'],
    ['no comma', '1#2#3', 'NO_ID'],
    ['a text', 'hello world', 'NO_ID'],
    ['an id of two words', 'my car,1#2#3', 'BAD_ID'],
    ['an id that is no ASCII', 'é,1#2#3', 'BAD_ID'],
    ['an id of 65 letters', `${'a'.repeat(65)},1#2#3`, 'BAD_ID'],
    ['one number less', 'a,1#2', 'TOO_SHORT'],
    ['one number more', 'a,1#2#3#4', 'TOO_LONG'],
    ['a text among numbers', 'a,1#two#3', 'NOT_A_NUMBER'],
    ['a text for the numbers', 'a,hello', 'NOT_A_NUMBER'],
    ['a gap', 'a,1##3', 'NOT_A_NUMBER'],
    ['commas for hash signs', 'a,1,2,3', 'NOT_A_NUMBER'],
    ['a hexadecimal number', 'a,1#0x10#3', 'NOT_A_NUMBER'],
    ['NaN', 'a,1#NaN#3', 'NOT_FINITE'],
    ['an infinity', 'a,1#-Infinity#3', 'NOT_FINITE'],
    ['a number beyond all', 'a,1#1e999#3', 'NOT_FINITE'],
    ['JSON', '{"id":"a","values":[1,2,3]}', 'BAD_ID'],
    ['more bytes than are taken', `a,${'1#'.repeat(600)}`, 'BODY_TOO_LARGE'],
  ])('rejects %s', (_, text, reason) => {
    expect(outcome(text)).toBe(reason);
  });

  it('gives every array back as it was written', () => {
    // A minus before a zero is not written.
    const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0);
    fc.assert(
      fc.property(fc.array(value, { minLength: 3, maxLength: 3 }), (values) => {
        expect(outcome(`a,${values.join('# ')}`)).toEqual(['a', ...values]);
      }),
    );
  });

  it('says something bounded about any bytes, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const one = decodeArray(Buffer.from(bytes), 0, FORMAT);
        expect(one.kind === 'array' || one.detail.length < 250).toBe(true);
      }),
    );
  });

  it('takes no longer than the body is long', () => {
    const started = performance.now();
    decoded(`a,${'1'.repeat(200_000)}x`, { width: 3, maxBody: 1e6 });
    decoded(`a,${' '.repeat(200_000)}x`, { width: 3, maxBody: 1e6 });
    expect(performance.now() - started).toBeLessThan(500);
  });
});
