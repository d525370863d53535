import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ArrayErrorKind, ArrayErrors } from '../telemetry/array-reading.js';
import { readArrayCsv } from './array-csv.js';
import type { ArrayFolder, ArrayMetadata } from './array-folder.js';
import { errorsOf, normalised } from './array-rows.js';
import { ExactChain } from './exact-chain.js';
import { activationOf, readH2oFile, type H2oFile } from './h2o-file.js';
import type { NetworkFiles } from './model-folder.js';
import { seeded } from './seeded.js';

export interface ImportOptions {
  readonly name: string;
  /** The error that the score is. */
  readonly score: ArrayErrorKind;
  readonly threshold?: number | undefined;
  /** A file of normal arrays: the highest of their scores becomes the threshold. */
  readonly normal?: string | undefined;
  readonly command: string;
}

export interface Imported {
  readonly folder: ArrayFolder;
  /** Data that the file has expected errors for and that do not lie beside it. */
  readonly unchecked: readonly string[];
  /** Arrays that lay beside it. */
  readonly arrays: readonly Float64Array[];
}

/** What double precision and another order of summing may differ by, relative to a value above 1. */
export const EXACT_TOLERANCE = 1e-12;

type Errors = (arrays: readonly Float64Array[]) => ArrayErrors[];

/**
 * A model folder for the autoencoder in a file of H2O's weights. Where the file says what reconstruction errors it expects
 * for NAME and NAME.csv lies beside it, the model has to give them.
 * @throws Error with one sentence
 */
export function importH2o(path: string, options: ImportOptions): Imported {
  const { file, bytes } = readH2oFile(path);
  const { network, exactWeights } = networkOf(file);
  const chain = ExactChain.of(network, exactWeights);
  if (typeof chain === 'string') throw new Error(`${path} cannot be evaluated: ${chain}`);
  const normaliser = { mean: file.means, factor: file.mults };
  const errors: Errors = (arrays) => {
    const inputs = normalised(arrays, normaliser);
    const outputs = chain.run(inputs, arrays.length);
    return arrays.map((values, row) => errorsOf(values, inputs, outputs, row * values.length, normaliser));
  };
  const { expected, unchecked, arrays } = checkExpected(path, file, errors);
  const threshold = thresholdOf(path, file, options, errors);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const metadata: ArrayMetadata = {
    format: 'fleet-twin-model-1',
    name: options.name,
    version: versionOf(sha256, options.score, threshold.value),
    kind: 'array',
    inputs: file.means.length,
    normaliser,
    layers: file.activations.map((name, layer) => ({
      units: file.layers[layer + 1] ?? 0,
      activation: activationOf(name) ?? name,
    })),
    score: options.score,
    threshold: threshold.value,
    thresholdMade: threshold.made,
    source: { kind: 'h2o', file: basename(path), sha256, command: options.command, says: saidBy(file), expected },
    golden: goldenOf(file, chain, errors),
  };
  return { folder: { metadata, network, exactWeights }, unchecked, arrays };
}

/** The weights, turned from output × input to input × output, as tfjs has them. */
function networkOf({ layers, activations, weights, biases }: H2oFile) {
  const weightSpecs: NetworkFiles['weightSpecs'][number][] = [];
  const exact: number[] = [];
  for (const [layer, rows] of weights.entries()) {
    const [inputs, units] = [layers[layer] ?? 0, layers[layer + 1] ?? 0];
    for (let input = 0; input < inputs; input++) for (const row of rows) exact.push(row[input] ?? NaN);
    exact.push(...(biases[layer] ?? []));
    weightSpecs.push({ name: `dense${layer + 1}/kernel`, shape: [inputs, units], dtype: 'float32' });
    weightSpecs.push({ name: `dense${layer + 1}/bias`, shape: [units], dtype: 'float32' });
  }
  const exactWeights = Float64Array.from(exact);
  const network: NetworkFiles = {
    modelTopology: topologyOf(layers, activations),
    weightSpecs,
    weightData: Float32Array.from(exactWeights).buffer,
  };
  return { network, exactWeights };
}

