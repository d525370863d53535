import { FEATURES } from './features.js';
import { Judge, type JudgeRules } from './judge.js';
import type { ModelFeature, ModelMetadata } from './model-folder.js';
import type { Normaliser } from './normaliser.js';
import type { Rows } from './training-set.js';

/** What the network makes of rows of inputs. */
export type Reconstruct = (inputs: Float32Array<ArrayBuffer>, rows: number) => Promise<Float32Array>;

/**
 * The part of the normal readings whose error of a feature is taken to be normal. Nearly all: at 99.9 % the features with
 * long tails would push the threshold up for the others.
 */
const NORMAL = 0.99995;
/** No error below this many scales counts as one, however well the network knows the feature. */
const LEAST_ERROR = 0.05;
const ROWS_AT_ONCE = 4_096;
const QUANTILES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1];

/** Rows as they are judged, with what the network made of them. */
export interface Answers {
  readonly count: number;
  /** rows × features, normalised, NaN where missing */
  readonly values: Float64Array;
  /** rows × features */
  readonly outputs: Float32Array;
}

/** Each feature's mean, scale and normal error on rows that the network was not fitted to. */
export async function featuresWithErrors(
  rows: Rows,
  { mean, scale }: Normaliser,
  inputLimit: number,
  reconstruct: Reconstruct,
): Promise<ModelFeature[]> {
  const plain = FEATURES.map(({ name, signal, derivation }, i) => ({
    name,
    signal,
    derivation,
    mean: mean[i] ?? 0,
    scale: scale[i] ?? 1,
    normalError: { below: 1, above: 1 },
  }));
  const judge = new Judge({ features: plain, name: 'calibration', version: '0', threshold: 1, inputLimit });
  const errors = await normalErrorsOf(answersTo(rows, judge, reconstruct), rows.count, plain.map(leastErrorOf));
  return plain.map((feature, i) => ({ ...feature, normalError: errors[i] ?? feature.normalError }));
}

/** In scales: what a sensor may be off by without anybody minding. */
export function leastErrorOf({ mean, scale }: Pick<ModelFeature, 'mean' | 'scale'>, index: number): number {
  return ((FEATURES[index]?.tolerance ?? 0) * Math.abs(mean)) / scale;
}

/**
 * @param count of the rows that are answered, in all
 * @param least below this no error of a feature counts as one
 */
export async function normalErrorsOf(
  answers: AsyncIterable<Answers>,
  count: number,
  least: readonly number[],
): Promise<ModelFeature['normalError'][]> {
  const width = least.length;
  const errors = least.map(() => new Numbers(count));
  for await (const { values, outputs } of answers) {
    values.forEach((value, at) => {
      if (!Number.isNaN(value)) errors[at % width]?.add(value - (outputs[at] ?? NaN));
    });
  }
  return least.map((one, i) => {
    const sorted = errors[i]?.sorted() ?? new Float64Array();
    const limit = Math.max(LEAST_ERROR, one);
    return {
      below: Math.max(limit, -quantileOf(sorted, 1 - NORMAL)),
      above: Math.max(limit, quantileOf(sorted, NORMAL)),
    };
  });
}

/** The scores of rows, sorted; those without one are left out. */
export function scoresOf(rows: Rows, rules: JudgeRules, reconstruct: Reconstruct): Promise<Float64Array> {
  const judge = new Judge(rules);
  return scoresFrom(answersTo(rows, judge, reconstruct), rows.count, judge);
}

/** As `scoresOf`, of rows that have been answered. */
export async function scoresFrom(answers: AsyncIterable<Answers>, count: number, judge: Judge): Promise<Float64Array> {
  const scores = new Numbers(count);
  for await (const { count: rows, values, outputs } of answers) {
    for (let row = 0; row < rows; row++) {
      const score = judge.score(values, outputs, row * judge.size);
      if (score !== null) scores.add(score.value);
    }
  }
  return scores.sorted();
}

/** Numbers of which there are at most so many: growing arrays of arrays would take several times the memory. */
class Numbers {
  readonly #values: Float64Array;
  #count = 0;

  constructor(most: number) {
    this.#values = new Float64Array(most);
  }

  add(value: number): void {
    this.#values[this.#count++] = value;
  }

  /** The same memory: to be called once. */
  sorted(): Float64Array {
    return this.#values.subarray(0, this.#count).sort();
  }
}

/** Of each feature, the errors of all rows over its normal error; 0 on the side where a row has none. */
export async function ratiosOf(
  rows: Rows,
  rules: JudgeRules,
  reconstruct: Reconstruct,
): Promise<{ below: number[]; above: number[] }[]> {
  const { features } = rules;
  const ratios = features.map(() => ({ below: [] as number[], above: [] as number[] }));
  for await (const { values, outputs } of answersTo(rows, new Judge(rules), reconstruct)) {
    values.forEach((value, at) => {
      const feature = at % features.length;
      const error = value - (outputs[at] ?? NaN);
      const { below = 1, above = 1 } = features[feature]?.normalError ?? {};
      if (Number.isNaN(error)) return;
      ratios[feature]?.below.push(Math.max(0, -error / below));
      ratios[feature]?.above.push(Math.max(0, error / above));
    });
  }
  return ratios;
}

export function quantilesOf(sorted: Float64Array): ModelMetadata['normalScores'] {
  return QUANTILES.map((quantile) => ({ quantile, score: quantileOf(sorted, quantile) }));
}

/** @param sorted rising; 0 where empty */
export function quantileOf(sorted: Float64Array, quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
}

/** What the network makes of rows that it is to give back, some thousand at a time. */
export async function* answersTo(rows: Rows, judge: Judge, reconstruct: Reconstruct): AsyncGenerator<Answers> {
  for (const { count, values } of partsOf(rows, judge.size)) {
    const inputs = judge.toInputs(values);
    yield { count, values, outputs: await reconstruct(inputs, count) };
  }
}

/** Copies: the judge normalises in place. */
export function* partsOf({ count, values }: Rows, width: number): Generator<Rows> {
  for (let start = 0; start < count; start += ROWS_AT_ONCE) {
    const end = Math.min(count, start + ROWS_AT_ONCE);
    yield { count: end - start, values: values.slice(start * width, end * width) };
  }
}
