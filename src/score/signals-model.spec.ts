import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateFleet } from '../simulator/fleet.js';
import type { ToScore } from '../telemetry/score.js';
import type { Signals } from '../telemetry/signals.js';
import { loadScorer, type LoadedScorer } from './load-scorer.js';
import { readSignalsFolder, type SignalsMetadata } from './signals-folder.js';
import { affine } from './signals-model.js';

const REFERENCE = 'models/reference';
const quiet = (): void => undefined;
const root = mkdtempSync(join(tmpdir(), 'fleet-twin-signals-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A copy of the shipped reference with its metadata changed. Golden scores stay those of the shipped one. */
function changed(name: string, change: (metadata: SignalsMetadata) => object): string {
  const dir = join(root, name);
  cpSync(REFERENCE, dir, { recursive: true });
  const { metadata } = readSignalsFolder(REFERENCE);
  writeFileSync(join(dir, 'metadata.json'), JSON.stringify({ ...metadata, ...change(metadata) }));
  return dir;
}

function readings(count: number): ToScore[] {
  const fleet = simulateFleet({ cars: count, seed: 77, start: 0, stepSeconds: 10, messages: count });
  return [...fleet].map(({ car, at, signals, label }) => ({
    reading: { car, at, skewedAt: null, signals, label },
    memory: null,
  }));
}

function without({ reading, memory }: ToScore, missing: Partial<Signals>): ToScore {
  return { memory, reading: { ...reading, signals: { ...reading.signals, ...missing } } };
}

async function valuesOf(scorer: LoadedScorer, batch: readonly ToScore[]): Promise<number[]> {
  const scored = await scorer.score(batch);
  return scored.map((one) => (one.kind === 'scored' ? one.score.value : NaN));
}

describe('a model of named signals', () => {
  const { metadata, network } = readSignalsFolder(REFERENCE);
  let fast: LoadedScorer;
  let slow: LoadedScorer;
  beforeAll(async () => {
    fast = await loadScorer({ dir: REFERENCE, backend: 'wasm', evaluator: 'auto', log: quiet });
    slow = await loadScorer({ dir: REFERENCE, backend: 'native', evaluator: 'tensorflow', log: quiet });
  });
  afterAll(async () => {
    await fast.close();
    await slow.close();
  });

  it('scores by vector code as by TensorFlow', async () => {
    expect([fast.evaluator, slow.evaluator]).toEqual(['dense', 'tensorflow']);
    const batch = readings(600);
    const [one, other] = [await valuesOf(fast, batch), await valuesOf(slow, batch)];
    one.forEach((value, place) => expect(Math.abs(value / (other[place] ?? NaN) - 1)).toBeLessThan(1e-4));
  });

  it('scores by the mean squared error of the normalised signals, and shares it out', async () => {
    const [item] = readings(1);
    if (!item) throw new Error('no reading');
    // The network by hand: dense layers in double precision.
    const given = metadata.inputs.map(({ name, normaliser }) => {
      const { mean, scale } = affine(normaliser);
      return normaliser.kind === 'zero' ? 0 : ((item.reading.signals[name] ?? NaN) - mean) / scale;
    });
    const weights = new Float32Array(network.weightData);
    let flow = given;
    let offset = 0;
    const activations = [Math.tanh, relu, Math.tanh, relu];
    for (const [layer, units] of [14, 7, 7, 18].entries()) {
      const kernel = weights.subarray(offset, (offset += flow.length * units));
      const bias = weights.subarray(offset, (offset += units));
      const before = flow;
      flow = Array.from({ length: units }, (_, unit) => {
        const sum = before.reduce(
          (total, value, i) => total + value * (kernel[i * units + unit] ?? NaN),
          bias[unit] ?? NaN,
        );
        return activations[layer]?.(sum) ?? NaN;
      });
    }
    const squares = given.map((value, i) => (value - (flow[i] ?? NaN)) ** 2);
    const total = squares.reduce((sum, one) => sum + one, 0);
    const [scored] = await slow.score([item]);
    if (scored?.kind !== 'scored') throw new Error('not scored');
    expect(scored.score.value).toBeCloseTo(total / 18, 5);
    expect(scored.memory).toBeNull();
    const worst = squares.indexOf(Math.max(...squares));
    expect(scored.score.topSignals[0]?.signal).toBe(metadata.inputs[worst]?.name);
    expect(scored.score.topSignals[0]?.share).toBeCloseTo((squares[worst] ?? NaN) / total, 5);
  });

  it('leaves a missing signal out of the error, with its normal mean for the network, and never takes it for 0', async () => {
    const [item] = readings(1);
    if (!item) throw new Error('no reading');
    const { mean, scale } = affine({ kind: 'range', min: 20, max: 35 });
    const place = metadata.inputs.findIndex(({ name }) => name === 'tirePressure11');
    const normal = mean + scale * (metadata.inputs[place]?.normalMean ?? NaN);
    const [missing = NaN, atMean = NaN, zero = NaN] = await valuesOf(slow, [
      without(item, { tirePressure11: null }),
      without(item, { tirePressure11: normal }),
      without(item, { tirePressure11: 0 }),
    ]);
    const [scored] = await slow.score([without(item, { tirePressure11: normal })]);
    const share = scored?.kind === 'scored' ? scored.score.topSignals : [];
    // The network's answers are the same; only that signal's own error is gone.
    expect(missing * 17).toBeLessThanOrEqual(atMean * 18 + 1e-6);
    expect(missing * 17).toBeGreaterThan(atMean * 18 - 1);
    expect(share.some(({ signal }) => signal === 'tirePressure11')).toBe(false);
    expect(zero).toBeGreaterThan(missing + 0.1);
  });

  it('leaves a reading unscored where the metadata says so', async () => {
    const dir = changed('strict', () => ({ missing: 'leave-unscored' }));
    const scorer = await loadScorer({ dir, backend: 'wasm', evaluator: 'auto', log: quiet });
    const [item] = readings(1);
    if (!item) throw new Error('no reading');
    const scored = await scorer.score([item, without(item, { speed: null }), without(item, { coolantTemp: null })]);
    await scorer.close();
    // Of the coolant it looks at nothing.
    expect(scored.map(({ kind }) => kind)).toEqual(['scored', 'unscored', 'scored']);
    expect(scored[1]).toMatchObject({ reason: 'the model needs every signal, and speed is missing' });
  });

  it('scores by the worst signal over its normal error where the metadata says so', async () => {
    const golden = metadata.golden.map((one) => ({ readings: one.readings.slice(0, 0), scores: [] }));
    const dir = changed('worst', () => ({ score: 'worst-feature', threshold: 1, golden }));
    const scorer = await loadScorer({ dir, backend: 'wasm', evaluator: 'auto', log: quiet });
    const [item] = readings(1);
    if (!item) throw new Error('no reading');
    const [scored] = await scorer.score([without(item, { accelerometer12: 70 })]);
    await scorer.close();
    const most = metadata.inputs.find(({ name }) => name === 'accelerometer12')?.normalError.above ?? NaN;
    if (scored?.kind !== 'scored') throw new Error('not scored');
    expect(scored.score.topSignals[0]?.signal).toBe('accelerometer12');
    // 70 is 19 as -1..1 of 0..7.
    expect(scored.score.value * most).toBeGreaterThan(17);
    expect(scored.score.value * most).toBeLessThan(20);
  });

  it('is refused where it names fewer signals than its network has, or a signal twice', async () => {
    const fewer = changed('fewer', ({ inputs }) => ({ inputs: inputs.slice(1) }));
    await expect(loadScorer({ dir: fewer, backend: 'wasm', evaluator: 'auto', log: quiet })).rejects.toThrow(
      /it names 17 signals, and a golden input of its network has 18/,
    );
    const twice = changed('twice', ({ inputs }) => ({ inputs: [...inputs.slice(1), inputs[1]] }));
    await expect(loadScorer({ dir: twice, backend: 'wasm', evaluator: 'auto', log: quiet })).rejects.toThrow(
      /a signal is named twice/,
    );
  });

  it('is small, and says in its card what it is', () => {
    expect(network.weightData.byteLength).toBeLessThan(4_000);
    expect(readFileSync(join(REFERENCE, 'MODEL.md'), 'utf8')).toContain(
      'baseline that other models are measured against',
    );
  });
});

function relu(value: number): number {
  return Math.max(0, value);
}
