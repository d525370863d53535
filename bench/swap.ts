/**
 * How long an ingest process that is under full load takes to score by a model that is activated: from the activation being
 * committed, and from the command being given (which checks the model first). All records must end scored once.
 *
 *   npm run build && node dist/bench/swap.js [--cars 10000] [--records 300000] [--swaps 8]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { change } from '../src/registry/lifecycle.js';
import { registerModel } from '../src/registry/model-store.js';
import { loadScorer } from '../src/score/load-scorer.js';
import { openDatabase, prepareDatabase, type Database } from '../src/twin/database.js';
import { choosePort } from '../stack/free-port.js';
import { startStack, type Stack } from '../stack/stack.js';
import { preload } from './preload.js';

const PARTITIONS = 10;
const { values } = parseArgs({
  options: {
    cars: { type: 'string', default: '10000' },
    records: { type: 'string', default: '300000' },
    swaps: { type: 'string', default: '8' },
  },
});
const [cars, records, swaps] = [Number(values.cars), Number(values.records), Number(values.swaps)];
const say = (line: string) => void process.stderr.write(`${line}\n`);

const stack = await startStack({ say });
const name = `bench-swap-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), 'bench-swap-'));
const database = openDatabase(stack.urls.mongodbUri, name, 'bench');
try {
  await prepareDatabase(database, 0);
  for (let swap = 1; swap <= swaps; swap += 1) await registerVariant(database, String(swap));
  await preload(stack.urls.kafkaBrokers, name, { cars, records, seed: 1, partitions: PARTITIONS });
  await measure(stack, database);
} finally {
  rmSync(folder, { recursive: true, force: true });
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

async function registerVariant(into: Database, version: string): Promise<void> {
  const dir = join(folder, version);
  cpSync('models/default', dir, { recursive: true });
  const file = join(dir, 'metadata.json');
  const metadata = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...metadata, name: 'swapped', version }));
  await registerModel(into, dir, { by: 'bench', note: '', now: new Date() });
}

async function measure({ urls, parts }: Stack, into: Database): Promise<void> {
  const env = {
    ...process.env,
    ROLES: 'ingest',
    HTTP_PORT: String(await choosePort(undefined)),
    MONGODB_URI: urls.mongodbUri,
    MONGODB_DATABASE: name,
    KAFKA_BROKERS: urls.kafkaBrokers,
    KAFKA_GROUP_ID: name,
    SENSOR_TOPIC: name,
    TOPIC_PARTITIONS: String(PARTITIONS),
  };
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const service = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const seen = new Map<number, number>();
  createInterface({ input: service.stderr }).on('line', (line) => {
    if (line.includes('"models in use"')) seen.set((JSON.parse(line) as { revision: number }).revision, Date.now());
  });
  try {
    await until(async () => (await settled(into)) > 0);
    const started = Date.now();
    const first = await settled(into);
    const committed: number[] = [];
    const commanded: number[] = [];
    for (let swap = 1; swap <= swaps; swap += 1) {
      const begun = Date.now();
      const { revision } = await change(into, check, {
        action: 'ACTIVATE',
        model: `swapped@${swap}`,
        by: 'bench',
        now: new Date(),
      });
      const done = Date.now();
      await until(() => Promise.resolve(seen.has(revision)));
      committed.push(Math.max(0, (seen.get(revision) ?? 0) - done));
      commanded.push((seen.get(revision) ?? 0) - begun);
      say(`swap ${swap}: ${committed.at(-1)} ms after its commit, ${commanded.at(-1)} ms after the command`);
      await delay(500);
    }
    const under = await settled(into);
    const rate = Math.round(((under - first) / (Date.now() - started)) * 1_000);
    await until(async () => (await settled(into)) >= records);
    const rows = await into.collections.readings.countDocuments({ score: { $exists: true } });
    process.stdout.write(
      `${cars} cars, ${records} records, ${parts.mongodb?.server ?? 'MongoDB'}, ${rate} records/s meanwhile${under >= records ? ' (the topic was drained before the last swap)' : ''}\n` +
        `after the commit: median ${middle(committed)} ms, longest ${Math.max(...committed)} ms; after the command: median ${middle(commanded)} ms, longest ${Math.max(...commanded)} ms\n` +
        `${rows} readings stored with a score\n`,
    );
  } finally {
    service.kill('SIGTERM');
    if (service.exitCode === null) await once(service, 'exit');
  }
}

async function check(dir: string): Promise<void> {
  const scorer = await loadScorer({ dir, backend: 'auto', evaluator: 'auto', log: () => undefined });
  await scorer.close();
}

async function settled({ collections }: Database): Promise<number> {
  const positions = await collections.positions.find().toArray();
  return positions.reduce((sum, { counts }) => sum + counts.stored + counts.duplicate + counts.rejected, 0);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 300_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('not so within five minutes');
    await delay(20);
  }
}

function middle(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN;
}
