import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_HAZARDS } from '../simulator/faults.js';
import { simulateFleet, type FleetOptions } from '../simulator/fleet.js';
import { Random } from '../simulator/random.js';
import { readingOf } from '../simulator/training-cars.js';
import type { Reading } from '../telemetry/reading.js';
import type { ScoreMemory } from '../telemetry/score.js';
import type { Reconstruct } from './calibrate.js';
import { loadScorer } from './load-scorer.js';
import { modelCard } from './model-card.js';
import { readModelFolder, writeModelFolder, type ModelFolder } from './model-folder.js';
import { recalibrate } from './recalibrate.js';
import { SteadyThread } from './steady-thread.js';
import { TooLittleDataError } from './training-set.js';

const root = mkdtempSync(join(tmpdir(), 'fleet-twin-recalibrate-'));
const shipped = readModelFolder('models/default');
const OPTIONS = { name: 'noisy', source: 'a test', quantile: 0.99, robust: true };
let thread: SteadyThread;
beforeAll(async () => {
  thread = await SteadyThread.start('wasm', shipped.network, () => undefined);
});
afterAll(async () => {
  await thread.close();
  rmSync(root, { recursive: true });
});

/** Unlabelled readings of healthy cars whose sensors have 1 % noise. */
function* noisy(
  seed: number,
  cars: number,
  messages = cars * 60,
  more: Partial<FleetOptions> = {},
): Generator<Reading> {
  const random = new Random(seed, 0, 9);
  const fleet = { cars, seed, start: 0, stepSeconds: 10, messages, hazards: NO_HAZARDS, ...more };
  for (const message of simulateFleet({ ...fleet, variety: { style: 1, age: [0, 6_000] } }))
    yield { ...readingOf(message, 0.01, random), label: null };
}

const VARIETY = { style: 1, age: [0, 6_000] } as const;
const FAILING = {
  hazards: NO_HAZARDS,
  faults: 0.1,
  faultAfter: [5, 40],
  repairAfter: Infinity,
  variety: VARIETY,
} as const;

const run: Reconstruct = (inputs, rows) => thread.run(inputs, rows);

async function recalibrated(readings: Iterable<Reading>): Promise<ModelFolder> {
  const all = [...readings];
  return (await recalibrate(shipped, () => all, run, OPTIONS)).folder;
}

/** The share of the readings of other cars with such sensors that the model flags. */
async function flaggedBy(folder: ModelFolder): Promise<number> {
  const dir = join(root, folder.metadata.version);
  writeModelFolder(dir, folder, modelCard(folder.metadata));
  // Loading it checks the golden scores that were made anew.
  const scorer = await loadScorer({ dir, backend: 'wasm', evaluator: 'auto', log: () => undefined });
  const memories = new Map<string, ScoreMemory | null>();
  let [flagged, count] = [0, 0];
  for (const reading of noisy(99, 60)) {
    const [scored] = await scorer.score([{ reading, memory: memories.get(reading.car) ?? null }]);
    if (scored?.kind !== 'scored') throw new Error(`not scored: ${scored?.reason}`);
    memories.set(reading.car, scored.memory);
    count += 1;
    if (scored.score.anomalous) flagged += 1;
  }
  await scorer.close();
  return flagged / count;
}

describe('recalibrate', () => {
  it('makes a model that is calm on cars with noisy sensors, of which it needs no labels', async () => {
    const fresh = await recalibrated(noisy(5, 250));
    expect(await flaggedBy(shipped)).toBeGreaterThan(0.1);
    expect(await flaggedBy(fresh)).toBeLessThan(0.02);
    expect(modelCard(fresh.metadata)).toContain('set anew on 15000 readings of 250 cars (a test');
    expect(fresh.metadata.version).not.toBe(shipped.metadata.version);
    expect(fresh.metadata.training).toEqual(shipped.metadata.training);
  });

  it('leaves out cars that fail, of which nobody told it', async () => {
    const all = [...noisy(5, 250, 15_000, FAILING)];
    const robust = await recalibrate(shipped, () => all, run, OPTIONS);
    const [healthy, naive] = [
      await recalibrated(noisy(5, 250)),
      await recalibrate(shipped, () => all, run, { ...OPTIONS, robust: false }),
    ];
    expect(robust.folder.metadata.threshold).toBeLessThan(1.1 * healthy.metadata.threshold);
    expect(naive.folder.metadata.threshold).toBeGreaterThan(2 * healthy.metadata.threshold);
    // As many as were bound to fail, give or take what a car of them shows in its last readings.
    const planned = new Set(
      [...simulateFleet({ cars: 250, seed: 5, start: 0, stepSeconds: 10, messages: 15_000, ...FAILING })]
        .filter(({ label }) => label === true)
        .map(({ car }) => car),
    );
    const found = [...robust.leftOut.keys()];
    expect(found.filter((car) => planned.has(car)).length).toBeGreaterThan(0.9 * planned.size);
    expect(found.filter((car) => !planned.has(car)).length).toBeLessThanOrEqual(2);
    expect(await flaggedBy(robust.folder)).toBeLessThan(0.02);
  });

  it('never narrows what is normal', async () => {
    const fresh = await recalibrated(noisy(5, 250));
    fresh.metadata.features.forEach(({ normalError }, place) => {
      const before = shipped.metadata.features[place]?.normalError;
      expect(normalError.below).toBeGreaterThanOrEqual(before?.below ?? NaN);
      expect(normalError.above).toBeGreaterThanOrEqual(before?.above ?? NaN);
    });
    expect(fresh.metadata.threshold).toBeGreaterThanOrEqual(1);
  });

  it('says how much there was when it is too little', async () => {
    await expect(recalibrated(noisy(5, 2, 20))).rejects.toThrow(TooLittleDataError);
  });
});
