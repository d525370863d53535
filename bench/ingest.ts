/**
 * Records a second from a preloaded topic to committed twins and history, beside the bare driver's rate for the same
 * documents in the same batches on the same server, in turn and in one run.
 *
 *   npm run bench:ingest -- [--cars 10000] [--records 100000] [--rounds 3]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack, type Stack } from '../stack/stack.js';
import { openDatabase, prepareDatabase, type Database } from '../src/twin/database.js';
import { replayBare, takeBatches } from './bare-driver.js';
import { preload } from './preload.js';
import { middle, peakMemory, spawnService, storedReadings } from './service-process.js';

const BATCH = 2_000;
const PARTITIONS = 10;

interface Round {
  readonly service: number;
  readonly bare: number;
  /** MiB */
  readonly memory: number;
}

const { values } = parseArgs({
  options: {
    cars: { type: 'string', default: '10000' },
    records: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
  },
});
const cars = Number(values.cars);
const records = Number(values.records);
const say = (line: string) => void process.stderr.write(`${line}\n`);

const stack = await startStack({ say });
try {
  const rounds: Round[] = [];
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    rounds.push(await runRound(stack, `bench-${process.pid}-${round}`, round));
    say(line(`round ${round}`, rounds.at(-1) as Round));
  }
  const median = {
    service: middle(rounds.map(({ service }) => service)),
    bare: middle(rounds.map(({ bare }) => bare)),
    memory: middle(rounds.map(({ memory }) => memory)),
  };
  process.stdout.write(
    `${cars} cars, ${records} records, ${stack.parts.mongodb?.server ?? 'MongoDB'}\n${line('median', median)}\n`,
  );
} finally {
  await stack.stop();
}

async function runRound({ urls }: Stack, name: string, round: number): Promise<Round> {
  const database = openDatabase(urls.mongodbUri, name, 'bench');
  const bare = openDatabase(urls.mongodbUri, `${name}-bare`, 'bench');
  try {
    await preload(urls.kafkaBrokers, name, { cars, records, seed: round, partitions: PARTITIONS });
    const { rate, memory } = await runService(urls, name, database);
    const batches = await takeBatches(database, BATCH);
    await prepareDatabase(bare, 0);
    return { service: rate, memory, bare: await replayBare(bare, batches) };
  } finally {
    for (const one of [database, bare]) {
      await one.db.dropDatabase();
      await one.client.close();
    }
  }
}

/** Starts an ingest process on the topic; its rate counts from its first commit on, so that its start does not. */
async function runService(
  urls: Stack['urls'],
  name: string,
  database: Database,
): Promise<{ rate: number; memory: number }> {
  const service = await spawnService(urls, name, 'ingest');
  try {
    let first: { at: number; settled: number } | undefined;
    for (;;) {
      if (service.process.exitCode !== null) throw new Error('the service ended by itself');
      const settled = await storedReadings(database);
      const at = performance.now();
      if (settled > 0) first ??= { at, settled };
      if (first && settled >= records) {
        say(await stageSeconds(service.port));
        const rate = (records - first.settled) / ((at - first.at) / 1_000);
        return { rate, memory: peakMemory(service.process.pid ?? 0) };
      }
      await delay(20);
    }
  } finally {
    await service.stop();
  }
}

/** Seconds that each stage took, added up over partitions that work side by side. */
async function stageSeconds(port: number): Promise<string> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const sums = [...text.matchAll(/stage_seconds_(sum|count)\{stage="([a-z]+)"\} ([\d.]+)/g)];
  const batch = /batch_seconds_sum ([\d.]+)/.exec(text)?.[1] ?? '?';
  return `stages: ${sums.map(([, what, stage, value]) => `${stage} ${what} ${Number(value).toFixed(2)}`).join(', ')}, batch sum ${batch}`;
}

function line(title: string, { service, bare, memory }: Round): string {
  const ratio = (service / bare).toFixed(2);
  return `${title}: service ${Math.round(service)}/s, bare driver ${Math.round(bare)}/s, ratio ${ratio}, service's peak memory ${memory} MiB`;
}
