import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MECHANICAL_FAULTS, NO_HAZARDS } from '../simulator/faults.js';
import { simulateFleet, type CarMessage } from '../simulator/fleet.js';
import { trainingCars } from '../simulator/training-cars.js';
import type { ScoreMemory, Scored } from '../telemetry/score.js';
import type { Reading } from '../telemetry/reading.js';
import type { EpochProgress } from './fit.js';
import { loadScorer, type LoadedScorer } from './load-scorer.js';
import { newState } from './memory.js';
import { writeModelFolder } from './model-folder.js';
import { TRAINERS } from './model-kinds.js';
import { SEQUENCE_INPUTS, windowRows } from './sequence-rows.js';
import { trainSequence } from './train-sequence.js';

const root = mkdtempSync(join(tmpdir(), 'fleet-twin-sequence-'));
afterAll(() => rmSync(root, { recursive: true }));

const options = {
  name: 'small',
  source: 'a test',
  command: 'none',
  seed: 5,
  order: 'arrival' as const,
  epochs: 4,
  quantile: 0.99,
  onEpoch: (): void => undefined,
  say: (): void => undefined,
};
const readings = () => trainingCars({ seed: 3, cars: 200, messages: 40 });

/** A car's readings, each scored with the memory that the one before left. */
async function follow(scorer: LoadedScorer, car: readonly Reading[], memory: ScoreMemory | null = null) {
  const scored: Extract<Scored, { kind: 'scored' }>[] = [];
  for (const reading of car) {
    const [one] = await scorer.score([{ reading, memory: scored.at(-1)?.memory ?? memory }]);
    if (one?.kind !== 'scored') throw new Error('not scored');
    scored.push(one);
  }
  return scored;
}

/** The scores of the readings with that label, a step of all cars at a time. */
async function scoresOf(scorer: LoadedScorer, messages: Iterable<CarMessage>, failed: boolean): Promise<number[]> {
  const memories = new Map<string, ScoreMemory | null>();
  const scores: number[] = [];
  const all = [...messages];
  for (let start = 0; start < all.length; start += 60) {
    const step = all
      .slice(start, start + 60)
      .map(({ car, at, signals, label }) => ({ car, at, skewedAt: null, signals, label }));
    const scored = await scorer.score(step.map((reading) => ({ reading, memory: memories.get(reading.car) ?? null })));
    scored.forEach((one, place) => {
      const reading = step[place];
      if (one.kind !== 'scored' || !reading) throw new Error('not scored');
      memories.set(reading.car, one.memory);
      if ((reading.label === true) === failed) scores.push(one.score.value);
    });
  }
  return scores;
}

function oneCar(more: object = {}): Reading[] {
  const fleet = { cars: 1, seed: 21, start: 0, stepSeconds: 10, messages: 30, variety: { age: [500, 500] as const } };
  return [...simulateFleet({ ...fleet, ...more })].map(({ car, at, signals, label }) => ({
    car,
    at,
    skewedAt: null,
    signals,
    label,
  }));
}

