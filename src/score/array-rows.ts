import type { ArrayErrors } from '../telemetry/array-reading.js';
import type { ArrayMetadata } from './array-folder.js';

/** What the network is given: rows × width, each value brought to its normal range. */
export function normalised(arrays: readonly ArrayLike<number>[], { mean, factor }: ArrayMetadata['normaliser']) {
  const width = mean.length;
  const inputs = new Float64Array(arrays.length * width);
  arrays.forEach((values, row) => {
    for (let i = 0; i < width; i++)
      inputs[row * width + i] = ((values[i] ?? NaN) - (mean[i] as number)) * (factor[i] as number);
  });
  return inputs;
}

/**
 * Reconstruction errors of one array, as H2O has them: the mean of the squared differences, once in the values' own unit
 * (its genmodel's `mse`) and once as the network sees them (`h2o.anomaly`).
 * @param outputs rows × width of what the network made of `inputs`, rows × width; the array's own row starts at `start`
 */
export function errorsOf(
  values: ArrayLike<number>,
  inputs: Float64Array,
  outputs: ArrayLike<number>,
  start: number,
  { mean, factor }: ArrayMetadata['normaliser'],
): ArrayErrors {
  let raw = 0;
  let standardised = 0;
  for (let i = 0; i < mean.length; i++) {
    const output = outputs[start + i] ?? NaN;
    const seen = (inputs[start + i] ?? NaN) - output;
    const sent = (values[i] ?? NaN) - (output / (factor[i] as number) + (mean[i] as number));
    standardised += seen * seen;
    raw += sent * sent;
  }
  return { raw: raw / mean.length, standardised: standardised / mean.length };
}
