import { describe, expect, it } from 'vitest';
import { BAD_MESSAGES } from '../../test/fixtures/messages/bad.js';
import { EXPECTED_SIGNALS, GOOD_MESSAGES } from '../../test/fixtures/messages/good.js';
import { createDecoder, type SensorRecord } from './decode.js';
import { type Decoded, REJECTION_REASONS } from './rejection.js';

const NOW = 1_700_000_000_000;
const SETTINGS = { maxBody: 262_144, clockAhead: 300_000 } as const;
const auto = createDecoder({ format: 'auto', ...SETTINGS });
const avro = createDecoder({ format: 'avro', ...SETTINGS });

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

function record({ key, value, headers = {} }: Message): SensorRecord {
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
  return { key, value, timestamp: NOW, headers: Object.fromEntries(bytes) };
}

async function decodeOne(message: Message, decoder = auto): Promise<Decoded> {
  const [one] = await decoder.decode([record(message)]);
  if (!one) throw new Error('no answer');
  return one.decoded;
}

function json(body: object | string): Message {
  return { key: Buffer.from('car1'), value: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

describe('golden messages', () => {
  it.each(GOOD_MESSAGES)('$name', async (message) => {
    const reading = { car: 'car1', at: NOW, skewedAt: null, signals: EXPECTED_SIGNALS, label: null };
    expect(await decodeOne(message)).toEqual({ kind: 'reading', reading });
  });

  it.each(BAD_MESSAGES)('$name: $reason', async (message) => {
    const decoded = await decodeOne(message);
    const car = message.reason === 'NO_CAR_ID' ? null : 'car1';
    expect(decoded).toEqual({
      kind: 'rejected',
      stage: 'decode',
      reason: message.reason,
      detail: expect.any(String),
      car,
    });
    expect(decoded.kind === 'rejected' && decoded.detail.length).toBeLessThan(160);
  });

  it('cover every reason that needs no registry', () => {
    const covered = new Set([...BAD_MESSAGES.map(({ reason }) => reason), 'UNUSABLE_SCHEMA']);
    expect([...covered].sort()).toEqual([...REJECTION_REASONS].sort());
  });

  it('keep their order in a batch, and the record that each came from', async () => {
    const records = [...GOOD_MESSAGES, ...BAD_MESSAGES, ...GOOD_MESSAGES].map(record);
    const decoded = await auto.decode(records);
    expect(decoded.map((one) => one.record)).toEqual(records);
    expect(decoded.filter((one) => one.decoded.kind === 'rejected')).toHaveLength(BAD_MESSAGES.length);
  });
});

describe('the format', () => {
  const plain = GOOD_MESSAGES.find(({ name }) => name === 'car-reading.avro');

  it('is plain Avro where the setting says so, and the header says nothing', async () => {
    const { key, value } = plain ?? json({});
    expect(await decodeOne({ key, value }, avro)).toMatchObject({ reading: { signals: EXPECTED_SIGNALS } });
    const odd = { 'content-type': 'text/plain' };
    expect(await decodeOne({ key, value, headers: odd }, avro)).toMatchObject({
      reading: { signals: EXPECTED_SIGNALS },
    });
  });

  it('is what the header says, whatever the setting', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    expect(await decodeOne({ ...json({ speed: 1 }), headers }, avro)).toMatchObject({ kind: 'reading' });
    expect(await decodeOne(json({ speed: 1 }), avro)).toMatchObject({ reason: 'INVALID_AVRO' });
  });
});

describe('signals', () => {
  it('are null when missing or null, if there is one at all', async () => {
    const { kind, ...rest } = await decodeOne(json({ speed: 12.5, coolant_temp: null }));
    expect(kind).toBe('reading');
    expect(rest).toMatchObject({ reading: { signals: { speed: 12.5, coolantTemp: null, throttlePos: null } } });
  });

  it('take the spelling that is not null', async () => {
    const decoded = await decodeOne(json({ tire_pressure_1_1: null, tirePressure11: 30, tire_pressure11: 30 }));
    expect(decoded).toMatchObject({ reading: { signals: { tirePressure11: 30 } } });
  });

  it('have no -0', async () => {
    const decoded = await decodeOne(json('{"speed":-0,"SPEED":0,"current_draw":-0.0}'));
    expect(decoded).toMatchObject({ reading: { signals: { speed: 0, currentDraw: 0 } } });
    if (decoded.kind === 'reading') expect(Object.is(decoded.reading.signals.currentDraw, 0)).toBe(true);
  });
});

describe('the label', () => {
  it.each([
    ['true', true],
    ['False', false],
    [true, true],
    [false, false],
    [null, null],
  ])('%j → %s', async (sent, label) => {
    expect(await decodeOne(json({ speed: 1, failure_occurred: sent }))).toMatchObject({ reading: { label } });
  });
});

describe('the time', () => {
  it.each([
    ['is the record’s when there is none', {}, NOW, null],
    ['is the record’s when it is null', { timestamp: null }, NOW, null],
    ['may be called time, in any case', { TIME: 1_600_000_000 }, 1_600_000_000_000, null],
    ['is the timestamp when there are two', { time: 1, timestamp: 1_600_000_000 }, 1_600_000_000_000, null],
    ['is the time when the timestamp is null', { timestamp: null, time: 1_600_000_000 }, 1_600_000_000_000, null],
    ['may be ahead by clockAhead', { timestamp: NOW + 300_000 }, NOW + 300_000, null],
    ['is the record’s when it is further ahead', { timestamp: NOW + 300_001 }, NOW, NOW + 300_001],
  ])('%s', async (_, fields, at, skewedAt) => {
    expect(await decodeOne(json({ speed: 1, ...fields }))).toMatchObject({ reading: { at, skewedAt } });
  });

  it('is believed when the record has none, and then there has to be one', async () => {
    const timeless = (fields: object) => auto.decode([{ ...record(json({ speed: 1, ...fields })), timestamp: -1 }]);
    expect((await timeless({ time: NOW }))[0]?.decoded).toMatchObject({ reading: { at: NOW, skewedAt: null } });
    expect((await timeless({}))[0]?.decoded).toMatchObject({ reason: 'BAD_TIME' });
  });

  it('may be the last of the year 9999, also the record’s', async () => {
    const latest = 253_402_300_799_999;
    const [one] = await auto.decode([{ ...record(json({ speed: 1 })), timestamp: latest }]);
    expect(one?.decoded).toMatchObject({ reading: { at: latest, skewedAt: null } });
  });

  it.each([253_402_300_800_000, 9e15, Number('9223372036854775807'), Number.NaN])(
    'cannot come with a record of %d, which no date can hold',
    async (timestamp) => {
      const records = [{}, { time: NOW }].map((fields) => ({ ...record(json({ speed: 1, ...fields })), timestamp }));
      const reasons = (await auto.decode(records)).map(({ decoded }) => decoded);
      expect(reasons).toMatchObject([{ reason: 'BAD_TIME' }, { reason: 'BAD_TIME' }]);
    },
  );
});

describe('the car', () => {
  it.each(['car', 'CAR', 'car_id', 'carId', 'CAR_ID'])('may be repeated as %s', async (name) => {
    expect(await decodeOne(json({ speed: 1, [name]: 'car1' }))).toMatchObject({ reading: { car: 'car1' } });
  });

  it('may be a number', async () => {
    const message = { ...json({ speed: 1, car: 17 }), key: Buffer.from('17') };
    expect(await decodeOne(message)).toMatchObject({ reading: { car: '17' } });
  });
});
