import { existsSync, readFileSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { createDecoder } from './decode.js';
import { avroReader } from './avro-reader.js';
import { Refusal } from './rejection.js';

/** Messages and schemas of other producers, which are not part of the project; skipped where they are not at hand. */
const FOLDER = new URL('../../../shared/data/', import.meta.url);
const there = existsSync(FOLDER);
if (!there) console.warn(`skipped: messages of other producers (there is no ${FOLDER.pathname})`);
const decoder = createDecoder({ format: 'auto', maxBody: 262_144, clockAhead: 300_000 });
const ENVELOPE = { car: 'car1', recordTime: 1_700_000_000_000, clockAhead: 300_000 };

function read(file: string): string {
  return readFileSync(new URL(file, FOLDER), 'utf8');
}

function values(file: string): Record<string, number>[] {
  const lines = read(file).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Record<string, number>);
}

describe.skipIf(!there)('messages of other producers', () => {
  it('each signal in two spellings at once', async () => {
    const lines = read('cardata-sample-old-format.jsonl').split('\n').filter(Boolean);
    const records = lines.map((line) => ({
      key: Buffer.from('car1'),
      value: Buffer.from(line),
      timestamp: 0,
      headers: {},
    }));
    const decoded = await decoder.decode(records);
    const sent = values('cardata-sample-old-format.jsonl');
    expect(decoded.length).toBeGreaterThan(0);
    for (const [place, { decoded: one }] of decoded.entries()) {
      if (one.kind !== 'reading') throw new Error(one.detail);
      const { speed, tirePressure22, accelerometer11 } = one.reading.signals;
      const line = sent[place];
      expect([speed, tirePressure22, accelerometer11]).toEqual([
        line?.['speed'],
        line?.['tire_pressure_2_2'],
        line?.['accelerometer_1_1_value'],
      ]);
      expect(Object.values(one.reading.signals)).not.toContain(null);
    }
  });

  it.each(['cardata-v1.avsc', 'cardata-v1-ksql.avsc'])('the schema %s', (file) => {
    const type = avro.Type.forSchema(JSON.parse(read(file))) as avro.types.RecordType;
    const reader = avroReader(JSON.parse(read(file)));
    if (reader instanceof Refusal) throw new Error(reader.detail);
    const sent = Object.fromEntries(
      type.fields.map(({ name }, place) => [name, /failure/i.test(name) ? 'true' : place + 1]),
    );
    const reading = reader.read(type.toBuffer(sent), 0, ENVELOPE);
    if (reading instanceof Refusal) throw new Error(reading.detail);
    expect(Object.values(reading.signals)).toEqual(Array.from({ length: 18 }, (_, place) => place + 1));
    expect(reading.label).toBe(file.includes('ksql') ? true : null);
  });

  it('the older schema is the project’s own', () => {
    const own = readFileSync(new URL('../../schemas/car-data-v1.avsc', import.meta.url), 'utf8');
    const [ours, theirs] = [own, read('cardata-v1.avsc')].map((text) => avro.Type.forSchema(JSON.parse(text)));
    expect(ours && theirs?.fingerprint().equals(ours.fingerprint())).toBe(true);
  });
});
