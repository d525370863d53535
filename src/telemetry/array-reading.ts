/** One array that somebody sent: numbers in an order that only its model knows (an electrocardiogram, say). */
export interface ArrayReading {
  /** Who or what it is of, as the payload says. */
  readonly id: string;
  /** The Kafka record's time, ms since 1970: the payload has none. */
  readonly at: number;
  /** As sent; all finite. */
  readonly values: Float64Array;
}

/** Both ways of measuring how far an array is from what the model makes of it. */
export interface ArrayErrors {
  /** Mean of the squared differences, in the square of the values' unit. */
  readonly raw: number;
  /** The same after every value was brought to its normal range; no unit. */
  readonly standardised: number;
}

export type ArrayErrorKind = keyof ArrayErrors;
export const ARRAY_ERRORS: readonly [ArrayErrorKind, ArrayErrorKind] = ['raw', 'standardised'];

/** What a model says about one array. */
export interface ArrayScore {
  /** The one of the errors that the model goes by; higher is stranger. */
  readonly value: number;
  readonly threshold: number;
  /** value > threshold */
  readonly anomalous: boolean;
  readonly errors: ArrayErrors;
  /** `name@version` of the model. */
  readonly model: string;
}

export type ArrayScored =
  | { readonly kind: 'scored'; readonly score: ArrayScore }
  | { readonly kind: 'unscored'; readonly reason: string };

/** Scores arrays of one length; answers in the order of the input. */
export interface ArrayScorer {
  /** `name@version` of the model in use. */
  readonly model: string;
  /** How many numbers an array must have. */
  readonly width: number;
  /** @param arrays each of `width` numbers */
  score(arrays: readonly Float64Array[]): Promise<ArrayScored[]>;
}
