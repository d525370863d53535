import { setImmediate } from 'node:timers/promises';
import type * as tfjs from '@tensorflow/tfjs';
import { FEATURES, FEATURE_COUNT } from './features.js';
import { seeded, shuffled } from './seeded.js';
import type { Tensorflow } from './tensorflow.js';

export interface FitOptions {
  readonly seed: number;
  readonly epochs: number;
  /** Rows a step */
  readonly batch: number;
  /** Epochs without a better loss on held-out cars after which training ends. */
  readonly patience: number;
  readonly inputLimit: number;
  readonly onEpoch: (progress: EpochProgress) => void;
}

export interface EpochProgress {
  readonly epoch: number;
  readonly loss: number;
  /** The loss on cars that are not trained on. */
  readonly heldOut: number;
  readonly best: boolean;
}

export interface Fitted {
  /** That were run. */
  readonly epochs: number;
  /** The lowest on cars that were not trained on, with signals replaced as in training. */
  readonly heldOutLoss: number;
}

/** Stands in a target for a feature that is missing: it has no part in the loss. */
export const MISSING_TARGET = 1e6;
/** The share of the signals that are replaced by any number while training. */
const CORRUPTED = 0.4;

/** The network: narrow enough that only what holds between the features passes, and no single fault. */
export function buildAutoencoder(tf: Tensorflow, seed: number): tfjs.LayersModel {
  const layer = (units: number, place: number, activation?: 'tanh') =>
    tf.layers.dense({
      units,
      ...(activation !== undefined && { activation }),
      name: `dense${place}`,
      kernelInitializer: tf.initializers.glorotUniform({ seed: seed + place }),
    });
  const input = tf.input({ shape: [FEATURE_COUNT], name: 'features' });
  let flow = layer(32, 1, 'tanh').apply(input);
  flow = layer(4, 2, 'tanh').apply(flow);
  flow = layer(32, 3, 'tanh').apply(flow);
  const output = layer(FEATURE_COUNT, 4).apply(flow) as tfjs.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output, name: 'autoencoder' });
}

/**
 * Fits the network to give back clean rows from rows of which some signals were replaced: so it learns to tell each
 * signal from the others, and one that is out of keeping does not drag the others along.
 * @param fit rows × features, normalised, MISSING_TARGET where missing
 * @returns the network is left with the weights that did best on held-out cars
 */
export async function fitAutoencoder(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  fit: Float32Array,
  heldOut: Float32Array,
  options: FitOptions,
): Promise<Fitted> {
  let rate = 2e-3;
  compile(tf, model, rate);
  const random = seeded(options.seed);
  const heldOutSeed = options.seed + 1;
  let best = Infinity;
  let bestWeights = copyWeights(model);
  let since = 0;
  let epoch = 0;
  while (epoch < options.epochs && since < options.patience) {
    epoch++;
    const loss = await runEpoch(tf, model, fit, random, options, true);
    const judged = await runEpoch(tf, model, heldOut, seeded(heldOutSeed), options, false);
    const better = judged < best * 0.999;
    // Training never waits for anything: without a turn for the event loop no signal (Ctrl-C) would be heard until its end.
    await setImmediate();
    options.onEpoch({ epoch, loss, heldOut: judged, best: better });
    since = better ? 0 : since + 1;
    if (better) {
      best = judged;
      bestWeights.forEach((weight) => weight.dispose());
      bestWeights = copyWeights(model);
    } else if (since % 2 === 0) compile(tf, model, (rate /= 2));
  }
  model.setWeights(bestWeights);
  bestWeights.forEach((weight) => weight.dispose());
  return { epochs: epoch, heldOutLoss: best };
}

function compile(tf: Tensorflow, model: tfjs.LayersModel, rate: number): void {
  const loss = (target: tfjs.Tensor, output: tfjs.Tensor): tfjs.Scalar =>
    tf.tidy(() => {
      const there = target.less(MISSING_TARGET / 2).toFloat();
      return target.sub(output).mul(there).square().mul(WEIGHTS).mean();
    });
  model.compile({ optimizer: tf.train.adam(rate), loss });
}

function copyWeights(model: tfjs.LayersModel): tfjs.Tensor[] {
  return model.getWeights().map((weight) => weight.clone());
}

/** @returns the mean loss */
async function runEpoch(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  rows: Float32Array,
  random: () => number,
  { batch, inputLimit }: FitOptions,
  train: boolean,
): Promise<number> {
  const count = rows.length / FEATURE_COUNT;
  const order = shuffled(count, random);
  let sum = 0;
  let steps = 0;
  for (let start = 0; start + batch <= count || start === 0; start += batch) {
    const taken = order.subarray(start, start + batch);
    const { inputs, targets } = corruptedBatch(rows, taken, inputLimit, random);
    const shape: [number, number] = [taken.length, FEATURE_COUNT];
    const [xs, ys] = [tf.tensor2d(inputs, shape), tf.tensor2d(targets, shape)];
    sum += train ? Number(await model.trainOnBatch(xs, ys)) : lossOn(tf, model, xs, ys);
    steps++;
    tf.dispose([xs, ys]);
  }
  return sum / steps;
}

function lossOn(tf: Tensorflow, model: tfjs.LayersModel, xs: tfjs.Tensor, ys: tfjs.Tensor): number {
  return tf.tidy(() => {
    const output = model.predictOnBatch(xs) as tfjs.Tensor;
    const there = ys.less(MISSING_TARGET / 2).toFloat();
    return ys.sub(output).mul(there).square().mul(WEIGHTS).mean().dataSync()[0] ?? NaN;
  });
}

/** What nothing else in a reading tells of is not worth a place in the narrow layer: its mean will do. */
const ALONE = /^(airFlow|airTemp|tire|bumpHigh)/;
const WEIGHTS = FEATURES.map(({ name }) => (ALONE.test(name) ? 0.05 : 1));

const SIGNALS = [...new Set(FEATURES.map(({ signal }) => signal))];
const SIGNAL_OF = FEATURES.map(({ signal }) => SIGNALS.indexOf(signal));

function corruptedBatch(rows: Float32Array, taken: Uint32Array, limit: number, random: () => number) {
  const inputs = new Float32Array(taken.length * FEATURE_COUNT);
  const targets = new Float32Array(taken.length * FEATURE_COUNT);
  const corrupted = new Uint8Array(SIGNALS.length);
  taken.forEach((row, place) => {
    for (let s = 0; s < corrupted.length; s++) corrupted[s] = random() < CORRUPTED ? 1 : 0;
    for (let i = 0; i < FEATURE_COUNT; i++) {
      const value = rows[row * FEATURE_COUNT + i] ?? 0;
      const at = place * FEATURE_COUNT + i;
      targets[at] = value;
      inputs[at] =
        corrupted[SIGNAL_OF[i] ?? 0] === 1 ? (2 * random() - 1) * limit : value === MISSING_TARGET ? 0 : value;
    }
  });
  return { inputs, targets };
}
