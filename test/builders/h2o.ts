import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { H2oFile } from '../../src/score/h2o-file.js';
import { seeded } from '../../src/score/seeded.js';

/** The public weights and their electrocardiograms, where they lie beside the project. */
export const ECG_DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');
export const ECG_WEIGHTS = join(ECG_DATA, 'h2o-ecg-autoencoder.json');

/** Says so where they are not: what is checked on them alone is left out. */
export function hasEcgData(): boolean {
  const there = existsSync(ECG_WEIGHTS);
  if (!there) process.stderr.write(`${ECG_WEIGHTS} is not there: the checks on it are left out\n`);
  return there;
}

/** A small autoencoder of 6 values in H2O's form, any weights, with tanh and a rectifier. */
export function anH2oFile(overrides: Partial<H2oFile> = {}): H2oFile {
  const random = seeded(7);
  const numbers = (count: number) => Array.from({ length: count }, () => 2 * random() - 1);
  const layers = [6, 4, 3, 6];
  const steps = layers.slice(1).map((units, layer) => ({ units, inputs: layers[layer] ?? 0 }));
  return {
    meta: { model: 'made by a test' },
    layers,
    activations: ['tanh', 'Rectifier', 'tanh'],
    means: numbers(6).map((value) => 5 * value),
    mults: numbers(6).map((value) => 0.1 + Math.abs(value)),
    weights: steps.map(({ units, inputs }) => Array.from({ length: units }, () => numbers(inputs))),
    biases: steps.map(({ units }) => numbers(units)),
    expected: {},
    ...overrides,
  };
}

/** The errors of an array by the definition, written down as plainly as can be: [raw, standardised]. */
export function plainErrors({ means, mults, weights, biases, activations }: H2oFile, values: readonly number[]) {
  const inputs = values.map((value, i) => (value - (means[i] ?? 0)) * (mults[i] ?? 0));
  const outputs = weights.reduce(
    (flow, rows, layer) =>
      rows.map((row, unit) => {
        const sum = row.reduce((total, weight, i) => total + weight * (flow[i] ?? 0), biases[layer]?.[unit] ?? 0);
        return activations[layer]?.toLowerCase() === 'tanh' ? Math.tanh(sum) : Math.max(0, sum);
      }),
    inputs,
  );
  const mean = (squares: number[]) => squares.reduce((a, b) => a + b, 0) / squares.length;
  const back = outputs.map((output, i) => output / (mults[i] ?? 0) + (means[i] ?? 0));
  return {
    raw: mean(values.map((value, i) => (value - (back[i] ?? 0)) ** 2)),
    standardised: mean(inputs.map((input, i) => (input - (outputs[i] ?? 0)) ** 2)),
  };
}

/** A folder with the weights in it and, where given, arrays beside them as NAME.csv. */
export function aFolderOf(content: unknown, beside: Readonly<Record<string, readonly (readonly number[])[]>> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-twin-h2o-'));
  const file = join(dir, 'weights.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  for (const [name, rows] of Object.entries(beside))
    writeFileSync(join(dir, `${name}.csv`), rows.map((row) => `${row.join(',')}\n`).join(''));
  return { dir, file };
}
