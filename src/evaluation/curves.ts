import type { ScoresByCar } from './scores-by-car.js';

/** Shares, 0..1. */
export type RocPoint = readonly [falsePositives: number, found: number];

/** False positives from 0.001 % to all, eight a decade. */
const STEPS = 40;
const LEAST = 5;

/** The ROC curve where it matters: at false positives that rise by a factor, for at an even pace nothing would be seen. */
export function rocOf(normal: Float64Array, failed: Float64Array): RocPoint[] {
  const points: RocPoint[] = [];
  for (let step = 0; step <= STEPS; step++) {
    const share = 10 ** (LEAST * (step / STEPS - 1));
    const limit = normal[normal.length - 1 - Math.floor(share * normal.length)] ?? -Infinity;
    points.push([share, shareAbove(failed, limit)]);
  }
  return points;
}

/** @param sorted rising */
function shareAbove(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) > limit) high = middle;
    else low = middle + 1;
  }
  return (sorted.length - low) / sorted.length;
}

/** Bins of a score over the threshold: a tenth of a decade each, from a hundredth to a thousand times the threshold. */
export const BINS = { from: -2, to: 3, perDecade: 10 } as const;
const COUNT = (BINS.to - BINS.from) * BINS.perDecade;

/** The share of the scores in each bin; what lies outside counts to the outermost ones. */
export function distributionOf({ values, count }: ScoresByCar, threshold: number): number[] {
  const bins = Array.from({ length: COUNT }, () => 0);
  for (const value of values) {
    const bin = Math.floor((Math.log10(value / threshold) - BINS.from) * BINS.perDecade);
    const place = Math.min(COUNT - 1, Math.max(0, bin));
    bins[place] = (bins[place] ?? 0) + 1;
  }
  return bins.map((one) => (count === 0 ? 0 : one / count));
}
