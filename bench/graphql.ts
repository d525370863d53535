/**
 * Answers a second and their times for the reads of the API, beside the bare driver doing the same reads on the same
 * server, in turn and in one run.
 *
 *   npm run bench:graphql -- [--cars 100000] [--connections 64] [--seconds 5] [--rounds 3]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack, type Stack } from '../stack/stack.js';
import { openDatabase, type Database } from '../src/twin/database.js';
import { Connection, measure, type Measured } from './http-load.js';
import { preload } from './preload.js';
import { readsOf, type Read } from './graphql-reads.js';
import { middle, peakMemory, ready, spawnService, storedReadings } from './service-process.js';

/** Readings of the few cars whose history is asked for. */
const LONG = { cars: 20, readings: 2_000 };

const { values } = parseArgs({
  options: {
    cars: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const [cars, connections, seconds, rounds] = [values.cars, values.connections, values.seconds, values.rounds].map(
  Number,
) as [number, number, number, number];
const say = (line: string) => void process.stderr.write(`${line}\n`);

const stack = await startStack({ say });
const name = `bench-api-${process.pid}`;
const database = openDatabase(stack.urls.mongodbUri, name, 'bench');
try {
  await fill(stack, database);
  const api = await spawnService(stack.urls, name, 'api');
  try {
    await ready(api);
    process.stdout.write(`${cars} cars, ${connections} connections, ${stack.parts.mongodb?.server ?? 'MongoDB'}\n`);
    for (const read of await readsOf(database, { cars, long: LONG.cars }))
      if (!values.only || read.name.startsWith(values.only)) await compare(read, api.port);
    say(`the API's peak memory ${peakMemory(api.process.pid ?? 0)} MiB`);
  } finally {
    await api.stop();
  }
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

/** One reading of every car and many of some, through the service's own ingest. */
async function fill({ urls }: Stack, filled: Database): Promise<void> {
  const long = LONG.cars * LONG.readings;
  await preload(urls.kafkaBrokers, name, { cars, records: cars, seed: 1, partitions: 10 });
  await preload(urls.kafkaBrokers, name, { cars: LONG.cars, records: long, seed: 2, partitions: 10, later: true });
  const ingest = await spawnService(urls, name, 'ingest');
  try {
    for (let stored = 0; stored < cars + long; stored = await storedReadings(filled)) {
      if (ingest.process.exitCode !== null) throw new Error('the ingest ended by itself');
      await delay(200);
    }
  } finally {
    await ingest.stop();
  }
}

interface Pair {
  readonly api: Measured;
  readonly bare: Measured;
}

async function compare(read: Read, port: number): Promise<void> {
  const loops = Math.min(connections, read.most ?? connections);
  const lines = Array.from({ length: loops }, () => new Connection(port, '/graphql'));
  const viaApi = async (loop: number) => void (await lines[loop]?.post(read.body()));
  const viaDriver = async () => void (await read.bare());
  await measure(loops, 1, viaApi);
  await measure(loops, 1, viaDriver);
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1)
    pairs.push({
      api: await measure(loops, seconds, viaApi),
      bare: await measure(loops, seconds, viaDriver),
    });
  for (const line of lines) line.close();
  const ratio = middle(pairs.map(({ api, bare }) => api.rate / bare.rate));
  const told = (side: keyof Pair) => {
    const figure = (of: keyof Measured) => middle(pairs.map((pair) => pair[side][of]));
    return `${Math.round(figure('rate'))}/s, p50 ${figure('p50').toFixed(1)} ms, p99 ${figure('p99').toFixed(1)} ms`;
  };
  process.stdout.write(
    `${read.name}, ${loops} side by side: API ${told('api')}; bare driver ${told('bare')}; ratio ${ratio.toFixed(2)}\n`,
  );
}
