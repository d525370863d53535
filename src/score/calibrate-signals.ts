import type { Reading } from '../telemetry/reading.js';
import { answersTo, normalErrorsOf, quantileOf, quantilesOf, scoresOf, type Reconstruct } from './calibrate.js';
import { goldenNetworkOf, goldenOfModel } from './golden.js';
import { Judge } from './judge.js';
import type { NetworkFiles } from './model-folder.js';
import { shareAbove } from './quality.js';
import type { SignalsFolder, SignalsMetadata } from './signals-folder.js';
import { rulesOfSignals, SignalsModel } from './signals-model.js';
import { normalMeansOf, type FedSignal } from './signals-rows.js';
import { distributionsOf, versionOf } from './train-model.js';
import type { TrainingSet } from './training-set.js';

/** What is settled of a model of named signals before anything is measured. */
export interface SignalsPlan
  extends Pick<
    SignalsMetadata,
    | 'name'
    | 'missing'
    | 'inputLimit'
    | 'score'
    | 'quantile'
    | 'training'
    | 'imported'
    | 'calibration'
    | 'about'
    | 'metrics'
  > {
  readonly inputs: readonly FedSignal[];
  readonly seed: number;
}

/** Golden inputs of the network reach this far from 0 where nothing cuts them. */
const GOLDEN_REACH = 6;

/**
 * Sets normal errors on the rows to stop at, and the threshold on those that are kept for it, and makes the golden inputs.
 * @throws TooLittleDataError where no row has one of the signals
 */
export async function calibratedSignals(
  plan: SignalsPlan,
  network: NetworkFiles,
  set: TrainingSet,
  golden: readonly (readonly Reading[])[],
  reconstruct: Reconstruct,
): Promise<SignalsFolder> {
  const { inputs: fed, seed, ...settled } = plan;
  const means = normalMeansOf(set.fit, fed);
  const plain = fed.map((one, i) => ({ ...one, normalMean: means[i] ?? 0, normalError: { below: 1, above: 1 } }));
  const loose = { ...settled, version: '0', threshold: 1, inputs: plain };
  const answers = answersTo(set.stop, new Judge(rulesOfSignals(loose)), reconstruct);
  const errors = await normalErrorsOf(
    answers,
    set.stop.count,
    fed.map(() => 0),
  );
  const inputs = plain.map((one, i) => ({ ...one, normalError: errors[i] ?? one.normalError }));
  const scores = await scoresOf(set.threshold, rulesOfSignals({ ...loose, inputs }), reconstruct);
  // A network that gives everything back without an error would leave none.
  const threshold = Math.max(1e-9, quantileOf(scores, settled.quantile));
  const bare: SignalsMetadata = {
    ...settled,
    format: 'fleet-twin-model-1',
    kind: 'signals',
    version: versionOf(network, inputs, threshold),
    inputs,
    signals: distributionsOf(set),
    threshold,
    normalScores: quantilesOf(scores),
    metrics: {
      ...settled.metrics,
      thresholdReadings: scores.length,
      flaggedOfThem: shareAbove(scores, threshold),
    },
    golden: [],
    goldenNetwork: await goldenNetworkOf(seed, settled.inputLimit ?? GOLDEN_REACH, reconstruct, fed.length),
  };
  const made = await goldenOfModel(golden, new SignalsModel({ metadata: bare, network }), reconstruct);
  return { metadata: { ...bare, golden: made }, network };
}