describe('trainSequence', () => {
  const dir = join(root, 'sequence');
  const epochs: EpochProgress[] = [];
  let scorer: LoadedScorer;
  let weights: Buffer;
  beforeAll(async () => {
    const made = await TRAINERS.sequence(readings(), { ...options, onEpoch: (epoch) => epochs.push(epoch) });
    weights = Buffer.from(made.network.weightData);
    writeModelFolder(dir, made, made.card);
    scorer = await loadScorer({ dir, backend: 'native', evaluator: 'auto', log: () => undefined });
  });
  afterAll(() => scorer.close());

  it('learns, and makes a folder that TensorFlow scores, for it is no chain of dense layers', () => {
    expect(epochs[3]?.heldOut).toBeLessThan(epochs[0]?.heldOut ?? 0);
    expect(scorer.evaluator).toBe('tensorflow');
  });

  it('scores alike on the WebAssembly backend', async () => {
    const wasm = await loadScorer({ dir, backend: 'wasm', evaluator: 'auto', log: () => undefined });
    const [one, other] = [await follow(scorer, oneCar()), await follow(wasm, oneCar())];
    await wasm.close();
    one.forEach(({ score }, place) => {
      expect(Math.abs((other[place]?.score.value ?? NaN) / score.value - 1)).toBeLessThan(1e-3);
    });
  });

  it('remembers the last eight readings in some sixty whole and plain numbers that live through JSON', async () => {
    const scored = await follow(scorer, oneCar());
    for (const { memory } of scored) {
      expect(memory?.state.length).toBe(newState().length + (8 * SEQUENCE_INPUTS.length) / 4);
      expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
    }
    expect(SEQUENCE_INPUTS).toHaveLength(16);
  });

  it('looks back: the same reading scores otherwise after another past, and a strange memory counts as none', async () => {
    const car = oneCar();
    const last = car.slice(-1);
    const scored = await follow(scorer, car);
    const [alone] = await follow(scorer, last);
    expect(alone?.score.value).not.toBeCloseTo(scored.at(-1)?.score.value ?? NaN, 3);
    const [strange] = await follow(scorer, last, { features: 'car-2', state: scored.at(-2)?.memory?.state ?? [] });
    expect(strange?.score.value).toBe(alone?.score.value);
    // The window alone, with the memory of the features as it is.
    const before = scored.at(-2)?.memory;
    if (!before) throw new Error('no memory');
    const [blank] = await follow(scorer, last, {
      ...before,
      state: before.state.map((one, i) => (i < newState().length ? one : 0)),
    });
    expect(blank?.score.value).not.toBe(scored.at(-1)?.score.value);
  });

  it('flags a leaking tire and a failing drive shaft for as long as they last, and blames them', async () => {
    for (const [mode, blamed] of [
      ['tire', /^tirePressure/],
      ['driveShaft', /^engineVibration/],
    ] as const) {
      const car = oneCar({ faults: 1, faultModes: [mode], faultAfter: [5, 10], repairAfter: Infinity });
      const scored = await follow(scorer, car);
      const failed = scored.filter((_, place) => car[place]?.label === true);
      expect(failed.length).toBeGreaterThan(15);
      const right = failed.filter(({ score }) => score.anomalous && blamed.test(score.topSignals[0]?.signal ?? ''));
      expect(right.length / failed.length).toBeGreaterThan(0.9);
    }
  });

  it('tells failing cars from healthy ones far better than the reference', async () => {
    const fleet = { cars: 60, seed: 31, start: 0, stepSeconds: 10, messages: 60 * 25, hazards: NO_HAZARDS };
    const failing = { faults: 1, faultModes: MECHANICAL_FAULTS, faultAfter: [3, 8] as const, repairAfter: Infinity };
    const reference = await loadScorer({
      dir: 'models/reference',
      backend: 'wasm',
      evaluator: 'auto',
      log: () => undefined,
    });
    const [mine = NaN, baseline = NaN] = await Promise.all(
      [scorer, reference].map(async (one) => {
        const normal = await scoresOf(one, simulateFleet(fleet), false);
        const failed = await scoresOf(one, simulateFleet({ ...fleet, ...failing }), true);
        const below = failed.map((score) => normal.filter((other) => other < score).length);
        return below.reduce((sum, count) => sum + count, 0) / (failed.length * normal.length);
      }),
    );
    await reference.close();
    expect(baseline).toBeLessThan(0.7);
    expect(mine).toBeGreaterThan(0.97);
  });

  it("keeps each car's window to itself, however the cars are interleaved", () => {
    const maker = windowRows(2);
    const [one, other] = [oneCar(), oneCar({ seed: 22 })];
    const rowsOf = (order: readonly (readonly [number, Reading])[]) => {
      const states = [maker.newState, maker.newState];
      return order.map(([car, reading]) => {
        const row = new Float64Array(maker.width);
        states[car] = maker.write(reading, states[car] ?? [], row);
        return { car, row: [...row] };
      });
    };
    const apart = rowsOf([
      ...one.map((reading) => [0, reading] as const),
      ...other.map((reading) => [1, reading] as const),
    ]);
    const mixed = rowsOf(one.flatMap((reading, i) => [[0, reading] as const, [1, other[i] ?? reading] as const]));
    for (const car of [0, 1])
      expect(mixed.filter((row) => row.car === car)).toEqual(apart.filter((row) => row.car === car));
    // The newest reading of the window is the one before.
    const [, , third] = apart;
    expect(third?.row.slice(16, 32).some((value) => !Number.isNaN(value))).toBe(true);
  });

  it('makes the same network of the same readings and seed', async () => {
    const again = await trainSequence(readings(), options);
    expect(Buffer.from(again.network.weightData).equals(weights)).toBe(true);
  });
});
