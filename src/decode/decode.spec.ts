import { describe, expect, it } from 'vitest';
import { createDecoder } from './decode.js';

const decoder = createDecoder({ format: 'auto', maxBody: 262_144, clockAhead: 300_000 });
const NOW = 1_700_000_000_000;

async function decodeOne(body: string | Buffer | null, key: string | null = 'car1') {
  const record = {
    key: key === null ? null : Buffer.from(key),
    value: body === null ? null : Buffer.from(body),
    timestamp: NOW,
    headers: {},
  };
  const [one] = await decoder.decode([record]);
  return one?.decoded;
}

describe('decode', () => {
  it('takes a signal, and null for the others', async () => {
    const decoded = await decodeOne('{"speed":12.5,"tire_pressure_1_1":30}', 'vehicles/sensor/data/car1');
    expect(decoded).toMatchObject({
      kind: 'reading',
      reading: {
        car: 'car1',
        at: NOW,
        skewedAt: null,
        label: null,
        signals: { speed: 12.5, tirePressure11: 30, coolantTemp: null },
      },
    });
  });

  it.each([
    ['ERROR', 'ERROR_LITERAL'],
    ['{"speed":"12"}', 'WRONG_TYPE'],
    ['{"speed":1e999}', 'NOT_FINITE'],
    ['{"speed":1,"speed":1}', 'DUPLICATE_KEY'],
    ['{"speed":1,"__proto__":{}}', 'FORBIDDEN_KEY'],
    [null, 'TOMBSTONE'],
  ])('rejects %s: %s', async (body, reason) => {
    expect(await decodeOne(body)).toMatchObject({ kind: 'rejected', stage: 'decode', reason, car: 'car1' });
  });
});
