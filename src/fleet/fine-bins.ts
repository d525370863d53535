import type { Distribution } from './answers.js';

/** Bins that percentiles are taken from, at least: each is right to so small a part of the range. */
export const FINE_BINS = 2_000;

export interface Spread {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Of no cars at all. */
export const NOTHING = { mean: null, min: null, max: null, histogram: [] } as const;

type Range = Pick<Spread, 'min' | 'max'> & { readonly width: number };

/**
 * The value of a rank, evenly within its bin.
 * @param counts cars by bin
 * @param rank 0 to the number of cars
 */
export function percentileOf(counts: ReadonlyMap<number, number>, rank: number, { min, max, width }: Range): number {
  let below = 0;
  for (const [bin, cars] of [...counts].sort(([one], [other]) => one - other)) {
    if (below + cars >= rank) {
      const within = Math.max(0, (rank - below) / cars);
      return Math.min(max, min + (bin + within) * width);
    }
    below += cars;
  }
  return max;
}

/** So many bins out of a multiple of them. */
export function coarse(
  counts: ReadonlyMap<number, number>,
  { min, width }: Omit<Range, 'max'>,
  bins: number,
  fine: number,
): Distribution['histogram'] {
  const each = fine / bins;
  const sums = Array.from({ length: bins }, () => 0);
  for (const [bin, cars] of counts) {
    const place = Math.min(bins - 1, Math.floor(bin / each));
    sums[place] = (sums[place] ?? 0) + cars;
  }
  return sums.map((cars, n) => ({ from: min + n * each * width, to: min + (n + 1) * each * width, cars }));
}
