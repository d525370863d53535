import type { Distribution } from './answers.js';

/** Bins that percentiles are taken from, at least: each is right to so small a part of the range. */
export const FINE_BINS = 2_000;

export interface Spread {
  readonly min: number;
  readonly max: number;
}

/** Ranges smaller than this are no range: their halves, or their parts, may be 0. */
const NARROWEST = 1e-300;

/** Of one of so many bins. In halves: the range may be beyond all numbers. */
export function widthOf({ min, max }: Spread, bins: number): number {
  const width = 2 * ((max / 2 - min / 2) / bins);
  return width > NARROWEST ? width : 1;
}

/** @param bin may be a part of one */
function startOf(bin: number, { min, width }: Omit<Range, 'max'>): number {
  return Math.min(Number.MAX_VALUE, 2 * (min / 2 + bin * (width / 2)));
}

/** Of no cars at all. */
export const NOTHING = { mean: null, min: null, max: null, histogram: [] } as const;

type Range = Pick<Spread, 'min' | 'max'> & { readonly width: number };

/**
 * The value of a rank, evenly within its bin.
 * @param counts cars by bin
 * @param rank 0 to the number of cars
 */
export function percentileOf(counts: ReadonlyMap<number, number>, rank: number, range: Range): number {
  let below = 0;
  for (const [bin, cars] of [...counts].sort(([one], [other]) => one - other)) {
    if (below + cars >= rank) {
      const within = Math.max(0, (rank - below) / cars);
      // Halving rounds the smallest numbers that there are.
      return Math.max(range.min, Math.min(range.max, startOf(bin + within, range)));
    }
    below += cars;
  }
  return range.max;
}

/** So many bins out of a multiple of them. */
export function coarse(
  counts: ReadonlyMap<number, number>,
  range: Omit<Range, 'max'>,
  bins: number,
  fine: number,
): Distribution['histogram'] {
  const each = fine / bins;
  const sums = Array.from({ length: bins }, () => 0);
  for (const [bin, cars] of counts) {
    const place = Math.min(bins - 1, Math.floor(bin / each));
    sums[place] = (sums[place] ?? 0) + cars;
  }
  return sums.map((cars, n) => ({ from: startOf(n * each, range), to: startOf((n + 1) * each, range), cars }));
}
