import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Activation } from './dense-layers.js';

const numbers = z.array(z.number()).min(1);

const fileSchema = z.object({
  meta: z.record(z.string(), z.unknown()).default({}),
  layers: z.array(z.number().int().positive()).min(2),
  activations: z.array(z.string()),
  means: numbers,
  mults: numbers,
  /** By layer, output and input. */
  weights: z.array(z.array(numbers)),
  biases: z.array(numbers),
  /** By name of a data file: its rows' reconstruction errors. */
  expected: z.record(z.string(), z.object({ score_raw: numbers, mse_standardised: numbers })).default({}),
});

/** The weights of an autoencoder of H2O's deep learning, as its generated source holds them. */
export type H2oFile = z.infer<typeof fileSchema>;

/** H2O's names of activations, and ours. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  tanh: 'tanh',
  rectifier: 'relu',
  relu: 'relu',
  linear: 'linear',
};

export function activationOf(name: string): Activation | undefined {
  return Object.hasOwn(ACTIVATIONS, name.toLowerCase()) ? ACTIVATIONS[name.toLowerCase()] : undefined;
}

/** @throws Error with one sentence where the file is no such autoencoder */
export function readH2oFile(path: string): { file: H2oFile; bytes: Buffer } {
  const bytes = bytesOf(path);
  const parsed = fileSchema.safeParse(jsonOf(path, bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${path} is no H2O autoencoder: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
  }
  const fault = faultOf(parsed.data);
  if (fault !== null) throw new Error(`${path} is no H2O autoencoder: ${fault}`);
  return { file: parsed.data, bytes };
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function jsonOf(path: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

function faultOf({ layers, activations, means, mults, weights, biases, expected }: H2oFile): string | null {
  const width = layers[0] ?? 0;
  const steps = layers.length - 1;
  if (layers.at(-1) !== width) return `it takes ${width} values and gives ${layers.at(-1)}: no autoencoder`;
  if (means.length !== width || mults.length !== width)
    return `there are ${means.length} means and ${mults.length} mults for ${width} values`;
  if (mults.includes(0)) return 'a mult is 0';
  if (weights.length !== steps || biases.length !== steps || activations.length !== steps)
    return `there have to be weights, biases and activations of ${steps} layers`;
  for (const [layer, rows] of weights.entries()) {
    const [inputs, units] = [layers[layer] ?? 0, layers[layer + 1] ?? 0];
    if (rows.length !== units || rows.some(({ length }) => length !== inputs))
      return `the weights of layer ${layer + 1} are not ${units} rows of ${inputs}`;
    if (biases[layer]?.length !== units) return `layer ${layer + 1} has not ${units} biases`;
    if (activationOf(activations[layer] ?? '') === undefined)
      return `layer ${layer + 1} has the activation ${activations[layer]}, which is not known here`;
  }
  for (const [name, { score_raw: raw, mse_standardised: standardised }] of Object.entries(expected))
    if (raw.length !== standardised.length) return `expected ${name} has errors of another number of rows each`;
  return null;
}
