import { MISSING_TARGET } from './fit.js';
import { FEATURES, FEATURE_COUNT, readFeatures } from './features.js';
import { newState } from './memory.js';
import type { Normaliser } from './normaliser.js';
import type { Rows } from './row-sample.js';
import { inputPlaces } from './sequence-model.js';
import type { Windows } from './sequence-network.js';
import type { RowMaker } from './training-set.js';

/** What physics ties together, each tire's lowest of late, and how each wheel shakes against the others. */
export const SEQUENCE_INPUTS = FEATURES.map(({ name }) => name).filter((name) =>
  /^(vibrationPerSpeed|heatPerCurrent|drain|currentPerPower|voltage|current|throttle|speed|tireLow..|bumpLevel..)$/.test(
    name,
  ),
);

const PLACES = inputPlaces(SEQUENCE_INPUTS, FEATURES);
const WIDTH = PLACES.length;
const CAR_STATE = newState().length;

/** 130 MB in all: a window is four times as wide as a row of features. */
const CAPACITY = { fit: 50_000, stop: 25_000, threshold: 25_000 };

/** Rows of a window of the past, the oldest reading first, and the features of the reading that follows it; each car's own. */
export function windowRows(lookBack: number): RowMaker {
  const past = lookBack * WIDTH;
  const features = new Float64Array(FEATURE_COUNT);
  return {
    width: past + FEATURE_COUNT,
    capacity: CAPACITY,
    forgets: 20,
    newState: [...newState(), ...Array.from({ length: past }, () => NaN)],
    write: (reading, state, row) => {
      const car = readFeatures(reading, state.slice(0, CAR_STATE), features, 0);
      for (let i = 0; i < past; i++) row[i] = state[CAR_STATE + i] ?? NaN;
      row.set(features, past);
      return [...car, ...state.slice(CAR_STATE + WIDTH), ...PLACES.map((place) => features[place] ?? NaN)];
    },
  };
}

/** The features of the readings that follow the windows. */
export function targetsOf({ count, values }: Rows): Rows {
  const width = values.length / count;
  const targets = new Float64Array(count * FEATURE_COUNT);
  for (let row = 0; row < count; row++)
    targets.set(values.subarray((row + 1) * width - FEATURE_COUNT, (row + 1) * width), row * FEATURE_COUNT);
  return { count, values: targets };
}

/** The windows as the network is given them: cut at the limit, 0 where missing. */
export function pastsOf(
  { count, values }: Rows,
  { mean, scale }: Normaliser,
  limit: number,
): Float32Array<ArrayBuffer> {
  const width = values.length / count;
  const past = width - FEATURE_COUNT;
  const inputs = new Float32Array(count * past);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < past; i++) {
      const place = PLACES[i % WIDTH] ?? 0;
      const value = ((values[row * width + i] ?? NaN) - (mean[place] ?? 0)) / (scale[place] ?? 1);
      inputs[row * past + i] = Number.isNaN(value) ? 0 : Math.max(-limit, Math.min(limit, value));
    }
  }
  return inputs;
}

export function windowsOf(rows: Rows, normaliser: Normaliser, limit: number): Windows {
  const { mean, scale } = normaliser;
  const { values } = targetsOf(rows);
  const targets = Float32Array.from(values, (value, at) => {
    const i = at % FEATURE_COUNT;
    const normalised = (value - (mean[i] ?? 0)) / (scale[i] ?? 1);
    return Number.isNaN(normalised) ? MISSING_TARGET : Math.max(-limit, Math.min(limit, normalised));
  });
  return { inputs: pastsOf(rows, normaliser, limit), targets };
}
