import type { Rows } from './row-sample.js';
import type { ModelSignal } from './signals-folder.js';
import { affine, readSignals } from './signals-model.js';
import { CAPACITY, TooLittleDataError, type RowMaker } from './training-set.js';

/** A signal, and how it is normalised before the network is given it. */
export type FedSignal = Pick<ModelSignal, 'name' | 'normaliser'>;

/** Rows of signals as they were sent: nothing is remembered of a car. */
export function signalRows(signals: readonly FedSignal[]): RowMaker {
  return {
    width: signals.length,
    capacity: CAPACITY,
    forgets: 1,
    newState: [],
    write: (reading, state, row) => {
      readSignals(reading, signals, row, 0);
      return state;
    },
  };
}

/**
 * The normalised mean of each signal.
 * @throws TooLittleDataError where no row has one of them
 */
export function normalMeansOf({ count, values }: Rows, signals: readonly FedSignal[]): number[] {
  return signals.map(({ name, normaliser }, place) => {
    let sum = 0;
    let there = 0;
    for (let row = 0; row < count; row++) {
      const value = values[row * signals.length + place] ?? NaN;
      if (Number.isNaN(value)) continue;
      sum += value;
      there++;
    }
    if (there === 0) throw new TooLittleDataError(`no reading has ${name}`);
    const { mean, scale } = affine(normaliser);
    return (sum / there - mean) / scale;
  });
}

/** Mean and standard deviation of each signal over the rows that have it. @throws TooLittleDataError */
export function standardNormalisers(rows: Rows, names: readonly ModelSignal['name'][]): FedSignal[] {
  const plain = names.map((name) => ({ name, normaliser: { kind: 'standard' as const, mean: 0, scale: 1 } }));
  const means = normalMeansOf(rows, plain);
  const squared = {
    count: rows.count,
    values: rows.values.map((value, at) => (value - (means[at % names.length] ?? 0)) ** 2),
  };
  const variances = normalMeansOf(squared, plain);
  return names.map((name, place) => {
    const mean = means[place] ?? 0;
    // A signal that never varies keeps a small scale.
    const scale = Math.max(Math.sqrt(variances[place] ?? 0), 1e-6 * Math.abs(mean), 1e-9);
    return { name, normaliser: { kind: 'standard', mean, scale } };
  });
}
