import { FEATURES, FEATURE_COUNT } from './features.js';
import type { Rows } from './training-set.js';

export interface Normaliser {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** Mean and standard deviation of each feature over the rows that have it; a feature that never varies keeps a small scale. */
export function normaliserOf({ count, values }: Rows): Normaliser {
  const mean = new Float64Array(FEATURE_COUNT);
  const scale = new Float64Array(FEATURE_COUNT);
  for (let i = 0; i < FEATURE_COUNT; i++) {
    let n = 0;
    let sum = 0;
    let squares = 0;
    // Welford's way loses no digits where the spread is small against the mean.
    for (let row = 0; row < count; row++) {
      const value = values[row * FEATURE_COUNT + i] ?? NaN;
      if (Number.isNaN(value)) continue;
      const delta = value - sum;
      sum += delta / ++n;
      squares += delta * (value - sum);
    }
    mean[i] = sum;
    const tolerance = (FEATURES[i]?.tolerance ?? 0) * Math.abs(sum);
    scale[i] = Math.max(Math.sqrt(squares / Math.max(1, n)), tolerance, 1e-6 * Math.abs(sum), 1e-9);
  }
  return { mean, scale };
}
