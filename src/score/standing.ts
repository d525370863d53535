import type { ModelMetadata } from './model-folder.js';

/**
 * How a score stands against normal: the share of the normal readings of the training that score lower, 0..1. Between the
 * quantiles that the model knows it is taken to rise evenly; a score above all of them is worse than every normal reading.
 * @param normalScores quantiles and their scores, both rising; scores are never below 0
 */
export function standingOf(score: number, normalScores: ModelMetadata['normalScores']): number {
  let below = { quantile: 0, score: 0 };
  for (const above of normalScores) {
    if (score <= above.score) {
      const part = above.score === below.score ? 1 : (score - below.score) / (above.score - below.score);
      return below.quantile + part * (above.quantile - below.quantile);
    }
    below = above;
  }
  return 1;
}
