import type { ObjectId } from 'mongodb';

/** One file of a model's folder; its bytes lie in GridFS, in the bucket `modelFiles`. */
export interface ModelFile {
  readonly path: string;
  readonly sha256: string;
  readonly length: number;
  readonly file: ObjectId;
}

/** A registered model. `_id` is name@version. */
export interface ModelDocument {
  readonly _id: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 over the paths and hashes of its files: what the model is, whatever it is called. */
  readonly artefact: string;
  readonly kind: string;
  readonly threshold: number | null;
  readonly files: readonly ModelFile[];
  readonly registeredAt: Date;
  readonly registeredBy: string;
  /** Where it came from, for people. */
  readonly note: string;
  readonly retiredAt: Date | null;
  /** Rises with whatever is done with the model, so that two who do it at once cannot both succeed. */
  readonly touched: number;
}

export const MODEL_ACTIONS = ['ACTIVATE', 'SHADOW', 'UNSHADOW', 'ROLLBACK', 'RETIRE'] as const;
export type ModelAction = (typeof MODEL_ACTIONS)[number];

export interface ModelChange {
  readonly revision: number;
  readonly action: ModelAction;
  /** The model that it was done with; null for the one that the settings name. */
  readonly model: string | null;
  readonly at: Date;
  readonly by: string;
}

/** Which models are in use. `_id` names the stream that they score. */
export interface ModelSlots {
  readonly _id: 'sensor-data';
  /** 0 where nobody ever changed anything; then the settings' MODEL_DIR scores. */
  readonly revision: number;
  /** Null: the settings' MODEL_DIR. */
  readonly champion: string | null;
  readonly shadows: readonly string[];
  /** Earlier champions, the newest last: what a rollback goes back to. */
  readonly previous: readonly (string | null)[];
  /** The newest changes, the oldest first. */
  readonly changes: readonly ModelChange[];
  /** A model that is being checked and may be wanted next: ingest processes load it beforehand. */
  readonly warming: { readonly model: string; readonly at: Date } | null;
  /** The newest revision that was told to the topic of model updates. */
  readonly announced: number;
}
