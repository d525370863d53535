import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { registerModel } from '../../src/registry/model-store.js';
import { change } from '../../src/registry/lifecycle.js';
import { loadScorer } from '../../src/score/load-scorer.js';
import { simulateFleet, type CarMessage } from '../../src/simulator/fleet.js';
import { encodeMessage } from '../../src/simulator/wire.js';
import type { ReadingDocument } from '../../src/twin/documents.js';
import { aModelFolder } from '../builders/model.js';
import { World, serversOfSuite, until, type ServiceProcess } from './world.js';

const SWAPS = 10;
const CARS = 60;

const check = async (dir: string) => {
  const scorer = await loadScorer({ dir, backend: 'auto', evaluator: 'auto', log: () => undefined });
  await scorer.close();
};

let world: World;
let parent: string;
beforeEach(() => {
  world = new World(serversOfSuite());
  parent = mkdtempSync(join(tmpdir(), 'model-swap-'));
});
afterEach(async () => {
  rmSync(parent, { recursive: true, force: true });
  await world.close();
});

it('ten swaps under load, one process killed between them: each reading scored once, versions contiguous per partition', async () => {
  const settings = { ROLES: 'ingest', BATCH_RECORDS: '50' };
  const services = [world.start(settings), world.start(settings)];
  await Promise.all(services.map((one) => one.url));
  const versions = Array.from({ length: SWAPS }, (_, index) => String(index + 1));
  for (const version of versions) {
    const dir = aModelFolder(parent, { name: 'cars', version, threshold: 1.1 + Number(version) / 100 });
    await registerModel(world.database, dir, { by: 'test', note: '', now: new Date() });
  }
  const load = steadily(world);
  for (const [index, version] of versions.entries()) {
    if (index === 5) await replace(services, settings);
    const wish = { action: 'ACTIVATE' as const, model: `cars@${version}`, by: 'test', now: new Date() };
    const { revision } = await change(world.database, check, wish);
    await Promise.all(
      services.map((one) =>
        until(
          () => Promise.resolve(revisionOf(one)),
          (at) => at >= revision,
        ),
      ),
    );
    // Some readings by each of the models. The few twins tell: to look for them in the history keeps a slow server from scoring.
    const { twins } = world.database.collections;
    await until(
      () => Promise.race([twins.countDocuments({ 'score.model': wish.model }), load.failed]),
      (seen) => seen === CARS,
      120_000,
    );
  }
  const sent = await load.stop();
  await until(
    () => world.settled(),
    (settled) => settled === sent,
  );
  const rows = await world.database.collections.readings.find().sort({ _id: 1 }).toArray();
  expect(rows).toHaveLength(sent);
  expect(rows.filter(({ unscored }) => unscored !== undefined)).toEqual([]);
  const wanted = versions.map((version) => `cars@${version}`);
  const byPartition = new Map<string, ReadingDocument[]>();
  for (const row of rows) {
    const partition = row._id.slice(0, row._id.lastIndexOf('/'));
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), row]);
  }
  expect(byPartition.size).toBe(3);
  for (const partition of byPartition.values())
    expect(runsOf(partition).filter((model) => model.startsWith('cars@'))).toEqual(
      wanted.filter((model) => partition.some(({ score }) => score?.model === model)),
    );
  // The threshold is the model's own: nothing was scored by half a model.
  for (const { score } of rows)
    if (score?.model.startsWith('cars@'))
      expect(score.threshold).toBeCloseTo(1.1 + Number(score.model.slice(5)) / 100, 9);
  const { positions } = world.database.collections;
  await until(
    () => positions.find().toArray(),
    (found) => found.every(({ next, published }) => next === published),
  );
  const said = await world.records(world.topics.predictions);
  const models = new Map(rows.map(({ _id, score }) => [_id, score?.model]));
  const distinct = new Set<string>();
  for (const { value } of said) {
    const { id, model } = JSON.parse(String(value)) as { id: string; model: string };
    distinct.add(id);
    expect(model).toBe(models.get(id));
  }
  expect(distinct.size).toBe(sent);
  const announced = (await world.records(world.topics.modelUpdates)).map(
    ({ value }) => JSON.parse(String(value)) as object,
  );
  expect(announced.at(-1)).toMatchObject({ name: 'cars', active: String(SWAPS), revision: SWAPS });
}, 400_000);

/** The models of a partition's readings in the order of the log, each run of one once. */
function runsOf(rows: readonly ReadingDocument[]): string[] {
  const runs: string[] = [];
  for (const { score } of rows) if (score && runs.at(-1) !== score.model) runs.push(score.model);
  return runs;
}

/** The revision of the models that a process said last that it uses. */
function revisionOf({ lines }: ServiceProcess): number {
  const last = lines.findLast((line) => line.includes('"models in use"'));
  return last === undefined ? -1 : (JSON.parse(last) as { revision: number }).revision;
}

async function replace(services: ServiceProcess[], settings: Record<string, string>): Promise<void> {
  await services.shift()?.end('SIGKILL');
  const next = world.start(settings);
  services.push(next);
  await next.url;
}

/** Messages that wait for a slow server at most: what is behind them is the swaps, not how fast it is. */
const BEHIND = 3 * CARS;

/** Some hundred messages a second, or as many as are taken, until it is stopped, which tells how many there were. */
function steadily(target: Pick<World, 'produce' | 'settled'>): {
  readonly failed: Promise<never>;
  stop(): Promise<number>;
} {
  const messages = simulateFleet({
    seed: 7,
    cars: CARS,
    messages: 1_000_000,
    start: Date.UTC(2026, 0, 1),
    stepSeconds: 10,
  });
  let sent = 0;
  const stopping = new AbortController();
  const sending = (async () => {
    const source = messages[Symbol.iterator]();
    while (!stopping.signal.aborted) {
      const batch: CarMessage[] = [];
      while (batch.length < CARS) {
        const next = source.next();
        if (next.done === true) throw new Error('the cars have nothing more to say');
        batch.push(next.value);
      }
      await target.produce(batch.map((message) => ({ key: message.car, value: encodeMessage(message) })));
      sent += batch.length;
      do await pause(250);
      while (!stopping.signal.aborted && sent - (await target.settled()) > BEHIND);
    }
    return sent;
  })();
  const failed = sending.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  return {
    /** Rejects when no more can be sent; never resolves. */
    failed,
    stop: () => {
      stopping.abort();
      return sending;
    },
  };
}
