import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { simulateFleet, type FleetOptions } from '../simulator/fleet.js';
import type { Reading } from '../telemetry/reading.js';
import type { EpochProgress } from './fit.js';
import { loadScorer } from './load-scorer.js';
import { modelCard } from './model-card.js';
import { writeModelFolder } from './model-folder.js';
import { trainModel } from './train-model.js';

const root = mkdtempSync(join(tmpdir(), 'fleet-twin-train-'));
afterAll(() => rmSync(root, { recursive: true }));

const options = {
  name: 'small',
  source: 'a test',
  command: 'none',
  seed: 5,
  order: 'arrival' as const,
  epochs: 3,
  quantile: 0.995,
  onEpoch: (): void => undefined,
  say: (): void => undefined,
};

function* readings(more: Partial<FleetOptions> = {}): Generator<Reading> {
  const fleet = { cars: 120, seed: 1, start: 0, stepSeconds: 10, messages: 4_800, ...more };
  for (const { car, at, signals, label } of simulateFleet(fleet)) yield { car, at, skewedAt: null, signals, label };
}

describe('trainModel', () => {
  it('makes a folder that can be loaded and tells a broken car from a whole one', async () => {
    const epochs: EpochProgress[] = [];
    const folder = await trainModel(readings(), { ...options, onEpoch: (epoch) => epochs.push(epoch) });
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(epochs[2]?.heldOut).toBeLessThan(epochs[0]?.heldOut ?? 0);
    const { metrics } = folder.metadata;
    expect(metrics['heldOutLoss']).toBe(Math.min(...epochs.map(({ heldOut }) => heldOut)));
    expect(metrics['thresholdReadings']).toBeGreaterThan(500);
    expect(metrics['flaggedOfThem']).toBeLessThanOrEqual(1 - options.quantile);
    const dir = join(root, 'models', 'small');
    // The second time it replaces the first.
    for (let i = 0; i < 2; i++) writeModelFolder(dir, folder, modelCard(folder.metadata));
    expect(readdirSync(join(root, 'models'))).toEqual(['small']);
    expect(readdirSync(dir).sort()).toEqual(['MODEL.md', 'metadata.json', 'model.json', 'weights.bin']);
    expect(readFileSync(join(dir, 'MODEL.md'), 'utf8')).toContain(folder.metadata.training.dataHash);
    const scorer = await loadScorer({ dir, backend: 'wasm', evaluator: 'auto', log: () => undefined });
    const [whole] = [...readings({ seed: 9, cars: 1, messages: 1 })];
    if (whole === undefined) throw new Error('no reading');
    const broken = { ...whole, signals: { ...whole.signals, tirePressure11: 20 } };
    const scored = await scorer.score([whole, broken].map((reading) => ({ reading, memory: null })));
    await scorer.close();
    expect(scored).toMatchObject([
      { kind: 'scored', score: { anomalous: false } },
      { kind: 'scored', score: { anomalous: true, topSignals: [{ signal: 'tirePressure11' }, {}, {}] } },
    ]);
  });

  it('makes the same model of the same readings and seed', async () => {
    const [one, two] = [await trainModel(readings(), options), await trainModel(readings(), options)];
    expect(two.metadata).toEqual(one.metadata);
    expect(Buffer.from(two.network.weightData)).toEqual(Buffer.from(one.network.weightData));
  });

  it('leaves failed readings out', async () => {
    const healthy = await trainModel(readings(), { ...options, epochs: 1 });
    const mixed = await trainModel(readings({ cars: 240, messages: 9_600, faults: 0.3, faultAfter: [10, 20] }), {
      ...options,
      epochs: 1,
    });
    const normal = (folder: typeof mixed) => folder.metadata.features.find(({ name }) => name === 'vibrationPerSpeed');
    expect(normal(mixed)?.mean).toBeCloseTo(normal(healthy)?.mean ?? 0, 6);
  });

  it('says how much there was when it is too little', async () => {
    const few = readings({ cars: 2, messages: 10 });
    await expect(trainModel(few, options)).rejects.toThrow(/10 readings of 2 cars leave \d+ rows to/);
  });
});
