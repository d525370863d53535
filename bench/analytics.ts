/**
 * How long the figures of the fleet take: through the API as a dashboard asks again and again, and ad hoc beside the bare driver
 * doing the same aggregation on the same server in the same run.
 *
 *   npm run bench:analytics -- [--cars 100000] [--every 100] [--rounds 5]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack } from '../stack/stack.js';
import { GROUPS } from '../src/fleet/pipelines.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import { type Database, openDatabase, prepareDatabase } from '../src/twin/database.js';
import { middle, ready, spawnService } from './service-process.js';

const { values } = parseArgs({
  options: {
    cars: { type: 'string', default: '100000' },
    every: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
  },
});
const [cars, every, rounds] = [Number(values.cars), Number(values.every), Number(values.rounds)];
/** The last hour: another window each time it is asked. */
const lastHour = () =>
  `from: "${new Date(Date.now() - 3_600_000).toISOString()}", to: "${new Date(Date.now()).toISOString()}"`;
const MOVING = 'failureRates(by: FIRMWARE, LAST_HOUR) { groups { value rate } }';
const DASHBOARD: Readonly<Record<string, string>> = {
  counts: 'byStatus { cars } byFreshness { cars }',
  'by firmware': 'byFirmware { groups { values cars } }',
  'percentiles and histogram': 'distribution(measure: SCORE, bins: 50) { mean percentiles histogram { cars } }',
  'top N': 'extremes(measure: SCORE, first: 50) { cars { value } }',
  'failure rates': 'failureRates(by: FIRMWARE, last: "PT1H") { groups { value rate } }',
};

const stack = await startStack({ parts: ['mongodb'], say: (line) => void process.stderr.write(`${line}\n`) });
const name = `bench-analytics-${process.pid}`;
const database = openDatabase(stack.urls.mongodbUri, name, 'bench');
try {
  await prepareDatabase(database, 0);
  await fill(database);
  const api = await spawnService(stack.urls, name, 'api');
  try {
    await ready(api);
    process.stdout.write(`${cars} cars, every ${every}th failed, ${stack.parts.mongodb?.server ?? 'MongoDB'}\n`);
    for (const [what, fields] of Object.entries(DASHBOARD)) await dashboard(api.port, what, fields, 250);
    await dashboard(api.port, 'failure rates from and to, moving on', MOVING, 250);
    await dashboard(api.port, 'all of them at once, every 20 s', Object.values(DASHBOARD).join(' '), 20_000);
    await adHoc(api.port);
  } finally {
    await api.stop();
  }
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

/** A twin of every car; every so many of them failed within the last hour. */
async function fill({ collections }: Database): Promise<void> {
  const now = new Date();
  let twins: object[] = [];
  let n = 0;
  for (const { car, signals } of simulateFleet({ cars, seed: 1, start: Date.now(), stepSeconds: 10, messages: cars })) {
    const ratio = Math.exp(Math.sin(n * 12.9898) * 2 - 2);
    const score = { value: ratio, threshold: 1, ratio, anomalous: ratio > 1, model: 'm@1', topSignals: [] };
    const attributes = { fleet: `fleet-${n % 10}`, model: `model-${n % 7}` };
    const reported = { at: now, receivedAt: now, hash: n, signals };
    const common = {
      revision: 1,
      status: n % every === 0 ? 'ANOMALOUS' : 'NORMAL',
      openEpisodes: {},
      recent: [],
      cleared: {},
    };
    twins.push({ _id: car, ...common, reported, score, attributes, firstSeenAt: now, lastSeenAt: now, memory: null });
    if (n % every === 0)
      await collections.anomalies.insertOne({
        _id: `${car}/TIRE/${now.toISOString()}`,
        car,
        kind: 'TIRE',
        status: 'OPEN',
        severity: 'MINOR',
        openedAt: now,
        updatedAt: now,
        clearedAt: null,
        peak: null,
        readings: 1,
        topSignals: [],
        model: 'm@1',
        timeline: [],
        timelineDropped: 0,
        fleet: attributes.fleet,
      });
    n += 1;
    if (twins.length === 2_000 || n === cars) {
      await collections.twins.insertMany(twins as never[]);
      twins = [];
    }
  }
}

interface Timed {
  /** ms */
  readonly time: number;
  /** Of the error, if it is one. */
  readonly code: string | null;
  /** Of its coverage, ms; not a number without one. */
  readonly asOf: number;
}

async function timed(port: number, query: string): Promise<Timed> {
  const start = performance.now();
  const body = JSON.stringify({ query });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body });
  const { data, errors } = (await response.json()) as {
    data: { fleet: { coverage?: { asOf: string } } } | null;
    errors?: { message: string; extensions: { code: string } }[];
  };
  const [error] = errors ?? [];
  if (error && error.extensions.code !== 'TIMEOUT') throw new Error(`${error.message}: ${query}`);
  const asOf = Date.parse(data?.fleet.coverage?.asOf ?? '');
  return { time: performance.now() - start, code: error?.extensions.code ?? null, asOf };
}

/** Asked again every `period` ms, for eight seconds or eight times. */
async function dashboard(port: number, what: string, fields: string, period: number): Promise<void> {
  const query = () => `{ fleet { coverage { asOf } ${fields.replace('LAST_HOUR', lastHour())} } }`;
  const first = await timed(port, query());
  const told = `${what}: first ${first.code ?? ''} ${first.time.toFixed(0)} ms`;
  if (first.code) return void process.stdout.write(`${told}\n`);
  const times: number[] = [];
  const ages: number[] = [];
  for (let n = 0; n < Math.max(8, 8_000 / period); n += 1) {
    await delay(period);
    const { time, code, asOf } = await timed(port, query());
    times.push(code === null ? time : Number.POSITIVE_INFINITY);
    ages.push(Date.now() - asOf);
  }
  const slowest = Math.max(...times).toFixed(0);
  const age = (Math.max(...ages) / 1_000).toFixed(1);
  process.stdout.write(
    `${told}, then p50 ${middle(times).toFixed(1)} ms, slowest ${slowest} ms, counts at most ${age} s old\n`,
  );
}

async function adHoc(port: number): Promise<void> {
  const pairs: { api: number; bare: number }[] = [];
  const edges = { stale: new Date(Date.now() - 60_000), offline: new Date(Date.now() - 600_000) };
  for (let round = 0; round < rounds; round += 1) {
    // Another percentile each round: an answer that is kept does not do.
    const p = 0.5 + round / 100;
    const query = `{ fleet { groupBy(by: [MODEL, FIRMWARE], measure: speed, percentiles: [${p}]) { groups { values cars mean percentiles } coverage { stale } } } }`;
    const { time: api, code } = await timed(port, query);
    if (code) return void process.stdout.write(`groupBy: ${code}\n`);
    const start = performance.now();
    await database.collections.twins.aggregate(GROUPS(['MODEL', 'FIRMWARE'], 'speed', [p], edges)).toArray();
    pairs.push({ api, bare: performance.now() - start });
  }
  const [api, bare] = [middle(pairs.map((pair) => pair.api)), middle(pairs.map((pair) => pair.bare))];
  const ratio = middle(pairs.map((pair) => pair.api / pair.bare));
  process.stdout.write(
    `groupBy: API ${api.toFixed(0)} ms, bare aggregation ${bare.toFixed(0)} ms, ratio ${ratio.toFixed(2)}\n`,
  );
}
