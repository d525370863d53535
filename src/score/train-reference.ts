import type { Reading } from '../telemetry/reading.js';
import { calibratedSignals } from './calibrate-signals.js';
import { fitNetwork, MISSING_TARGET } from './fit.js';
import { buildReference, REFERENCE_SIGNALS, referenceSteps } from './reference-network.js';
import type { Rows } from './row-sample.js';
import type { SignalsFolder } from './signals-folder.js';
import { affine } from './signals-model.js';
import { normalMeansOf, signalRows } from './signals-rows.js';
import { networkOf, reconstructWith, type TrainOptions } from './train-model.js';
import { gathered, namedTensorflow } from './training-start.js';

const BATCH = 256;
const PATIENCE = 5;
const RATE = 1e-3;

const ABOUT = `This is the plain autoencoder that the demo began with, kept as the baseline that other models are measured against. It is not meant to
be put to use. Its faults are part of it: the last layer is a ReLU over targets in -1..1, so that half of what it should
give back it cannot; coolant temperature, air flow, voltage and current are fed as 0, whatever the car sent; the
ranges do not fit what cars send; and it sees one reading at a time. The threshold is ours: the original had none.`;

/** Trains the reference autoencoder. @throws TooLittleDataError */
export async function trainReference(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  options: TrainOptions,
): Promise<SignalsFolder> {
  const { name, seed, epochs, quantile, onEpoch, say } = options;
  const { set, golden } = await gathered(readings, options, signalRows(REFERENCE_SIGNALS));
  const tf = await namedTensorflow(say);
  const means = normalMeansOf(set.fit, REFERENCE_SIGNALS);
  const rows = { fit: normalised(set.fit, means), heldOut: normalised(set.stop, means) };
  const model = buildReference(tf, seed);
  const steps = referenceSteps(tf, model, rows, BATCH);
  const fitted = await fitNetwork(model, steps, {
    seed,
    epochs,
    batch: BATCH,
    patience: PATIENCE,
    rate: RATE,
    onEpoch,
  });
  const plan = {
    name,
    seed,
    quantile,
    inputs: REFERENCE_SIGNALS,
    missing: 'leave-out' as const,
    inputLimit: null,
    score: 'mean-squared-error' as const,
    about: ABOUT,
    training: {
      source: options.source,
      command: options.command,
      seed,
      readings: set.readings,
      cars: set.cars,
      epochs: fitted.epochs,
      dataHash: set.hash,
      tfjs: tf.version['tfjs-core'],
    },
    metrics: { heldOutLoss: fitted.heldOutLoss },
  };
  const folder = await calibratedSignals(plan, await networkOf(model), set, golden, reconstructWith(tf, model));
  model.dispose();
  return folder;
}

function normalised({ count, values }: Rows, means: readonly number[]) {
  const scales = REFERENCE_SIGNALS.map(({ normaliser }) => affine(normaliser));
  const width = scales.length;
  const inputs = new Float32Array(count * width);
  const targets = new Float32Array(count * width);
  for (let at = 0; at < inputs.length; at++) {
    const { mean, scale } = scales[at % width] ?? { mean: 0, scale: 1 };
    const value = ((values[at] ?? NaN) - mean) / scale;
    const missing = Number.isNaN(value);
    inputs[at] = missing ? (means[at % width] ?? 0) : value;
    targets[at] = missing ? MISSING_TARGET : value;
  }
  return { inputs, targets };
}
