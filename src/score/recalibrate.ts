import type { Reading } from '../telemetry/reading.js';
import type { SignalName } from '../telemetry/signals.js';
import { quantileOf, quantilesOf, ratiosOf, scoresOf, type Reconstruct } from './calibrate.js';
import { failingStretches, type FailingStretches } from './failing-stretches.js';
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
  /** Whether stretches of cars that look like failures are left out. */
  readonly robust: boolean;
}

/** A model that was set anew, and what it was not set by. */
export interface Recalibrated {
  readonly folder: ModelFolder;
  /** Cars that were left out for some of their readings, each with the signal that is farthest off. */
  readonly leftOut: ReadonlyMap<string, SignalName>;
}

/**
 * The same network, judged by what these cars' readings are like: noisier sensors, another climate. No label is needed; a
 * reading labelled as failed is left out, and so is what looks like a failure among cars that are like each other.
 * A feature's normal error grows so far that all features together keep to what they may exceed, and never shrinks; the
 * threshold is then set on cars that the errors were not.
 * @param readings read twice: first for what looks like a failure
 * @throws TooLittleDataError
 */
export async function recalibrate(
  { metadata, network }: ModelFolder,
  readings: () => Iterable<Reading> | AsyncIterable<Reading>,
  reconstruct: Reconstruct,
  { name, source, quantile, robust }: RecalibrateOptions,
): Promise<Recalibrated> {
  const golden = new Map<string, Reading[]>();
  const failing = robust ? await failingStretches(readings(), metadata, reconstruct) : NOTHING;
  const set = await gatherTrainingSet(withGolden(withLabels(readings(), failing), golden), 'drawn');
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
      leftOutReadings: set.leftOut,
      leftOutCars: failing.cars.size,
      thresholdReadings: scores.length,
      flaggedOfThem: shareAbove(scores, threshold),
    },
  };
  const fresh = { ...rules, golden: await goldenOf([...golden.values()], rules, reconstruct) };
  return { folder: { metadata: fresh, network }, leftOut: failing.cars };
}

const NOTHING: FailingStretches = { has: () => false, cars: new Map() };

/** What looks like a failure is labelled as one: it is left out as those are, with the readings that the memory knows it in. */
async function* withLabels(
  readings: Iterable<Reading> | AsyncIterable<Reading>,
  failing: FailingStretches,
): AsyncGenerator<Reading> {
  const counts = new Map<string, number>();
  for await (const reading of readings) {
    const count = counts.get(reading.car) ?? 0;
    counts.set(reading.car, count + 1);
    yield failing.has(reading.car, count) ? { ...reading, label: true } : reading;
  }
}

async function widened(
  rules: ModelFolder['metadata'],
  rows: Rows,
  reconstruct: Reconstruct,
  quantile: number,
): Promise<ModelFeature[]> {
  const ratios = await ratiosOf(rows, rules, reconstruct);
  // So that all features together stay within the share that may be flagged: the threshold need not rise for some of them.
  const each = 1 - (1 - quantile) / rules.features.length;
  return rules.features.map((feature, index) => {
    const { below = [], above = [] } = ratios[index] ?? {};
    const wider = (sorted: readonly number[]) => Math.max(1, quantileOf(Float64Array.from(sorted).sort(), each));
    const { below: low, above: high } = feature.normalError;
    return { ...feature, normalError: { below: low * wider(below), above: high * wider(above) } };
  });
}
