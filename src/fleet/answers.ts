/** When an answer was computed, ms. */
export interface Dated {
  readonly asOf: number;
}

export interface Group {
  /** The value of each dimension; null where cars have none. */
  readonly values: readonly (string | number | null)[];
  readonly cars: number;
  /** Cars that have the measure. */
  readonly measured: number;
  readonly mean: number | null;
  readonly percentiles: readonly (number | null)[];
}

export interface Distribution extends Dated {
  readonly cars: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly percentiles: readonly (number | null)[];
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly cars: number }[];
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
