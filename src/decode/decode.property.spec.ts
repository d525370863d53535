import avro from 'avsc';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixture, GOOD_MESSAGES } from '../../test/fixtures/messages/good.js';
import { SIGNALS, type SignalName, type Signals } from '../telemetry/signals.js';
import { createDecoder } from './decode.js';
import { type Decoded, REJECTION_REASONS } from './rejection.js';

const NOW = 1_700_000_000_000;
const SETTINGS = { maxBody: 262_144, clockAhead: 300_000 } as const;
const auto = createDecoder({ format: 'auto', ...SETTINGS });
const plain = createDecoder({ format: 'avro', ...SETTINGS });
const RUNS = { numRuns: 500 };

async function decodeOne(
  value: Buffer | null,
  decoder = auto,
  key: Buffer | null = Buffer.from('car1'),
): Promise<Decoded> {
  const [one] = await decoder.decode([{ key, value, timestamp: NOW, headers: {} }]);
  if (!one) throw new Error('no answer');
  return one.decoded;
}

/** Whatever a decoder says has to be one of the two, complete and within bounds. */
function check(decoded: Decoded): void {
  if (decoded.kind === 'rejected') {
    expect(REJECTION_REASONS).toContain(decoded.reason);
    expect(decoded.detail.length).toBeLessThan(160);
    return;
  }
  const { signals, at } = decoded.reading;
  expect(Object.keys(signals)).toEqual(SIGNALS.map(({ name }) => name));
  const values = Object.values(signals);
  expect(values.every((value) => value === null || (Number.isFinite(value) && !Object.is(value, -0)))).toBe(true);
  expect(values.some((value) => value !== null)).toBe(true);
  expect(Number.isSafeInteger(at)).toBe(true);
}

const anySignals = fc
  .tuple(...SIGNALS.map(() => fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }))))
  .map((values) => SIGNALS.map(({ wire, name }, place) => ({ wire, name, value: values[place] ?? null })))
  .filter((all) => all.some(({ value }) => value !== null));
type Sent = { wire: string; name: SignalName; value: number | null };

/** Every way in which producers are known to write a name, starting from the canonical `tire_pressure_11`. */
const SPELLINGS: ((wire: string) => string)[] = [
  (wire) => wire,
  (wire) => wire.replace(/_(\d)(\d)/, '_$1_$2'),
  (wire) => wire.replace(/_(\d\d)/, '$1'),
  (wire) => wire.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  (wire) => wire.replace(/_value$/, ''),
  (wire) => wire.toUpperCase(),
  (wire) => wire.replaceAll('_', '').toLowerCase(),
];

function expected(sent: readonly Sent[]): Signals {
  return Object.fromEntries(sent.map(({ name, value }) => [name, value === null ? null : value + 0])) as Signals;
}

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

describe('whatever comes, decode answers', () => {
  it('to any bytes, under any key', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.option(anyBytes), async (bytes, key) => {
        check(await decodeOne(bytes, auto, key));
        check(await decodeOne(bytes, plain));
      }),
      RUNS,
    );
  });

  it('to any bytes in a frame', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.constantFrom(1, 2), async (bytes, id) => {
        check(await decodeOne(Buffer.concat([Buffer.from([0, 0, 0, 0, id]), bytes])));
      }),
      RUNS,
    );
  });

  it('to good messages with a few bytes changed', async () => {
    const change = fc.tuple(fc.nat(1_200), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...GOOD_MESSAGES),
        fc.array(change, { maxLength: 4 }),
        async ({ value }, changes) => {
          const bytes = Buffer.from(value);
          for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
          check(await decodeOne(bytes));
          check(await decodeOne(bytes, plain));
        },
      ),
      RUNS,
    );
  });

  it('to any JSON, and to any object that has names of ours', async () => {
    const ours = fc.constantFrom('speed', 'SPEED', 'timestamp', 'time', 'car', 'failure_occurred', 'throttlePos');
    const object = fc.dictionary(ours, fc.oneof(fc.jsonValue(), fc.double(), fc.constant('car1')));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), object), async (value) => {
        check(await decodeOne(Buffer.from(JSON.stringify(value))));
      }),
      RUNS,
    );
  });
});

describe('whatever was sent is what is read', () => {
  it('in JSON, in any spelling', async () => {
    await fc.assert(
      fc.asyncProperty(anySignals, fc.constantFrom(...SPELLINGS), async (sent, spell) => {
        const body = `{${sent.map(({ wire, value }) => `"${spell(wire)}":${jsonNumber(value)}`).join(',')}}`;
        expect(await decodeOne(Buffer.from(body))).toMatchObject({ reading: { signals: expected(sent) } });
      }),
      RUNS,
    );
  });

  it('in Avro as it is written by avsc', async () => {
    const type = avro.Type.forSchema(JSON.parse(fixture('../../../schemas/car-reading.avsc').toString()));
    await fc.assert(
      fc.asyncProperty(
        anySignals,
        fc.option(fc.nat(4_000_000_000)),
        fc.option(fc.boolean()),
        async (sent, seconds, label) => {
          const fields = Object.fromEntries(sent.map(({ wire, value }) => [wire, value]));
          const timestamp = seconds === null ? null : 100_000_000_000 + seconds;
          const bytes = type.toBuffer({ car: 'car1', timestamp, failure_occurred: label, ...fields });
          const reading = { car: 'car1', at: timestamp ?? NOW, skewedAt: null, label, signals: expected(sent) };
          expect(await decodeOne(bytes, plain)).toEqual({ kind: 'reading', reading });
          const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), bytes]);
          expect(await decodeOne(framed)).toEqual({ kind: 'reading', reading });
        },
      ),
      RUNS,
    );
  });

  it('and a message is read the same way twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        expect(await decodeOne(Buffer.from(bytes))).toEqual(await decodeOne(bytes));
      }),
      RUNS,
    );
  });
});

/** JSON.stringify writes -0 as 0. */
function jsonNumber(value: number | null): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}
