import type { Calm, Figures } from './figures.js';
import type { TargetCheck } from './targets.js';

export type HealthyRow = { readonly cars: string } & Calm;
export type FaultRow = { readonly cars: string; readonly strength: string } & Figures;

/** What an evaluation of one model found. */
export interface Report {
  readonly model: string;
  readonly threshold: number;
  /** The seed of the simulated cars, or the file. */
  readonly source: string;
  readonly healthy: readonly HealthyRow[];
  readonly faults: readonly FaultRow[];
  /** What is wanted of simulated cars; none for given readings. */
  readonly targets: readonly TargetCheck[];
  /** Readings that got no score, by the reason. */
  readonly unscored: Readonly<Record<string, number>>;
}

/** The report of the model that was asked for, and those of others on the same readings; the JSON form is this object. */
export interface Comparison extends Report {
  readonly against: readonly ({ readonly name: string } & Report)[];
}
