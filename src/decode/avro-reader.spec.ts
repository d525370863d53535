import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { avroReader, type AvroReader } from './avro-reader.js';
import { Refusal } from './rejection.js';

const ENVELOPE = { car: 'car1', recordTime: 1_700_000_000_000, clockAhead: 300_000 };

function readerFor(schema: unknown): AvroReader {
  const reader = avroReader(schema);
  if (reader instanceof Refusal) throw new Error(reader.detail);
  return reader;
}

function record(...fields: object[]) {
  return { type: 'record', name: 'R', fields: [{ name: 'speed', type: 'double' }, ...fields] };
}

function read(schema: object, value: unknown) {
  const bytes = avro.Type.forSchema(structuredClone(schema) as avro.Schema, { wrapUnions: true }).toBuffer(value);
  return readerFor(schema).read(bytes, 0, ENVELOPE);
}

const LIST = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] };
const SPEED = Buffer.alloc(8);

describe('what is read', () => {
  it('steps over fields of every type that it has no use for', () => {
    const schema = record(
      { name: 'a', type: { type: 'array', items: ['null', 'string', { type: 'fixed', name: 'F', size: 3 }] } },
      { name: 'm', type: { type: 'map', values: { type: 'array', items: 'long' } } },
      { name: 'n', type: LIST },
      { name: 'b', type: 'bytes' },
      { name: 'e', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } },
      { name: 'u', type: ['int', 'long', 'float', 'boolean'] },
      { name: 'CURRENT_DRAW', type: ['null', 'long'] },
    );
    const value = {
      speed: 3,
      a: [null, { string: 'é'.repeat(500) }, { F: Buffer.from('abc') }],
      m: { x: [1, -2, 2 ** 50], y: [] },
      n: { next: { Node: { next: null } } },
      b: Buffer.alloc(1_000),
      e: 'Y',
      u: { long: -(2 ** 40) },
      CURRENT_DRAW: { long: -77 },
    };
    expect(read(schema, value)).toMatchObject({
      car: 'car1',
      signals: { speed: 3, currentDraw: -77, throttlePos: null },
    });
  });

  it('does not mind defaults that fit no reader', () => {
    const schema = record({ name: 'throttlePos', type: ['double', 'null'], default: null });
    expect(readerFor(schema).read(Buffer.alloc(17), 0, ENVELOPE)).toMatchObject({ signals: { throttlePos: 0 } });
  });

  it('takes times of every length, beyond 2^53 too', () => {
    const schema = record({ name: 'timestamp', type: 'long' });
    // 1_699_999_999_123_456_789 ns as a zigzag varint.
    const bytes = Buffer.concat([SPEED, zigzag(1_699_999_999_123_456_789n)]);
    expect(readerFor(schema).read(bytes, 0, ENVELOPE)).toMatchObject({ at: 1_699_999_999_123 });
  });

  it('takes a label from an enum, a string or a boolean', () => {
    const symbols = { type: 'enum', name: 'E', symbols: ['FALSE', 'TRUE'] };
    for (const [type, value] of [
      [symbols, 'TRUE'],
      ['string', 'true'],
      ['boolean', true],
    ] as const)
      expect(read(record({ name: 'FAILURE_OCCURRED', type }), { speed: 1, FAILURE_OCCURRED: value })).toMatchObject({
        label: true,
      });
  });
});

describe('what is refused', () => {
  it.each([
    ['is cut short', record(), Buffer.alloc(7), 'INVALID_AVRO'],
    ['goes on', record(), Buffer.alloc(9), 'INVALID_AVRO'],
    ['is NaN', record(), double(Number.NaN), 'NOT_FINITE'],
    ['is infinite', record(), double(-Infinity), 'NOT_FINITE'],
    ['has a boolean of 2', record({ name: 'x', type: 'boolean' }), bytes(SPEED, 2), 'INVALID_AVRO'],
    ['has an int of 2^31', record({ name: 'x', type: 'int' }), bytes(SPEED, zigzag(2n ** 31n)), 'INVALID_AVRO'],
    [
      'has a number without end',
      record({ name: 'x', type: 'long' }),
      bytes(SPEED, Buffer.alloc(11, 0xff)),
      'INVALID_AVRO',
    ],
    [
      'has a text of 2^40 bytes',
      record({ name: 'x', type: 'string' }),
      bytes(SPEED, zigzag(2n ** 40n)),
      'INVALID_AVRO',
    ],
    ['has a text of -9 bytes', record({ name: 'x', type: 'string' }), bytes(SPEED, zigzag(-9n)), 'INVALID_AVRO'],
    [
      'has 2^50 nulls',
      record({ name: 'x', type: { type: 'array', items: 'null' } }),
      bytes(SPEED, zigzag(2n ** 50n), 0),
      'INVALID_AVRO',
    ],
    [
      'has 2^50 entries',
      record({ name: 'x', type: { type: 'map', values: 'int' } }),
      bytes(SPEED, zigzag(-(2n ** 50n)), 2, 0),
      'INVALID_AVRO',
    ],
    ['has no such branch', record({ name: 'x', type: ['null', 'int'] }), bytes(SPEED, 4), 'INVALID_AVRO'],
    ['has a branch of -1', record({ name: 'x', type: ['null', 'int'] }), bytes(SPEED, 1), 'INVALID_AVRO'],
    [
      'has no such symbol',
      record({ name: 'x', type: { type: 'enum', name: 'E', symbols: ['X'] } }),
      bytes(SPEED, 2),
      'INVALID_AVRO',
    ],
    ['goes deep', record({ name: 'x', type: LIST }), bytes(SPEED, Buffer.alloc(100_000, 2)), 'INVALID_AVRO'],
    ['has a signal in bytes', record({ name: 'throttlePos', type: 'bytes' }), bytes(SPEED, 0), 'WRONG_TYPE'],
    ['has a signal in text', record({ name: 'throttlePos', type: 'string' }), bytes(SPEED, 2, 0x31), 'WRONG_TYPE'],
    [
      'says a signal in two ways',
      record({ name: 'SPEED', type: 'double' }),
      bytes(SPEED, double(1)),
      'CONFLICTING_VALUES',
    ],
  ])('a body that %s', (_, schema, body, reason) => {
    expect(readerFor(schema).read(body, 0, ENVELOPE)).toMatchObject({ reason });
  });

  it.each([
    ['no schema', { type: 'recrod' }],
    ['null', null],
    ['a number', 'double'],
    ['an unknown type', record({ name: 'x', type: 'Y' })],
  ])('a schema that is %s', (_, schema) => {
    expect(avroReader(schema)).toMatchObject({ reason: 'UNUSABLE_SCHEMA' });
  });
});

function bytes(...parts: (Buffer | number)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
}

function double(value: number): Buffer {
  const eight = Buffer.alloc(8);
  eight.writeDoubleLE(value);
  return eight;
}

function zigzag(value: bigint): Buffer {
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const out: number[] = [];
  for (; left >= 0x80n; left >>= 7n) out.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(left)]);
}
