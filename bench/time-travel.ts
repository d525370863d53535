/**
 * What it costs to tell a car as of random instants, by how calm it is: milliseconds, and the readings that were folded.
 *
 *   node dist/bench/time-travel.js [--readings 100000] [--instants 200] [--worst 10]
 */
import { parseArgs } from 'node:util';
import { startStack } from '../stack/stack.js';
import { countersAt } from '../src/history/counters-at.js';
import { type Past, twinAt } from '../src/history/twin-at.js';
import { rulesOf } from '../src/settings/episode-rules.js';
import { readSettings } from '../src/settings/settings.js';
import { Random } from '../src/simulator/random.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import type { SignalName } from '../src/telemetry/signals.js';
import { hashSignals } from '../src/telemetry/signals-hash.js';
import { openDatabase, prepareDatabase } from '../src/twin/database.js';
import type { ReadingDocument, Twin } from '../src/twin/documents.js';
import { readingId } from '../src/twin/ids.js';

const { values } = parseArgs({
  options: {
    readings: { type: 'string', default: '100000' },
    instants: { type: 'string', default: '200' },
    worst: { type: 'string', default: '10' },
  },
});
const [count, instants, worst] = [values.readings, values.instants, values.worst].map(Number) as [
  number,
  number,
  number,
];
const START = Date.UTC(2026, 0, 1);
const STEP = 1_000;
const AT_ONCE = 2_000;
const random = new Random(1);

interface Kind {
  readonly car: string;
  readonly tells: string;
  readonly instants: number;
  /** Score / threshold of the nth reading. */
  readonly ratio: (n: number) => number;
  readonly blamed: SignalName;
}

/** From the calmest to one that never is; a car with an outdated firmware never is, either. */
const KINDS: readonly Kind[] = [
  {
    car: 'calm',
    tells: 'one reading in 100 above the threshold',
    instants,
    ratio: () => (random.next() < 0.01 ? 1.2 : 0.1 + 0.5 * random.next()),
    blamed: 'speed',
  },
  {
    car: 'troubled',
    tells: 'a fault for 500 readings of 2,000, four fifths of them above the threshold',
    instants,
    ratio: (n) => (n % 2_000 < 500 && random.next() < 0.8 ? 3 : 0.1 + 0.5 * random.next()),
    blamed: 'tirePressure11',
  },
  { car: 'never-calm', tells: 'always just below the threshold', instants: worst, ratio: () => 0.95, blamed: 'speed' },
];

const rules = rulesOf(readSettings({}));
const stack = await startStack({ say: () => undefined });
const database = openDatabase(stack.urls.mongodbUri, `bench-past-${process.pid}`, 'bench');
try {
  await prepareDatabase(database, 0);
  process.stdout.write(`${count} readings a car, ${stack.parts.mongodb?.server ?? 'MongoDB'}\n`);
  for (const [partition, kind] of KINDS.entries()) {
    const twin = await fill(kind, partition);
    process.stdout.write(`${kind.car} (${kind.tells}): ${await told(twin, kind)}\n`);
  }
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

/** The car's history; its twin, as far as going back needs it. */
async function fill({ car, ratio, blamed }: Kind, partition: number): Promise<Twin> {
  const { readings } = database.collections;
  let rows: ReadingDocument[] = [];
  let n = 0;
  for (const { at: sent, signals } of simulateFleet({
    cars: 1,
    seed: 1,
    start: START,
    stepSeconds: 1,
    messages: count,
  })) {
    const at = new Date(sent);
    const value = ratio(n);
    const topSignals = [{ signal: blamed, share: 0.9 }];
    const score = { value, threshold: 1, anomalous: value > 1, model: 'bench@1', topSignals };
    const _id = readingId('bench', 0, partition, n);
    rows.push({ _id, car, at, receivedAt: at, hash: hashSignals(signals), signals, score });
    n += 1;
    if (rows.length < AT_ONCE && n < count) continue;
    await readings.insertMany(rows);
    rows = [];
  }
  const counters = { readings: count, late: 0, duplicate: 0, expired: 0, rejected: 0 };
  const lastSeenAt = new Date(START + (count - 1) * STEP);
  return { _id: car, firstSeenAt: new Date(START), lastSeenAt, counters } as Twin;
}

/** One instant after the other, as one client would ask. */
async function told(twin: Twin, { instants: asked }: Kind): Promise<string> {
  const times: number[] = [];
  const counts: number[] = [];
  const folded: number[] = [];
  const others: Past['kind'][] = [];
  let peak = 0;
  const before = process.memoryUsage().heapUsed;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().heapUsed)), 20);
  for (let n = 0; n < asked; n += 1) {
    const at = new Date(START + Math.floor(random.next() * count * STEP));
    const started = performance.now();
    const past = await twinAt(database.collections, twin, at, {
      rules,
      keptSince: null,
      maxTimeMS: 60_000,
      mostRows: 50_000,
    });
    times.push(performance.now() - started);
    const counting = performance.now();
    await countersAt(database.collections, twin, at, { keptSince: null, maxTimeMS: 60_000 });
    counts.push(performance.now() - counting);
    if (past.kind === 'known') folded.push(past.past.rows);
    else others.push(past.kind);
  }
  clearInterval(timer);
  const more = others.length > 0 ? `, ${others.length} not told (${[...new Set(others)].join(', ')})` : '';
  const mib = Math.max(0, Math.round((peak - before) / 1_048_576));
  return `${asked} instants, ms p50 ${quantile(times, 0.5)} p99 ${quantile(times, 0.99)}, readings folded p50 ${quantile(folded, 0.5)} most ${quantile(folded, 1)}, counters ms p50 ${quantile(counts, 0.5)} p99 ${quantile(counts, 0.99)}, heap +${mib} MiB${more}`;
}

function quantile(all: readonly number[], share: number): string {
  const sorted = all.toSorted((one, other) => one - other);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return value === undefined ? 'none' : value.toFixed(value < 100 ? 1 : 0);
}
