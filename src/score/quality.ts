/** The part of the failed readings above the score that only the given part of the normal ones exceeds. */
export function recallAt(normal: Float64Array, failed: Float64Array, falsePositives: number): number {
  const limit = normal[Math.max(0, Math.ceil((1 - falsePositives) * normal.length) - 1)] ?? Infinity;
  return shareAbove(failed, limit);
}

export function shareAbove(scores: Float64Array, limit: number): number {
  let above = 0;
  for (const score of scores) if (score > limit) above++;
  return above / scores.length;
}

/** @param sorted rising */
export function countBelow(sorted: Float64Array, score: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] ?? Infinity;
    if (value < score || (orEqual && value === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
