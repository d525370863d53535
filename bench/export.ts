/**
 * What an export costs: rows a second, and the peak memory of the service for few rows and for many.
 *
 *   npm run bench:export -- [--cars 100] [--readings 10000]
 */
import { parseArgs } from 'node:util';
import { startStack } from '../stack/stack.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import { hashSignals } from '../src/telemetry/signals-hash.js';
import { type Database, openDatabase, prepareDatabase } from '../src/twin/database.js';
import type { ReadingDocument } from '../src/twin/documents.js';
import { readingId } from '../src/twin/ids.js';
import { peakMemory, ready, spawnService } from './service-process.js';

const { values } = parseArgs({
  options: { cars: { type: 'string', default: '100' }, readings: { type: 'string', default: '10000' } },
});
const [cars, readings] = [Number(values.cars), Number(values.readings)];
const START = Date.UTC(2026, 0, 1);
const STEP = 1_000;
const AT_ONCE = 5_000;
/** Rows of the small export. */
const FEW = 1_000;

const stack = await startStack({ parts: ['mongodb'], say: (line) => void process.stderr.write(`${line}\n`) });
const name = `bench-export-${process.pid}`;
const database = openDatabase(stack.urls.mongodbUri, name, 'bench');
try {
  await prepareDatabase(database, 0);
  await fill(database);
  process.stdout.write(`${stack.parts.mongodb?.server ?? 'MongoDB'}\n`);
  const few = `?to=${new Date(START + (FEW / cars) * STEP).toISOString()}`;
  for (const format of ['ndjson', 'csv', 'avro'])
    for (const [query, rows] of [
      [few, FEW],
      ['', cars * readings],
    ] as const)
      await exported(format, query, rows);
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

/** One reading a second of each car, as ingest writes them. */
async function fill({ collections }: Database): Promise<void> {
  const ids = new Set<string>();
  let rows: ReadingDocument[] = [];
  let n = 0;
  const messages = cars * readings;
  for (const { car, at, signals } of simulateFleet({
    cars,
    seed: 1,
    start: START,
    stepSeconds: STEP / 1_000,
    messages,
  })) {
    ids.add(car);
    const value = 0.001 * (n % 100);
    rows.push({
      _id: readingId(name, 0, 0, n),
      car,
      at: new Date(at),
      receivedAt: new Date(at),
      hash: hashSignals(signals),
      signals,
      label: null,
      arrival: 'new',
      score: { value, threshold: 0.1, anomalous: false, model: 'm@1', topSignals: [] },
    } as unknown as ReadingDocument);
    n += 1;
    if (rows.length < AT_ONCE && n < messages) continue;
    await collections.readings.insertMany(rows, { ordered: false });
    rows = [];
  }
  const seen = { revision: 1, status: 'NORMAL', openEpisodes: {}, recent: [], cleared: {}, memory: null, score: null };
  const reported = { at: new Date(START), receivedAt: new Date(START), hash: 0, signals: {} };
  const times = { firstSeenAt: new Date(START), lastSeenAt: new Date(START + readings * STEP) };
  const counters = { readings };
  await collections.twins.insertMany(
    [...ids].map((_id) => ({ _id, ...seen, reported, ...times, counters })) as never[],
  );
}

/** By a process of its own, whose memory was never needed for anything else. */
async function exported(format: string, query: string, rows: number): Promise<void> {
  const api = await spawnService(stack.urls, name, 'api');
  try {
    await ready(api);
    const before = peakMemory(api.process.pid ?? 0);
    const start = performance.now();
    const response = await fetch(`${api.url}/export/history.${format}${query}`);
    let [bytes, lines] = [0, 0];
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines += 1;
    }
    const seconds = (performance.now() - start) / 1_000;
    const found = format === 'csv' ? lines - 1 : lines;
    if (response.status !== 200 || (format !== 'avro' && found !== rows))
      throw new Error(`${format}${query}: status ${response.status}, ${found} rows in place of ${rows}`);
    const peak = peakMemory(api.process.pid ?? 0);
    const told = `${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s`;
    process.stdout.write(`${format}, ${rows} rows: ${told}; peak memory ${peak} MiB, ${before} MiB before\n`);
  } finally {
    await api.stop();
  }
}
