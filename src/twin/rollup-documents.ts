import type { ObjectId } from 'mongodb';
import type { SignalName } from '../telemetry/signals.js';

/** What is kept of one signal over a window, in the signal's unit. The mean is `sum / count`. */
export interface SignalFigures {
  /** Readings that carried the signal. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Rounded once from the exact sum, so that the order of the readings does not show. */
  readonly sum: number;
}

/** What is kept of a window's readings, of one car or of all. Figures of parts merge into the figures of the whole. */
export interface Figures {
  readonly readings: number;
  /** Readings whose score lay above the threshold. */
  readonly anomalies: number;
  /** Null where no reading has a score. */
  readonly maxScore: number | null;
  /** Highest score / threshold. */
  readonly maxRatio: number | null;
  readonly signals: Readonly<Partial<Record<SignalName, SignalFigures>>>;
}

/** A car in a window. `_id` is window/run/car. */
export interface CarRollupDocument extends Figures {
  readonly _id: string;
  readonly car: string;
  /** Start of the window. */
  readonly at: Date;
}

/**
 * The fleet in a window, and which run's documents are the window's cars: replacing it switches all of them at once.
 * `_id` is the window.
 */
export interface FleetRollupDocument extends Figures {
  readonly _id: string;
  readonly at: Date;
  readonly run: string;
  readonly cars: number;
  readonly computedAt: Date;
}

export type RollupDocument = CarRollupDocument | FleetRollupDocument;

/**
 * The readings of a window changed since its rollups were computed. `_id` is step/window/who changed them; `stamp` is a new
 * one with every change, so that only the change that was seen is taken off.
 */
export interface RollupMarkDocument {
  readonly _id: string;
  readonly at: Date;
  readonly stamp: ObjectId;
}

/** Documents of a run that is not the window's: under way, given up or replaced. Removed once `dueAt` is past. */
export interface RollupRunDocument {
  /** step/window/run */
  readonly _id: string;
  readonly at: Date;
  readonly dueAt: Date;
}
