import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { trainingCars } from '../simulator/training-cars.js';
import type { EpochProgress } from './fit.js';
import { loadScorer } from './load-scorer.js';
import { writeModelFolder } from './model-folder.js';
import { TRAINERS } from './model-kinds.js';
import { trainReference } from './train-reference.js';

const root = mkdtempSync(join(tmpdir(), 'fleet-twin-reference-'));
afterAll(() => rmSync(root, { recursive: true }));

const options = {
  name: 'small',
  source: 'a test',
  command: 'none',
  seed: 5,
  order: 'arrival' as const,
  epochs: 2,
  quantile: 0.99,
  onEpoch: (): void => undefined,
  say: (): void => undefined,
};
const readings = () => trainingCars({ seed: 3, cars: 150, messages: 30 });

describe('trainReference', () => {
  it('makes a folder that can be loaded, of the same weights for the same readings and seed', async () => {
    const epochs: EpochProgress[] = [];
    const one = await TRAINERS.reference(readings(), { ...options, onEpoch: (epoch) => epochs.push(epoch) });
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(epochs[1]?.loss).toBeLessThan(epochs[0]?.loss ?? 0);
    expect(epochs[1]?.seconds).toBeGreaterThan(epochs[0]?.seconds ?? Infinity);
    const dir = join(root, 'reference');
    writeModelFolder(dir, one, one.card);
    const scorer = await loadScorer({ dir, backend: 'wasm', evaluator: 'auto', log: () => undefined });
    await scorer.close();
    expect([scorer.evaluator, scorer.threshold]).toEqual(['dense', one.metadata.threshold]);
    const two = await trainReference(readings(), options);
    expect(Buffer.from(two.network.weightData)).toEqual(Buffer.from(one.network.weightData));
    expect(two.metadata.metrics['flaggedOfThem']).toBeLessThanOrEqual(1 - options.quantile);
  });
});
