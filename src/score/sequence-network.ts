import type * as tfjs from '@tensorflow/tfjs';
import { MISSING_TARGET, type FitSteps } from './fit.js';
import { FEATURE_COUNT } from './features.js';
import { shuffled } from './seeded.js';
import type { Tensorflow } from './tensorflow.js';

/** Windows of the past, and the reading that follows. */
export interface Windows {
  /** rows × look-back × inputs, normalised, 0 where missing */
  readonly inputs: Float32Array;
  /** rows × features, normalised, MISSING_TARGET where missing */
  readonly targets: Float32Array;
}

export interface SequenceShape {
  readonly lookBack: number;
  /** a reading */
  readonly inputs: number;
  /** What the network is given reaches from -limit to limit. */
  readonly limit: number;
}

const UNITS = 24;
/** The share of the inputs that are replaced, over the whole window, while training. */
const CORRUPTED = 0.4;

/** The past as one vector → LSTM → the next reading's features. */
export function buildSequence(tf: Tensorflow, seed: number, { lookBack, inputs }: SequenceShape): tfjs.LayersModel {
  const random = (place: number) => tf.initializers.glorotUniform({ seed: seed + place });
  const input = tf.input({ shape: [lookBack * inputs], name: 'past' });
  const steps = tf.layers.reshape({ targetShape: [lookBack, inputs], name: 'readings' }).apply(input);
  const remembered = tf.layers
    .lstm({
      units: UNITS,
      recurrentActivation: 'sigmoid',
      kernelInitializer: random(1),
      recurrentInitializer: random(2),
      name: 'lstm',
    })
    .apply(steps);
  const next = tf.layers.dense({ units: FEATURE_COUNT, kernelInitializer: random(3), name: 'next' }).apply(remembered);
  return tf.model({ inputs: input, outputs: next as tfjs.SymbolicTensor, name: 'sequence' });
}

/**
 * Adam on the squared error of what is there of the next reading. Some inputs are replaced by any number over the whole
 * window: otherwise the network would learn to expect a fault to go on, and one that lasts would be normal to it.
 */
export function sequenceSteps(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  rows: Readonly<Record<'fit' | 'heldOut', Windows>>,
  shape: SequenceShape,
  batch: number,
): FitSteps {
  const error = (target: tfjs.Tensor, output: tfjs.Tensor): tfjs.Scalar =>
    tf.tidy(() =>
      target
        .sub(output)
        .mul(target.less(MISSING_TARGET / 2).toFloat())
        .square()
        .mean(),
    );
  const heldOutLoss = (xs: tfjs.Tensor, ys: tfjs.Tensor) =>
    tf.tidy(() => error(ys, model.predictOnBatch(xs) as tfjs.Tensor).dataSync()[0] ?? NaN);
  return {
    compile: (rate) => model.compile({ optimizer: tf.train.adam(rate), loss: error }),
    epoch: async (use, random) => {
      const { inputs, targets } = rows[use];
      const width = shape.lookBack * shape.inputs;
      const order = shuffled(targets.length / FEATURE_COUNT, random);
      let sum = 0;
      let steps = 0;
      for (let start = 0; start + batch <= order.length || start === 0; start += batch) {
        const taken = order.subarray(start, start + batch);
        const past = corrupted(picked(inputs, taken, width), shape, random);
        const xs = tf.tensor2d(past, [taken.length, width]);
        const ys = tf.tensor2d(picked(targets, taken, FEATURE_COUNT), [taken.length, FEATURE_COUNT]);
        sum += use === 'fit' ? Number(await model.trainOnBatch(xs, ys)) : heldOutLoss(xs, ys);
        steps++;
        tf.dispose([xs, ys]);
      }
      return sum / steps;
    },
  };
}

function picked(rows: Float32Array, taken: Uint32Array, width: number): Float32Array {
  const out = new Float32Array(taken.length * width);
  taken.forEach((row, place) => out.set(rows.subarray(row * width, (row + 1) * width), place * width));
  return out;
}

function corrupted(past: Float32Array, { lookBack, inputs, limit }: SequenceShape, random: () => number): Float32Array {
  for (let start = 0; start < past.length; start += lookBack * inputs) {
    for (let input = 0; input < inputs; input++) {
      if (random() >= CORRUPTED) continue;
      const value = (2 * random() - 1) * limit;
      for (let back = 0; back < lookBack; back++) past[start + back * inputs + input] = value;
    }
  }
  return past;
}
