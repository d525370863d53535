import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateFleet, type CarMessage } from '../simulator/fleet.js';
import type { FaultName } from '../simulator/faults.js';
import type { Score, ScoreMemory, Scored, Scorer, ToScore } from '../telemetry/score.js';
import { noSignals, type Signals } from '../telemetry/signals.js';
import { loadScorer, type LoadedScorer } from './load-scorer.js';
import { turnsDuring } from '../../test/builders/turns.js';

const SHIPPED = 'models/default';
/** Not among the seeds of training. */
const SEED = 4_242;
const quiet = (): void => undefined;

const refused = (dir: string, why: RegExp) =>
  expect(loadScorer({ dir, backend: 'wasm', evaluator: 'tensorflow', log: quiet })).rejects.toThrow(why);

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** A copy of the shipped model with its metadata changed. */
function tampered(
  change: (metadata: { golden: { scores: number[] }[]; features: { mean: number }[] }) => void,
): string {
  const dir = copyOfShipped();
  const metadata = JSON.parse(readFileSync(join(dir, 'metadata.json'), 'utf8'));
  change(metadata);
  writeFileSync(join(dir, 'metadata.json'), JSON.stringify(metadata));
  return dir;
}

function copyOfShipped(): string {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-twin-model-'));
  folders.push(dir);
  cpSync(SHIPPED, dir, { recursive: true });
  return dir;
}

function toScore({ car, at, signals, label }: CarMessage, memory: ScoreMemory | null = null): ToScore {
  return { reading: { car, at, skewedAt: null, signals, label }, memory };
}

interface Judged {
  readonly message: CarMessage;
  readonly score: Score;
}

/** The messages of a fleet, scored step by step with each car's memory. */
async function drive(
  scorer: Scorer,
  cars: number,
  steps: number,
  mode?: FaultName,
  change?: (signals: Signals) => void,
): Promise<Judged[]> {
  const planned = mode === undefined ? {} : { faults: 1, faultModes: [mode], repairAfter: Infinity };
  const none = { tire: 0, shock: 0, driveShaft: 0, overheating: 0, battery: 0, firmware: 0 };
  const fleet = { cars, seed: SEED, start: 0, stepSeconds: 10, messages: cars * steps, hazards: none };
  const messages = [...simulateFleet({ ...fleet, ...planned })];
  if (change) for (const { signals } of messages) change(signals);
  const memories = new Map<string, ScoreMemory | null>();
  const judged: Judged[] = [];
  for (let start = 0; start < messages.length; start += cars) {
    const round = messages.slice(start, start + cars);
    const scored = await scorer.score(round.map((message) => toScore(message, memories.get(message.car) ?? null)));
    round.forEach((message, place) => {
      const one = scored[place];
      if (one?.kind !== 'scored') throw new Error(`not scored: ${one?.reason}`);
      memories.set(message.car, one.memory);
      judged.push({ message, score: one.score });
    });
  }
  return judged;
}

