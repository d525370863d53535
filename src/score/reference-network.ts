import type * as tfjs from '@tensorflow/tfjs';
import { SIGNAL_NAMES, type SignalName } from '../telemetry/signals.js';
import { MISSING_TARGET, type FitSteps } from './fit.js';
import { shuffled } from './seeded.js';
import type { SignalNormaliser } from './signals-folder.js';
import type { Tensorflow } from './tensorflow.js';

const range = (min: number, max: number): SignalNormaliser => ({ kind: 'range', min, max });
const ZERO: SignalNormaliser = { kind: 'zero' };

const RANGES: Partial<Record<SignalName, SignalNormaliser>> = {
  intakeAirTemp: range(15, 40),
  batteryPercentage: range(0, 100),
  speed: range(0, 50),
  engineVibrationAmplitude: range(0, 7_500),
  throttlePos: range(0, 1),
  controlUnitFirmware: range(1_000, 2_000),
};

/**
 * What the reference was given of each signal: ranges that do not fit the cars, and of coolant, air flow, voltage and current
 * nothing. These are its faults; they stay, for it is what other models are compared with.
 */
export const REFERENCE_SIGNALS: readonly { readonly name: SignalName; readonly normaliser: SignalNormaliser }[] =
  SIGNAL_NAMES.map((name) => {
    const wheel = name.startsWith('tire') ? range(20, 35) : name.startsWith('accel') ? range(0, 7) : undefined;
    return { name, normaliser: wheel ?? RANGES[name] ?? ZERO };
  });

const WIDTH = REFERENCE_SIGNALS.length;
const ACTIVITY = 1e-7;
const ENCODED = 14;

/** 18 → 14 tanh → 7 relu → 7 tanh → 18 relu. An output of relu never falls below 0, and half of its targets do. */
export function buildReference(tf: Tensorflow, seed: number): tfjs.LayersModel {
  const layer = (units: number, place: number, activation: 'tanh' | 'relu') =>
    tf.layers.dense({
      units,
      activation,
      name: `dense${place}`,
      kernelInitializer: tf.initializers.glorotUniform({ seed: seed + place }),
    });
  const input = tf.input({ shape: [WIDTH], name: 'signals' });
  let flow = layer(ENCODED, 1, 'tanh').apply(input);
  flow = layer(7, 2, 'relu').apply(flow);
  flow = layer(7, 3, 'tanh').apply(flow);
  const output = layer(WIDTH, 4, 'relu').apply(flow) as tfjs.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output, name: 'reference' });
}

/**
 * Adam on the mean squared error of what is there, and the L1 of the first layer, a batch's mean of it, as Keras has it.
 * TensorFlow.js has no activity regularisers: so the first layer is an output of the network that is trained.
 * @param inputs rows × 18, normalised
 * @param targets the same, MISSING_TARGET where missing
 */
export function referenceSteps(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  rows: Readonly<Record<'fit' | 'heldOut', { readonly inputs: Float32Array; readonly targets: Float32Array }>>,
  batch: number,
): FitSteps {
  const encoded = model.getLayer('dense1').output as tfjs.SymbolicTensor;
  const trained = tf.model({ inputs: model.inputs, outputs: [...model.outputs, encoded] });
  const error = (target: tfjs.Tensor, output: tfjs.Tensor) =>
    target
      .sub(output)
      .mul(target.less(MISSING_TARGET / 2).toFloat())
      .square()
      .mean();
  const activity = (_: tfjs.Tensor, output: tfjs.Tensor) => output.abs().sum(-1).mean().mul(ACTIVITY);
  const compile = (rate: number) =>
    trained.compile({ optimizer: tf.train.adam(rate), loss: [error, activity] as never });
  const heldOutLoss = (xs: tfjs.Tensor, ys: tfjs.Tensor) =>
    tf.tidy(() => error(ys, model.predictOnBatch(xs) as tfjs.Tensor).dataSync()[0] ?? NaN);
  return {
    compile,
    epoch: async (use, random) => {
      const { inputs, targets } = rows[use];
      const order = shuffled(inputs.length / WIDTH, random);
      let sum = 0;
      let steps = 0;
      for (let start = 0; start + batch <= order.length || start === 0; start += batch) {
        const taken = order.subarray(start, start + batch);
        const shape: [number, number] = [taken.length, WIDTH];
        const [xs, ys] = [tf.tensor2d(picked(inputs, taken), shape), tf.tensor2d(picked(targets, taken), shape)];
        const nothing = tf.zeros([taken.length, ENCODED]);
        if (use === 'heldOut') sum += heldOutLoss(xs, ys);
        else sum += Number([await trained.trainOnBatch(xs, [ys, nothing])].flat()[1]);
        steps++;
        tf.dispose([xs, ys, nothing]);
      }
      return sum / steps;
    },
  };
}

function picked(rows: Float32Array, taken: Uint32Array): Float32Array {
  const out = new Float32Array(taken.length * WIDTH);
  taken.forEach((row, place) => out.set(rows.subarray(row * WIDTH, (row + 1) * WIDTH), place * WIDTH));
  return out;
}
