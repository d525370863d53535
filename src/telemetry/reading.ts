import type { Signals } from './signals.js';

/** Where a record lies in Kafka. Offsets are exact up to 2^53. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** One decoded message of one car. */
export interface Reading {
  readonly car: string;
  /** Event time, ms since 1970: the time that the car sent, or the Kafka record's time when it sent none. */
  readonly at: number;
  /** The time that the car sent when it lay too far ahead of the record's time and `at` was set to the latter; ms. */
  readonly skewedAt: number | null;
  readonly signals: Signals;
  /** `failure_occurred` as sent: a label for evaluation, never an input of a model. */
  readonly label: boolean | null;
}
