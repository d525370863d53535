import type { Counts, Covered } from './coverage.js';
import type { Measure } from './measure.js';
import type { TimeWindow } from './source.js';

export interface Group extends Counts {
  /** The value of each dimension; null where cars have none. */
  readonly values: readonly (string | number | null)[];
  readonly mean: number | null;
  readonly percentiles: readonly (number | null)[];
}

export interface Groups extends Covered {
  readonly groups: readonly Group[];
  /** There are more groups than these: the coverage is that of these. */
  readonly more: boolean;
}

export interface Distribution extends Covered {
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly percentiles: readonly (number | null)[];
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly cars: number }[];
}

export interface Extremes extends Covered {
  readonly cars: readonly { readonly id: string; readonly value: number }[];
}

export interface Correlation extends Covered {
  readonly measures: readonly Measure[];
  readonly matrix: readonly (readonly (number | null)[])[];
}

export interface FailureRate {
  readonly value: string | number | null;
  readonly cars: number;
  readonly failed: number;
  readonly episodes: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

export interface FailureRates extends Covered {
  readonly window: TimeWindow;
  readonly groups: readonly FailureRate[];
  readonly more: boolean;
}

export interface EpisodeTime {
  readonly kind: string;
  readonly episodes: number;
  readonly cleared: number;
  readonly open: number;
  /** s */
  readonly between: number;
  /** s; null where none has cleared */
  readonly toClear: number | null;
}

export interface EpisodeTimes extends Covered {
  readonly window: TimeWindow;
  readonly kinds: readonly EpisodeTime[];
}