function topologyOf(layers: readonly number[], activations: readonly string[]): object {
  const dense = activations.map((activation, layer) => ({
    class_name: 'Dense',
    config: {
      name: `dense${layer + 1}`,
      units: layers[layer + 1],
      activation: activationOf(activation),
      use_bias: true,
      ...(layer === 0 && { batch_input_shape: [null, layers[0]], dtype: 'float32' }),
    },
  }));
  return {
    class_name: 'Sequential',
    config: { name: 'autoencoder', layers: dense },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
}

function checkExpected(path: string, file: H2oFile, errors: Errors) {
  const expected: ArrayMetadata['source']['expected'] = {};
  const unchecked: string[] = [];
  const all: Float64Array[] = [];
  for (const [name, wanted] of Object.entries(file.expected)) {
    const data = join(dirname(path), `${basename(name)}.csv`);
    if (!existsSync(data)) {
      unchecked.push(`${basename(name)}.csv`);
      continue;
    }
    const arrays = readArrayCsv(data, file.means.length);
    if (arrays.length !== wanted.score_raw.length)
      throw new Error(`${path} expects errors of ${wanted.score_raw.length} arrays, ${data} has ${arrays.length}`);
    let largest = 0;
    for (const [row, { raw, standardised }] of errors(arrays).entries()) {
      largest = Math.max(
        largest,
        differenceFrom(wanted.score_raw[row], raw, `${data}, line ${row + 1}: score_raw`),
        differenceFrom(wanted.mse_standardised[row], standardised, `${data}, line ${row + 1}: mse_standardised`),
      );
    }
    expected[name] = { arrays: arrays.length, largestDifference: largest };
    all.push(...arrays);
  }
  return { expected, unchecked, arrays: all };
}

/** @throws Error where the two are not the same number but for rounding */
function differenceFrom(wanted = NaN, got: number, what: string): number {
  const difference = Math.abs(got - wanted);
  // Not ">": a NaN must fail, too.
  if (difference <= EXACT_TOLERANCE * Math.max(1, Math.abs(wanted))) return difference;
  throw new Error(`${what} should be ${wanted}, the model of the file gives ${got}`);
}

/** Deviations from the median that an array without a name to it may have; one that is distributed normally never does. */
const SPREADS = 5;
const NORMAL_SPREAD = 1.4826;

function thresholdOf(
  path: string,
  file: H2oFile,
  { threshold, normal, score }: ImportOptions,
  errors: Errors,
): { value: number; made: string } {
  if (threshold !== undefined) return { value: threshold, made: 'given at the import' };
  if (normal !== undefined) {
    const scores = errors(readArrayCsv(normal, file.means.length)).map((one) => one[score]);
    return {
      value: positive(Math.max(...scores)),
      made: `the highest score of the ${scores.length} arrays of ${basename(normal)}`,
    };
  }
  const field = score === 'raw' ? 'score_raw' : 'mse_standardised';
  const scores = Object.values(file.expected).flatMap((one) => one[field]);
  if (scores.length < 5)
    throw new Error(`${path} has too few expected errors to make a threshold of: give --threshold or --normal`);
  const median = medianOf(scores);
  const spread = NORMAL_SPREAD * medianOf(scores.map((one) => Math.abs(one - median)));
  const made = `median plus ${SPREADS} robust standard deviations of the ${scores.length} errors (${field}) that the file expects of arrays which nobody has called normal`;
  return { value: positive(median + SPREADS * spread), made };
}

function positive(value: number): number {
  if (value > 0) return value;
  throw new Error(`the threshold would be ${value}: give --threshold`);
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

const GOLDEN_ARRAYS = 4;

/** Arrays all over the normal range; near its middle, too: large ones saturate the network. */
function goldenOf({ means, mults }: H2oFile, chain: ExactChain, errors: Errors): ArrayMetadata['golden'] {
  const random = seeded(means.length);
  return Array.from({ length: GOLDEN_ARRAYS }, (_, row) => {
    const reach = 1 / 4 ** row;
    const values = Float64Array.from(means, (mean, i) => mean + ((2 * random() - 1) * reach) / (mults[i] ?? 1));
    const outputs = chain.run(normalised([values], { mean: means, factor: mults }), 1);
    const [found = { raw: NaN, standardised: NaN }] = errors([values]);
    return { values: [...values], outputs: [...outputs], errors: found };
  });
}

/** Models that score alike are called alike, others never. */
function versionOf(sha256: string, score: ArrayErrorKind, threshold: number): string {
  return createHash('sha256').update(`${sha256} ${score} ${threshold}`).digest('hex').slice(0, 8);
}

const SAID_LENGTH = 300;

function saidBy({ meta }: H2oFile): Record<string, string> {
  const texts = Object.entries(meta).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts.map(([what, text]) => [what, text.slice(0, SAID_LENGTH)]));
}
