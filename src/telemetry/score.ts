import type { SignalName } from './signals.js';
import type { Reading } from './reading.js';

export interface SignalShare {
  readonly signal: SignalName;
  /** This signal's part of the whole (normalised) error, 0..1. */
  readonly share: number;
}

/** The one signal that no workshop mends: it is noticed, and set apart from what is said of the others. */
export const NOTICED_SIGNAL = 'controlUnitFirmware' satisfies SignalName;

/** What a model says of all signals but the noticed one, in the same unit. */
export interface MechanicalScore {
  readonly value: number;
  readonly topSignals: readonly SignalShare[];
}

/** What a model says about one reading. */
export interface Score {
  /** The anomaly score; higher is stranger. In the model's own unit: compare with `threshold`. */
  readonly value: number;
  readonly threshold: number;
  /** value > threshold */
  readonly anomalous: boolean;
  /** The share of normal readings that score lower, 0..1; not there where the model does not know. */
  readonly worseThan?: number;
  /** `name@version` of the model. */
  readonly model: string;
  /** The up to three signals that the error comes from, largest share first. */
  readonly topSignals: readonly SignalShare[];
  /** There only where the noticed signal lies above the threshold by itself, and the model judges signal by signal. */
  readonly mechanical?: MechanicalScore;
}

/** What a model remembers of a car between readings. Kept in the twin; only the feature set named in it may read it. */
export interface ScoreMemory {
  readonly features: string;
  readonly state: readonly number[];
}

export interface ToScore {
  readonly reading: Reading;
  readonly memory: ScoreMemory | null;
}

/** A score with the car's memory after the reading, or the reason why there is no score (the memory stays as it was). */
export type Scored =
  | { readonly kind: 'scored'; readonly score: Score; readonly memory: ScoreMemory | null }
  | { readonly kind: 'unscored'; readonly reason: string };

/** Scores the next reading of many cars in one vectorised call; answers in the order of the input. */
export interface Scorer {
  /** `name@version` of the model in use. */
  readonly model: string;
  score(batch: readonly ToScore[]): Promise<Scored[]>;
}

/** The models that score one batch, all of it: a batch is never scored by half a model. */
export interface Panel {
  /** Rises with every change of the models in use; 0 where nobody ever changed them. */
  readonly revision: number;
  readonly champion: Scorer;
  /** Score the same readings and raise nothing. */
  readonly shadows: readonly Scorer[];
}

/** Where the pipeline finds the models in use, which may be others for the next batch. */
export interface Scorers {
  /**
   * Lends the models in use until the work is done; a model that is replaced meanwhile stays until then.
   * @param atLeast the revision that readings of the partition were scored with before: an older one is not lent
   */
  use<T>(atLeast: number, work: (panel: Panel) => Promise<T>): Promise<T>;
}

/** One model that never changes. */
export function onlyScorer(champion: Scorer): Scorers {
  return { use: (_, work) => work({ revision: 0, champion, shadows: [] }) };
}
