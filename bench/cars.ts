/**
 * How long `cars` takes to order and count a whole fleet, straight at the class that answers it and without its cache: the
 * first page of an order that nobody asked for within the last two seconds.
 *
 *   node dist/bench/cars.js [--cars 100000] [--rounds 5] [--server secantusd-rs]
 */
import { parseArgs } from 'node:util';
import type { MongodbServer } from '../stack/part.js';
import { startStack } from '../stack/stack.js';
import { Fleet } from '../src/fleet/fleet.js';
import { Refreshed } from '../src/fleet/refreshed.js';
import { Turns } from '../src/fleet/turns.js';
import type { ScopedFilter } from '../src/fleet/car-filter.js';
import type { RankingOrder } from '../src/fleet/ranking.js';
import { SIGNALS, type Signals } from '../src/telemetry/signals.js';
import { openDatabase, prepareDatabase } from '../src/twin/database.js';
import type { Twin } from '../src/twin/documents.js';

const { values } = parseArgs({
  options: {
    cars: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    server: { type: 'string', default: 'secantusd-rs' },
  },
});
const [cars, rounds] = [Number(values.cars), Number(values.rounds)];
const FLEETS = 50;
const now = Date.now();

/** Car n of fleet n mod 50; every 50th needs attention. */
function twin(n: number): Twin {
  const ratio = ((n * 7_919) % 1_000) / 1_000;
  const seen = new Date(now - ((n * 104_729) % 900_000));
  const signals = Object.fromEntries(SIGNALS.map(({ name }, index) => [name, ((n * 31 + index) % 997) / 10]));
  return {
    _id: `car-${String(n).padStart(6, '0')}`,
    revision: 1,
    reported: { at: seen, receivedAt: seen, hash: n, signals: signals as Signals },
    score: { value: ratio, threshold: 1, ratio, anomalous: false, model: 'bench@1', topSignals: [] },
    status: n % 50 === 0 ? 'ANOMALOUS' : 'NORMAL',
    counters: { readings: 1, late: 0, duplicate: 0, expired: 0, rejected: 0 },
    firstSeenAt: seen,
    lastSeenAt: seen,
    source: { topic: 'sensor-data', partition: 0, offset: n },
    openEpisodes: {},
    recent: [],
    cleared: {},
    memory: null,
    attributes: { fleet: `fleet-${n % FLEETS}`, model: n % 3 === 0 ? 'van' : 'hatch', tags: ['pool'] },
  };
}

const ALL: ScopedFilter = { within: null };
const FILTERS: Readonly<Record<string, ScopedFilter>> = {
  'all cars': ALL,
  'status ANOMALOUS': { ...ALL, status: ['ANOMALOUS'] },
  'one fleet of 50': { ...ALL, fleet: ['fleet-7'] },
  'a viewer of one fleet': { within: ['fleet-7'] },
  'model and a signal range': { ...ALL, model: ['van'], signals: [{ signal: 'speed', min: 50 }] },
  'a tag and a score range': { ...ALL, tags: ['pool'], score: { min: 0.9 } },
  LIVE: { ...ALL, freshness: ['LIVE'] },
};
const ORDERS: readonly RankingOrder[] = [
  { by: 'SCORE', direction: 'DESC' },
  { by: 'LAST_SEEN', direction: 'DESC' },
  { by: 'ID', direction: 'ASC' },
];

async function times(work: () => Promise<unknown>): Promise<string> {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await work();
    taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  return `${Math.round(taken[rounds >> 1] ?? 0)} (${Math.round(taken.at(-1) ?? 0)})`;
}

const say = (line: string) => void process.stderr.write(`${line}\n`);
const env = { ...process.env, MONGODB_URI: undefined };
const stack = await startStack({ parts: ['mongodb'], mongodb: values.server as MongodbServer, env, say });
const database = openDatabase(stack.urls.mongodbUri, `bench-cars-${process.pid}`, 'bench');
try {
  await prepareDatabase(database, 0);
  const { twins } = database.collections;
  for (let from = 0; from < cars; from += 1_000)
    await twins.insertMany(Array.from({ length: Math.min(1_000, cars - from) }, (_, n) => twin(from + n)));
  const limits = { staleAfter: 60_000, offlineAfter: 600_000 };
  // No block of places is young enough for this age.
  const fleet = new Fleet(twins, new Refreshed(() => now, 0), {
    clock: () => now,
    limits,
    scans: new Turns(1),
    maxAge: -1,
  });
  process.stdout.write(`${cars} cars, ${values.server}; ms, middle of ${rounds} (slowest)\n`);
  for (const [name, filter] of Object.entries(FILTERS)) {
    const parts: string[] = [];
    for (const order of ORDERS) parts.push(`${order.by} ${await times(() => fleet.ranking(filter, order, null, 51))}`);
    parts.push(`totalCount ${await times(() => fleet.count(filter))}`);
    process.stdout.write(`${name}: ${parts.join(', ')}\n`);
  }
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}