describe.each([
  ['native', 'tensorflow'],
  ['wasm', 'tensorflow'],
  ['wasm', 'auto'],
] as const)('the shipped model on %s (%s)', (backend, evaluator) => {
  let scorer: LoadedScorer;
  beforeAll(async () => {
    scorer = await loadScorer({ dir: SHIPPED, backend, evaluator, log: quiet });
  });
  afterAll(() => scorer.close());

  it('flags hardly any normal reading of cars that it has never seen', async () => {
    const judged = await drive(scorer, 300, 40);
    const flagged = judged.filter(({ score }) => score.anomalous).length;
    expect(flagged / judged.length).toBeLessThanOrEqual(0.001);
  });

  it.each([
    ['tire', /^tirePressure/],
    ['shock', /^accelerometer/],
    ['driveShaft', /^engineVibration/],
    ['overheating', /^coolantTemp/],
    ['battery', /^battery|^currentDraw/],
    ['firmware', /^controlUnitFirmware/],
  ] as const)('flags %s and blames it on its signals', async (mode, blamed) => {
    const failed = (await drive(scorer, 50, 50, mode)).filter(({ message }) => message.label === true);
    const flagged = failed.filter(({ score }) => score.anomalous);
    expect(flagged.length / failed.length).toBeGreaterThan(0.99);
    const right = flagged.filter(({ score }) => blamed.test(score.topSignals[0]?.signal ?? ''));
    expect(right.length / flagged.length).toBeGreaterThan(0.98);
    for (const { score } of failed) {
      expect(score.topSignals.length).toBeLessThanOrEqual(3);
      expect(score.topSignals.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  it('tells a tire that leaks, subtly, behind an outdated firmware, and is calm about the firmware alone', async () => {
    const cars = await drive(scorer, 40, 60, 'tire', (signals) => (signals.controlUnitFirmware = 1_000));
    const mechanical = cars.flatMap(({ message, score }) => {
      expect(score.topSignals[0]?.signal).toBe('controlUnitFirmware');
      return { failed: message.label, score, value: score.mechanical?.value ?? NaN };
    });
    const failed = mechanical.filter((one) => one.failed === true);
    const found = failed.filter(({ value, score }) => value > score.threshold);
    expect(found.length / failed.length).toBeGreaterThan(0.99);
    expect(found.every(({ score }) => score.mechanical?.topSignals[0]?.signal.startsWith('tire'))).toBe(true);
    const healthy = mechanical.filter((one) => one.failed === false);
    expect(healthy.filter(({ value, score }) => value > score.threshold).length / healthy.length).toBeLessThan(0.005);
  });

  it('scores a batch as it scores one by one', async () => {
    const messages = [...simulateFleet({ cars: 600, seed: SEED, start: 0, stepSeconds: 10, messages: 600 })];
    const batch = messages.map((message) => toScore(message));
    const together = await scorer.score(batch);
    for (const place of [0, 1, 511, 512, 513, 599]) {
      const [alone] = await scorer.score(batch.slice(place, place + 1));
      expect(valueOf(alone)).toBeCloseTo(valueOf(together[place]), 4);
      expect(memoryOf(alone)).toEqual(memoryOf(together[place]));
    }
    expect(await scorer.score([])).toEqual([]);
  });

  it('says which model gave the score, and does not score what it cannot judge', async () => {
    const [reading] = [...simulateFleet({ cars: 1, seed: SEED, start: 0, stepSeconds: 10, messages: 1 })];
    if (reading === undefined) throw new Error('no reading');
    const [good, nothing] = await scorer.score([toScore(reading), toScore({ ...reading, signals: noSignals() })]);
    expect(good).toMatchObject({ kind: 'scored', score: { model: scorer.model } });
    expect(nothing).toMatchObject({ kind: 'unscored' });
  });
});

describe('loadScorer', () => {
  it('gives the event loop a turn every 512 readings', async () => {
    // bench/score.ts measures how long a turn takes; here the machine may be busy with something else.
    const scorer = await loadScorer({ dir: SHIPPED, backend: 'auto', evaluator: 'auto', log: quiet });
    const messages = simulateFleet({ cars: 2_000, seed: SEED, start: 0, stepSeconds: 10, messages: 2_000 });
    const batch = [...messages].map((message) => toScore(message));
    const turns = await turnsDuring(() => scorer.score(batch));
    await scorer.close();
    expect(turns).toBeGreaterThanOrEqual(6);
  });

  it.each([
    ['tensorflow', 'scores with TensorFlow, wasm backend: the settings say so'],
    ['auto', 'scores with WebAssembly vectors, checked against TensorFlow, wasm backend'],
  ] as const)('says in one line which model scores and by what (%s)', async (evaluator, how) => {
    const lines: string[] = [];
    const scorer = await loadScorer({ dir: SHIPPED, backend: 'wasm', evaluator, log: (_, line) => lines.push(line) });
    await scorer.close();
    expect(lines).toEqual([`model ${scorer.model} ${how}`]);
  });

  it('scores alike whoever evaluates the network', async () => {
    const judged = await Promise.all(
      (['tensorflow', 'auto'] as const).map(async (evaluator) => {
        const scorer = await loadScorer({ dir: SHIPPED, backend: 'wasm', evaluator, log: quiet });
        const all = await drive(scorer, 40, 40, 'tire');
        await scorer.close();
        return all;
      }),
    );
    const [one = [], other = []] = judged;
    one.forEach(({ score }, place) => {
      const ratio = (other[place]?.score.value ?? NaN) / score.value;
      expect(Math.abs(ratio - 1)).toBeLessThan(1e-4);
    });
  });

  it('refuses a folder without a model', async () => {
    await expect(
      loadScorer({ dir: 'models/none', backend: 'wasm', evaluator: 'tensorflow', log: quiet }),
    ).rejects.toThrow(/no usable model in models\/none: metadata.json cannot be read \(ENOENT\)/);
  });

  it('takes a model that does not say its kind for an autoencoder, and refuses one of a kind that it does not know', async () => {
    const silent = tampered((metadata) => delete (metadata as { kind?: string }).kind);
    const scorer = await loadScorer({ dir: silent, backend: 'wasm', evaluator: 'tensorflow', log: quiet });
    await scorer.close();
    const odd = tampered((metadata) => Object.assign(metadata, { kind: 'oracle' }));
    await refused(odd, /its kind is oracle; readings of cars are scored by autoencoder, signals, sequence/);
  });

  it('refuses a model with a weight that has changed', async () => {
    const dir = copyOfShipped();
    const weights = readFileSync(join(dir, 'weights.bin'));
    weights.writeFloatLE(weights.readFloatLE(0) + 0.01, 0);
    writeFileSync(join(dir, 'weights.bin'), weights);
    await refused(dir, /golden output \d+ must be/);
  });

  it('refuses a model whose golden readings score otherwise', async () => {
    const dir = tampered(({ features }) => features.forEach((feature) => (feature.mean *= 1.01)));
    await refused(dir, /golden reading \d must score/);
  });

  it('refuses cut weights, and metadata that are none', async () => {
    const cut = copyOfShipped();
    writeFileSync(join(cut, 'weights.bin'), readFileSync(join(cut, 'weights.bin')).subarray(4));
    await refused(cut, /the weights have \d+ bytes/);
    const bad = tampered((metadata) => metadata.golden.splice(0));
    await refused(bad, /golden/);
  });

  it.each(['tensorflow', 'auto'] as const)('leaves unscored what is asked after its end (%s)', async (evaluator) => {
    const scorer = await loadScorer({ dir: SHIPPED, backend: 'wasm', evaluator, log: quiet });
    await scorer.close();
    await scorer.close();
    const [reading] = [...simulateFleet({ cars: 1, seed: SEED, start: 0, stepSeconds: 10, messages: 1 })];
    expect(await scorer.score(reading === undefined ? [] : [toScore(reading)])).toMatchObject([
      { kind: 'unscored', reason: 'the model has been closed' },
    ]);
  });
});

function valueOf(scored: Scored | undefined): number {
  return scored?.kind === 'scored' ? scored.score.value : NaN;
}

function memoryOf(scored: Scored | undefined): ScoreMemory | null {
  return scored?.kind === 'scored' ? scored.memory : null;
}
