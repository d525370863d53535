import { createHash } from 'node:crypto';
import type * as tfjs from '@tensorflow/tfjs';
import type { Reading } from '../telemetry/reading.js';
import { buildAutoencoder, fitAutoencoder } from './autoencoder.js';
import { featuresWithErrors, quantileOf, quantilesOf, scoresOf, type Reconstruct } from './calibrate.js';
import { FEATURES_ID, FEATURE_COUNT } from './features.js';
import { MISSING_TARGET, type EpochProgress } from './fit.js';
import { collectGarbage } from './garbage.js';
import { goldenNetworkOf, goldenOf } from './golden.js';
import type { ModelFolder, ModelMetadata, NetworkFiles } from './model-folder.js';
import { normaliserOf, type Normaliser } from './normaliser.js';
import { outputsOf, type Tensorflow } from './tensorflow.js';
import { shareAbove } from './quality.js';
import type { RowOrder } from './row-sample.js';
import { type Rows, type TrainingSet } from './training-set.js';
import { gathered, namedTensorflow } from './training-start.js';

export interface TrainOptions {
  readonly name: string;
  /** What the readings are, for the model card. */
  readonly source: string;
  /** The command that makes this model again. */
  readonly command: string;
  readonly seed: number;
  /** Of the rows: drawn where the cars are not interleaved the same way each time. */
  readonly order: RowOrder;
  readonly epochs: number;
  /** The part of the normal readings that stays at or below the threshold. */
  readonly quantile: number;
  readonly onEpoch: (progress: EpochProgress) => void;
  readonly say: (line: string) => void;
}

const INPUT_LIMIT = 6;
const BATCH = 512;
const PATIENCE = 5;
const RATE = 2e-3;

/** @throws TooLittleDataError */
export async function trainModel(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  options: TrainOptions,
): Promise<ModelFolder> {
  const { name, seed, epochs, onEpoch, say } = options;
  const { set, golden } = await gathered(readings, options);
  const normaliser = normaliserOf(set.fit);
  const rows = { fit: normalised(set.fit, normaliser), heldOut: normalised(set.stop, normaliser) };
  // From here on the normalised copy is enough.
  set.fit.values = new Float64Array(0);
  collectGarbage();
  const tf = await namedTensorflow(say);
  const model = buildAutoencoder(tf, seed);
  const fitOptions = { seed, epochs, batch: BATCH, patience: PATIENCE, rate: RATE, inputLimit: INPUT_LIMIT, onEpoch };
  const { epochs: ran, heldOutLoss } = await fitAutoencoder(tf, model, rows, fitOptions);
  const reconstruct = reconstructWith(tf, model);
  const features = await featuresWithErrors(set.stop, normaliser, INPUT_LIMIT, reconstruct);
  const rules = { features, name, version: '0', threshold: 1, inputLimit: INPUT_LIMIT };
  const scores = await scoresOf(set.threshold, rules, reconstruct);
  const threshold = quantileOf(scores, options.quantile);
  const network = await networkOf(model);
  const bare = {
    ...rules,
    format: 'fleet-twin-model-1' as const,
    kind: 'autoencoder' as const,
    version: versionOf(network, features, threshold),
    featuresId: FEATURES_ID,
    missing: 'leave-out' as const,
    score: 'worst-feature' as const,
    threshold,
    quantile: options.quantile,
    normalScores: quantilesOf(scores),
    signals: distributionsOf(set),
    training: {
      source: options.source,
      command: options.command,
      seed,
      readings: set.readings,
      cars: set.cars,
      epochs: ran,
      dataHash: set.hash,
      tfjs: tf.version['tfjs-core'],
    },
    metrics: { heldOutLoss, thresholdReadings: scores.length, flaggedOfThem: shareAbove(scores, threshold) },
  };
  const metadata: ModelMetadata = {
    ...bare,
    golden: await goldenOf(golden, bare, reconstruct),
    goldenNetwork: await goldenNetworkOf(seed, INPUT_LIMIT, reconstruct),
  };
  model.dispose();
  return { metadata, network };
}

function normalised({ count, values }: Rows, { mean, scale }: Normaliser): Float32Array {
  const out = new Float32Array(count * FEATURE_COUNT);
  for (let at = 0; at < out.length; at++) {
    const i = at % FEATURE_COUNT;
    const value = ((values[at] ?? NaN) - (mean[i] ?? 0)) / (scale[i] ?? 1);
    out[at] = Number.isNaN(value) ? MISSING_TARGET : Math.max(-INPUT_LIMIT, Math.min(INPUT_LIMIT, value));
  }
  return out;
}

/** What the network makes of rows, in this process. */
export function reconstructWith(tf: Tensorflow, model: tfjs.LayersModel): Reconstruct {
  return (inputs, rows) => Promise.resolve(outputsOf(tf, model, inputs, rows));
}

/** How the signals were spread, as it goes into the metadata. */
export function distributionsOf({ signals }: TrainingSet) {
  return signals.map(({ edges, shares, ...rest }) => ({ ...rest, edges: [...edges], shares: [...shares] }));
}

/** A model's layers and weights, as they go into its folder. */
export async function networkOf(model: tfjs.LayersModel): Promise<NetworkFiles> {
  let files: NetworkFiles | null = null;
  await model.save({
    save: ({ modelTopology, weightSpecs, weightData }) => {
      const bytes = Buffer.concat([weightData ?? []].flat().map((part) => new Uint8Array(part)));
      const specs = (weightSpecs ?? []).map(({ name, shape }) => ({ name, shape, dtype: 'float32' as const }));
      files = { modelTopology: modelTopology as object, weightSpecs: specs, weightData: new Uint8Array(bytes).buffer };
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } });
    },
  });
  if (files === null) throw new Error('TensorFlow did not hand out the network');
  return files;
}

/** Models that score alike are called alike, others never. */
export function versionOf({ weightData }: NetworkFiles, features: readonly object[], threshold: number): string {
  const hash = createHash('sha256').update(new Uint8Array(weightData));
  return hash
    .update(JSON.stringify([features, threshold]))
    .digest('hex')
    .slice(0, 8);
}
