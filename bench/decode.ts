import avro from 'avsc';
import { readFileSync } from 'node:fs';
import { createDecoder, type SensorRecord } from '../src/decode/decode.js';
import { SIGNALS } from '../src/telemetry/signals.js';

/**
 * Microseconds of processor time (that of the garbage collector included) for decoding one message, per format: the
 * median of the rounds, in batches as Kafka brings them. The values differ from message to message, so that nothing is answered from a cache that life does not have.
 *
 *     node dist/bench/decode.js [messages] [rounds]
 */
const [messages = 50_000, rounds = 9] = process.argv.slice(2).map(Number);
const BATCH = 1_000;
const NOW = 1_700_000_000_000;
const decoder = createDecoder({ format: 'auto', maxBody: 262_144, clockAhead: 300_000 });
const canonical = avro.Type.forSchema(schema('car-reading'));
const older = avro.Type.forSchema(schema('car-data-v1'));

await measure('JSON, 18 signals', (fields) => Buffer.from(JSON.stringify(fields)));
await measure('JSON, with car, time and label', (fields) =>
  Buffer.from(JSON.stringify({ car: 'car1', timestamp: NOW, failure_occurred: 'false', ...fields })),
);
await measure('JSON, ISO 8601 and fields of no use', (fields) =>
  Buffer.from(JSON.stringify({ ...fields, time: new Date(NOW).toISOString(), position: { lat: 48.1, lon: 11.5 } })),
);
await measure('Avro, framed, car-reading', (fields) =>
  framed(2, canonical.toBuffer({ car: 'car1', timestamp: NOW, failure_occurred: false, ...fields })),
);
await measure('Avro, framed, car-data-v1', (fields) => framed(1, older.toBuffer(withUnderscores(fields))));

async function measure(name: string, encode: (fields: Record<string, number>) => Buffer): Promise<void> {
  const records = Array.from({ length: messages }, (_, place) => recordOf(encode(fieldsOf(place))));
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = process.cpuUsage();
    await decodeAll(records);
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / messages);
  }
  times.sort((one, other) => one - other);
  const bytes = Math.round(records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) / messages);
  const [best = 0, median = 0] = [times[0], times[rounds >> 1]];
  console.log(`${name.padEnd(36)} ${bytes} bytes  ${median.toFixed(2)} µs (best ${best.toFixed(2)})`);
}

async function decodeAll(records: readonly SensorRecord[]): Promise<void> {
  for (let start = 0; start < records.length; start += BATCH) {
    const decoded = await decoder.decode(records.slice(start, start + BATCH));
    const bad = decoded.find((one) => one.decoded.kind === 'rejected');
    if (bad) throw new Error(JSON.stringify(bad.decoded));
  }
}

function recordOf(value: Buffer): SensorRecord {
  const headers = { 'mqtt-topic': Buffer.from('vehicles/sensor/data/car1') };
  return { key: Buffer.from('car1'), value, timestamp: NOW, headers };
}

function fieldsOf(place: number): Record<string, number> {
  const value = (signal: number) => Math.fround(((place * 31 + signal * 7_919) % 10_007) / 97);
  return Object.fromEntries(
    SIGNALS.map(({ wire }, signal) => [wire, /tire|firmware/.test(wire) ? 30 + (place % 5) : value(signal)]),
  );
}

function withUnderscores(fields: Record<string, number>): Record<string, number> {
  const renamed = Object.entries(fields).map(([name, value]) => [name.replace(/_(\d)(\d)/, '_$1_$2'), value] as const);
  return Object.fromEntries(renamed);
}

function framed(id: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, id]), bytes]);
}

/** The folder of the project is where this is started. */
function schema(name: string): avro.Schema {
  return JSON.parse(readFileSync(`schemas/${name}.avsc`, 'utf8')) as avro.Schema;
}
