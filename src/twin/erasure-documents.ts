/** Left by an erase: readings of the car at or before `upTo` are counted and not stored. */
export interface TombstoneDocument {
  readonly _id: string;
  readonly upTo: Date;
  readonly erasedAt: Date;
  /** The revision of the erased twin: the car's next twin goes on from there, so that no old copy of it matches. */
  readonly revision: number;
}

/** Somebody wants a car forgotten. Written by whoever asks; `doneAt` by the partition's writer. `_id` is the car. */
export interface ErasureDocument {
  readonly _id: string;
  /** Readings at or before this are forgotten and will not be taken again. */
  readonly upTo: Date;
  readonly requestedAt: Date;
  readonly doneAt: Date | null;
  /** What was removed so far, on whatever request; not there before ingest has begun. */
  readonly removed?: Removed;
}

/** Documents of a car, by what they hold: a number each. */
export interface Removed {
  readonly twins: number;
  readonly attributes: number;
  readonly readings: number;
  readonly anomalies: number;
  readonly events: number;
  readonly handlings: number;
  readonly rollups: number;
  readonly commands: number;
}
