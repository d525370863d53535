import type { Reading } from '../telemetry/reading.js';
import { withGolden } from './golden.js';
import type { RowOrder } from './row-sample.js';
import { loadTensorflowForTraining, type Tensorflow } from './tensorflow.js';
import { gatherTrainingSet, type RowMaker, type TrainingSet } from './training-set.js';

type Say = (line: string) => void;

/**
 * What every kind of model begins its training with: the rows, and the first readings of a few cars for its golden answers.
 * @param maker of the rows; those of features when not given
 * @throws TooLittleDataError
 */
export async function gathered(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  { order, say }: { readonly order: RowOrder; readonly say: Say },
  maker?: RowMaker,
): Promise<{ set: TrainingSet; golden: readonly Reading[][] }> {
  const golden = new Map<string, Reading[]>();
  const set = await gatherTrainingSet(withGolden(readings, golden), order, maker);
  say(`${set.readings} readings of ${set.cars} cars (${set.leftOut} left out); ${set.fit.count} rows to fit`);
  return { set, golden: [...golden.values()] };
}

/** TensorFlow, which is named to people. */
export async function namedTensorflow(say: Say): Promise<Tensorflow> {
  const { tf, backend } = await loadTensorflowForTraining();
  say(`TensorFlow ${tf.version['tfjs-core']}, ${backend} backend`);
  return tf;
}
