import { createHash } from 'node:crypto';
import type { Reading } from '../telemetry/reading.js';
import type { SignalName } from '../telemetry/signals.js';
import { calibratedSignals } from './calibrate-signals.js';
import { withGolden } from './golden.js';
import type { RowOrder } from './row-sample.js';
import type { SignalNormaliser, SignalsFolder, SignalsMetadata } from './signals-folder.js';
import { signalRows, standardNormalisers, type FedSignal } from './signals-rows.js';
import { loadTensorflow } from './tensorflow.js';
import { loadForeignNetwork } from './tfjs-folder.js';
import { networkOf, reconstructWith } from './train-model.js';
import { gatherTrainingSet, type TrainingSet } from './training-set.js';

/** `standard`: mean and deviation of the readings. `none`: as sent. Otherwise what is said of each signal. */
export type NormaliserChoice = 'standard' | 'none' | ReadonlyMap<SignalName, SignalNormaliser>;

export interface ImportTfjsOptions extends Pick<SignalsMetadata, 'name' | 'score' | 'missing' | 'quantile'> {
  /** In the order of the network's inputs. */
  readonly signals: readonly SignalName[];
  readonly normaliser: NormaliserChoice;
  /** What the readings are, for the model card. */
  readonly source: string;
  readonly order: RowOrder;
  readonly command: string;
  readonly seed: number;
}

/**
 * A model of named signals from a network that was trained elsewhere: normal errors, threshold and golden inputs are made of
 * the readings, of which those labelled as failed are left out.
 * @param dir of the network: model.json and its weights
 * @throws NotImportableError, BadModelError, TooLittleDataError
 */
export async function importTfjs(
  dir: string,
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  options: ImportTfjsOptions,
): Promise<SignalsFolder> {
  const { signals, source, command, order, normaliser: _, ...settled } = options;
  const { tf } = await loadTensorflow('auto');
  const model = await loadForeignNetwork(tf, dir, signals.length);
  try {
    const golden = new Map<string, Reading[]>();
    const maker = signalRows(fedPlainly(signals, options.normaliser));
    const set = await gatherTrainingSet(withGolden(readings, golden), order, maker);
    const network = await networkOf(model);
    const sha256 = createHash('sha256').update(new Uint8Array(network.weightData)).digest('hex');
    const plan = {
      ...settled,
      inputs: fedSignals(set, signals, options.normaliser),
      inputLimit: null,
      imported: { format: 'a LayersModel of TensorFlow.js', sha256, command },
      calibration: { source, readings: set.readings, cars: set.cars, dataHash: set.hash },
      metrics: {},
    };
    return await calibratedSignals(plan, network, set, [...golden.values()], reconstructWith(tf, model));
  } finally {
    model.dispose();
  }
}

/** What the network is given of each signal; before the readings are known, a standard one is as sent. */
function fedPlainly(signals: readonly SignalName[], choice: NormaliserChoice): FedSignal[] {
  const plain: SignalNormaliser = { kind: 'standard', mean: 0, scale: 1 };
  return signals.map((name) => ({
    name,
    normaliser: typeof choice === 'string' ? plain : (choice.get(name) ?? plain),
  }));
}

function fedSignals(set: TrainingSet, signals: readonly SignalName[], choice: NormaliserChoice): FedSignal[] {
  return choice === 'standard' ? standardNormalisers(set.fit, signals) : fedPlainly(signals, choice);
}
