import type { Reading } from '../telemetry/reading.js';
import {
  leastErrorOf,
  normalErrorsOf,
  partsOf,
  quantileOf,
  quantilesOf,
  scoresFrom,
  type Answers,
  type Reconstruct,
} from './calibrate.js';
import { FEATURES, FEATURES_ID } from './features.js';
import { fitNetwork } from './fit.js';
import { goldenNetworkOf, goldenOfModel } from './golden.js';
import { Judge, type JudgeRules } from './judge.js';
import { normaliserOf, type Normaliser } from './normaliser.js';
import { shareAbove } from './quality.js';
import type { SequenceFolder, SequenceMetadata } from './sequence-folder.js';
import { SequenceModel } from './sequence-model.js';
import { buildSequence, sequenceSteps } from './sequence-network.js';
import { pastsOf, SEQUENCE_INPUTS, targetsOf, windowRows, windowsOf } from './sequence-rows.js';
import { distributionsOf, networkOf, reconstructWith, versionOf, type TrainOptions } from './train-model.js';
import { type Rows } from './training-set.js';
import { gathered, namedTensorflow } from './training-start.js';

const LOOK_BACK = 8;
const INPUT_LIMIT = 6;
const BATCH = 512;
const PATIENCE = 4;
const RATE = 4e-3;

/** Trains an LSTM that predicts a car's next reading. @throws TooLittleDataError */
export async function trainSequence(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  options: TrainOptions,
): Promise<SequenceFolder> {
  const { name, seed, epochs, quantile, onEpoch, say } = options;
  const { set, golden } = await gathered(readings, options, windowRows(LOOK_BACK));
  const tf = await namedTensorflow(say);
  const normaliser = normaliserOf(targetsOf(set.fit));
  const shape = { lookBack: LOOK_BACK, inputs: SEQUENCE_INPUTS.length, limit: INPUT_LIMIT };
  const model = buildSequence(tf, seed, shape);
  const windows = {
    fit: windowsOf(set.fit, normaliser, INPUT_LIMIT),
    heldOut: windowsOf(set.stop, normaliser, INPUT_LIMIT),
  };
  const steps = sequenceSteps(tf, model, windows, shape, BATCH);
  const fitted = await fitNetwork(model, steps, {
    seed,
    epochs,
    batch: BATCH,
    patience: PATIENCE,
    rate: RATE,
    onEpoch,
  });
  const predict = reconstructWith(tf, model);
  const plain = { name, version: '0', threshold: 1, inputLimit: INPUT_LIMIT, features: plainFeatures(normaliser) };
  const errors = await normalErrorsOf(
    predictions(set.stop, normaliser, plain, predict),
    set.stop.count,
    plain.features.map(leastErrorOf),
  );
  const features = plain.features.map((one, i) => ({ ...one, normalError: errors[i] ?? one.normalError }));
  const rules = { ...plain, features };
  const answers = predictions(set.threshold, normaliser, rules, predict);
  const scores = await scoresFrom(answers, set.threshold.count, new Judge(rules));
  const threshold = quantileOf(scores, quantile);
  const network = await networkOf(model);
  const bare: SequenceMetadata = {
    ...rules,
    format: 'fleet-twin-model-1',
    kind: 'sequence',
    version: versionOf(network, features, threshold),
    featuresId: FEATURES_ID,
    lookBack: LOOK_BACK,
    inputs: [...SEQUENCE_INPUTS],
    missing: 'leave-out',
    score: 'worst-feature',
    threshold,
    quantile,
    normalScores: quantilesOf(scores),
    signals: distributionsOf(set),
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
    metrics: {
      heldOutLoss: fitted.heldOutLoss,
      thresholdReadings: scores.length,
      flaggedOfThem: shareAbove(scores, threshold),
    },
    golden: [],
    goldenNetwork: await goldenNetworkOf(seed, INPUT_LIMIT, predict, LOOK_BACK * SEQUENCE_INPUTS.length),
  };
  const made = await goldenOfModel(golden, new SequenceModel({ metadata: bare, network }), predict);
  model.dispose();
  return { metadata: { ...bare, golden: made }, network };
}

function plainFeatures({ mean, scale }: Normaliser): SequenceMetadata['features'] {
  return FEATURES.map(({ name, signal, derivation }, i) => ({
    name,
    signal,
    derivation,
    mean: mean[i] ?? 0,
    scale: scale[i] ?? 1,
    normalError: { below: 1, above: 1 },
  }));
}

/** What the network predicts from windows, beside what followed. */
async function* predictions(
  rows: Rows,
  normaliser: Normaliser,
  rules: JudgeRules,
  predict: Reconstruct,
): AsyncGenerator<Answers> {
  const judge = new Judge(rules);
  for (const part of partsOf(rows, rows.values.length / rows.count)) {
    const { count, values } = targetsOf(part);
    judge.toInputs(values);
    yield { count, values, outputs: await predict(pastsOf(part, normaliser, INPUT_LIMIT), count) };
  }
}
