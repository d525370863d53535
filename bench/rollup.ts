/**
 * Seconds, processor seconds and memory that a five-minute window and its hour take, by the number of cars.
 *
 *   node dist/bench/rollup.js [cars=10000] [readings=100000]
 */
import { randomUUID } from 'node:crypto';
import { markWritten } from '../src/rollup/rebuild.js';
import { Roller } from '../src/rollup/roller.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import { hashSignals } from '../src/telemetry/signals-hash.js';
import { openDatabase, prepareDatabase } from '../src/twin/database.js';
import type { ReadingDocument, Twin } from '../src/twin/documents.js';
import { startStack } from '../stack/stack.js';

const [cars, count] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 100_000)];
const START = Date.UTC(2026, 0, 1, 12);
const WINDOW = 300;
const AT_ONCE = 2_000;

const stack = await startStack({ say: () => undefined });
const database = openDatabase(stack.urls.mongodbUri, `bench-rollup-${process.pid}`, 'bench');
try {
  await prepareDatabase(database, 0);
  await fill();
  await markWritten(database, START, START + WINDOW * 1_000);
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().heapUsed)), 20);
  const [before, started, cpu] = [process.memoryUsage().heapUsed, performance.now(), process.cpuUsage()];
  const roller = new Roller(database, {
    clock: () => START + 86_400_000,
    newRun: randomUUID,
    retention: { readings: null, FIVE_MINUTES: null, HOUR: null },
  });
  const windows = await roller.round(new AbortController().signal);
  clearInterval(timer);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const own = ((user + system) / 1e6).toFixed(1);
  const mib = (bytes: number) => Math.round(bytes / 1_048_576);
  process.stdout.write(
    `${cars} cars, ${count} readings, ${windows} windows: ${seconds} s, ${own} s of them the process's own, heap ${mib(before)} to ${mib(peak)} MiB\n`,
  );
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

async function fill(): Promise<void> {
  const fleet = { cars, seed: 1, start: START, stepSeconds: (WINDOW * cars) / count, messages: count };
  let rows: ReadingDocument[] = [];
  let offset = 0;
  for (const { car, at, signals } of simulateFleet(fleet)) {
    const time = new Date(at);
    const _id = `bench/0000000000/00000/${String(offset++).padStart(16, '0')}`;
    rows.push({ _id, car, at: time, receivedAt: time, hash: hashSignals(signals), signals, unscored: 'bench' });
    if (rows.length < AT_ONCE) continue;
    await database.collections.readings.insertMany(rows);
    rows = [];
  }
  if (rows.length > 0) await database.collections.readings.insertMany(rows);
  for (let first = 1; first <= cars; first += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, cars - first + 1) }, (_, place) => `car${first + place}`);
    await database.collections.twins.insertMany(ids.map((_id) => ({ _id, revision: 1 }) as Twin));
  }
}
