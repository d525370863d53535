/**
 * What an export costs: rows a second, and the memory of the service for few rows and for many: its peak, with the garbage that V8 has
 * not yet collected, and in a second run what of it is live.
 *
 *   npm run bench:export -- [--cars 100] [--readings 10000] [--few 1000] [--formats ndjson,csv,avro]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startStack } from '../stack/stack.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import { hashSignals } from '../src/telemetry/signals-hash.js';
import { type Database, openDatabase, prepareDatabase } from '../src/twin/database.js';
import type { ReadingDocument } from '../src/twin/documents.js';
import { readingId } from '../src/twin/ids.js';
import { peakMemory, ready, spawnService } from './service-process.js';

const { values } = parseArgs({
  options: {
    cars: { type: 'string', default: '100' },
    readings: { type: 'string', default: '10000' },
    few: { type: 'string', default: '1000' },
    formats: { type: 'string', default: 'ndjson,csv,avro' },
  },
});
const [cars, readings] = [Number(values.cars), Number(values.readings)];
const START = Date.UTC(2026, 0, 1);
const STEP = 1_000;
const AT_ONCE = 5_000;
/** Rows of the small export, all of one car. */
const few = Math.min(Number(values.few), readings);
/** The small export is over before its memory has been looked at once. */
const FEW_TIMES = 20;

const stack = await startStack({ parts: ['mongodb'], say: (line) => void process.stderr.write(`${line}\n`) });
const name = `bench-export-${process.pid}`;
const database = openDatabase(stack.urls.mongodbUri, name, 'bench');
try {
  await prepareDatabase(database, 0);
  const firstCar = await fill(database);
  process.stdout.write(`${stack.parts.mongodb?.server ?? 'MongoDB'}\n`);
  const fewQuery = `?car=${firstCar}&to=${new Date(START + few * STEP).toISOString()}`;
  for (const format of values.formats.split(','))
    for (const [query, rows, times] of [
      [fewQuery, few, FEW_TIMES],
      ['', cars * readings, 1],
    ] as const) {
      const { told, before, peak } = await exported(format, query, rows);
      const live = await liveHeap(format, query, rows, times);
      process.stdout.write(`${format}, ${rows} rows: ${told}; peak ${peak} MiB, ${before} before; live ${live} MiB\n`);
    }
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

/** One reading a second of each car, as ingest writes them. @returns a car */
async function fill({ collections }: Database): Promise<string> {
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
  return [...ids][0] ?? '';
}

/** By a process of its own, whose memory was never needed for anything else. */
async function exported(format: string, query: string, rows: number, env: Record<string, string> = {}, times = 1) {
  const api = await spawnService(stack.urls, name, 'api', env);
  try {
    await ready(api);
    const before = peakMemory(api.process.pid ?? 0);
    const start = performance.now();
    let bytes = 0;
    for (let n = 0; n < times; n += 1) bytes += await download(`${api.url}/export/history.${format}${query}`, rows);
    const seconds = (performance.now() - start) / 1_000;
    const peak = peakMemory(api.process.pid ?? 0);
    const told = `${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, ${Math.round((rows * times) / seconds)} rows/s`;
    return { told, before, peak };
  } finally {
    await api.stop();
  }
}

/** @returns the most that was live at a time, MiB, by a process that collects its garbage all the time */
async function liveHeap(format: string, query: string, rows: number, times: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'live-heap-'));
  const file = join(folder, 'most');
  const preload = new URL('./live-heap.js', import.meta.url).href;
  try {
    await exported(format, query, rows, { LIVE_HEAP: file, NODE_OPTIONS: `--import ${preload}` }, times);
    return Math.round(Number(readFileSync(file, 'utf8')) / 2 ** 20);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns its bytes @throws Error when it does not have so many rows */
async function download(url: string, rows: number): Promise<number> {
  const response = await fetch(url);
  let [bytes, lines] = [0, 0];
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) lines += 1;
  }
  const found = url.includes('.csv') ? lines - 1 : lines;
  if (response.status !== 200 || (!url.includes('.avro') && found !== rows))
    throw new Error(`${url}: status ${response.status}, ${found} rows in place of ${rows}`);
  return bytes;
}
