import { FEATURES, FEATURE_COUNT } from './features.js';
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
  const errors = FEATURES.map(() => new Numbers(rows.count));
  for (const part of partsOf(rows)) {
    const outputs = await reconstruct(judge.toInputs(part.values), part.count);
    part.values.forEach((value, at) => {
      if (!Number.isNaN(value)) errors[at % FEATURE_COUNT]?.add(value - (outputs[at] ?? NaN));
    });
  }
  plain.forEach((feature, i) => {
    feature.normalError = normalErrorOf(errors[i]?.sorted() ?? new Float64Array(), i, feature);
  });
  return plain;
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

function normalErrorOf(sorted: Float64Array, index: number, feature: ModelFeature): ModelFeature['normalError'] {
  const { mean, scale } = feature;
  const least = Math.max(LEAST_ERROR, ((FEATURES[index]?.tolerance ?? 0) * Math.abs(mean)) / scale);
  return {
    below: Math.max(least, -quantileOf(sorted, 1 - NORMAL)),
    above: Math.max(least, quantileOf(sorted, NORMAL)),
  };
}

/** The scores of rows, sorted; those without one are left out. */
export async function scoresOf(rows: Rows, rules: JudgeRules, reconstruct: Reconstruct): Promise<Float64Array> {
  const judge = new Judge(rules);
  const scores = new Numbers(rows.count);
  for (const part of partsOf(rows)) {
    const outputs = await reconstruct(judge.toInputs(part.values), part.count);
    for (let row = 0; row < part.count; row++) {
      const score = judge.score(part.values, outputs, row * FEATURE_COUNT);
      if (score !== null) scores.add(score.value);
    }
  }
  return scores.sorted();
}

/** Of each feature, the errors of all rows over its normal error; 0 on the side where a row has none. */
export async function ratiosOf(
  rows: Rows,
  rules: JudgeRules,
  reconstruct: Reconstruct,
): Promise<{ below: number[]; above: number[] }[]> {
  const judge = new Judge(rules);
  const { features } = rules;
  const ratios = features.map(() => ({ below: [] as number[], above: [] as number[] }));
  for (const part of partsOf(rows)) {
    const outputs = await reconstruct(judge.toInputs(part.values), part.count);
    part.values.forEach((value, at) => {
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

/** Copies: the judge normalises in place. */
function* partsOf({ count, values }: Rows): Generator<Rows> {
  for (let start = 0; start < count; start += ROWS_AT_ONCE) {
    const end = Math.min(count, start + ROWS_AT_ONCE);
    yield { count: end - start, values: values.slice(start * FEATURE_COUNT, end * FEATURE_COUNT) };
  }
}
