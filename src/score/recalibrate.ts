import type { Reading } from '../telemetry/reading.js';
import { quantileOf, quantilesOf, ratiosOf, scoresOf, type Reconstruct } from './calibrate.js';
import { goldenOf, withGolden } from './golden.js';
import type { ModelFeature, ModelFolder } from './model-folder.js';
import { shareAbove } from './quality.js';
import { gatherTrainingSet, type Rows } from './training-set.js';
import { versionOf } from './train-model.js';

export interface RecalibrateOptions {
  readonly name: string;
  /** What the readings are, for the model card. */
  readonly source: string;
  /** The part of the readings that is to stay at or below the threshold: less than the part that is healthy. */
  readonly quantile: number;
}

/**
 * The same network, judged by what these cars' readings are like: noisier sensors, another climate. No label is needed; a
 * reading labelled as failed is left out. A feature's normal error grows to what the given part of the readings keep to, and
 * never shrinks; the threshold is then set on cars that the errors were not.
 * @throws TooLittleDataError
 */
export async function recalibrate(
  { metadata, network }: ModelFolder,
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  reconstruct: Reconstruct,
  { name, source, quantile }: RecalibrateOptions,
): Promise<ModelFolder> {
  const golden = new Map<string, Reading[]>();
  const set = await gatherTrainingSet(withGolden(readings, golden), 'drawn');
  const plain = { ...metadata, name, version: '0', threshold: 1 };
  const features = await widened(plain, set.fit, reconstruct, quantile);
  const scores = await scoresOf(set.threshold, { ...plain, features }, reconstruct);
  const threshold = Math.max(1, quantileOf(scores, quantile));
  const rules = {
    ...plain,
    features,
    threshold,
    version: versionOf(network, features, threshold),
    quantile,
    normalScores: quantilesOf(scores),
    calibration: { source, readings: set.readings, cars: set.cars, dataHash: set.hash },
    metrics: {
      ...metadata.metrics,
      thresholdReadings: scores.length,
      flaggedOfThem: shareAbove(scores, threshold),
    },
  };
  return { metadata: { ...rules, golden: await goldenOf([...golden.values()], rules, reconstruct) }, network };
}

async function widened(
  rules: ModelFolder['metadata'],
  rows: Rows,
  reconstruct: Reconstruct,
  quantile: number,
): Promise<ModelFeature[]> {
  const ratios = await ratiosOf(rows, rules, reconstruct);
  return rules.features.map((feature, index) => {
    const { below = [], above = [] } = ratios[index] ?? {};
    const wider = (sorted: readonly number[]) => Math.max(1, quantileOf(Float64Array.from(sorted).sort(), quantile));
    const { below: low, above: high } = feature.normalError;
    return { ...feature, normalError: { below: low * wider(below), above: high * wider(above) } };
  });
}
