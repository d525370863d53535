import type * as tfjs from '@tensorflow/tfjs';
import { FEATURES, FEATURE_COUNT } from './features.js';
import { fitNetwork, MISSING_TARGET, type FitOptions, type Fitted } from './fit.js';
import { shuffled } from './seeded.js';
import type { Tensorflow } from './tensorflow.js';

export interface AutoencoderOptions extends FitOptions {
  readonly inputLimit: number;
}

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
export function fitAutoencoder(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  rows: Readonly<Record<'fit' | 'heldOut', Float32Array>>,
  options: AutoencoderOptions,
): Promise<Fitted> {
  const steps = {
    compile: (rate: number) => compile(tf, model, rate),
    epoch: (use: 'fit' | 'heldOut', random: () => number) => runEpoch(tf, model, rows[use], random, options, use),
  };
  return fitNetwork(model, steps, options);
}

function compile(tf: Tensorflow, model: tfjs.LayersModel, rate: number): void {
  const loss = (target: tfjs.Tensor, output: tfjs.Tensor): tfjs.Scalar =>
    tf.tidy(() => {
      const there = target.less(MISSING_TARGET / 2).toFloat();
      return target.sub(output).mul(there).square().mul(WEIGHTS).mean();
    });
  model.compile({ optimizer: tf.train.adam(rate), loss });
}

/** @returns the mean loss */
async function runEpoch(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  rows: Float32Array,
  random: () => number,
  { batch, inputLimit }: AutoencoderOptions,
  use: 'fit' | 'heldOut',
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
    sum += use === 'fit' ? Number(await model.trainOnBatch(xs, ys)) : lossOn(tf, model, xs, ys);
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
