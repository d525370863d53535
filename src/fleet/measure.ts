import type { SignalName } from '../telemetry/signals.js';

/** A measure of a car: a signal of its newest reading, or score / threshold. */
export type Measure = SignalName | 'SCORE';

/** What a twin is measured by. */
export interface MeasuredTwin {
  readonly score?: { readonly ratio: number } | null;
  readonly reported?: { readonly signals: Readonly<Partial<Record<SignalName, number | null>>> };
}

/** Where documents of the shape of a twin have it. */
export const measureField = (measure: Measure) => (measure === 'SCORE' ? 'score.ratio' : `reported.signals.${measure}`);

/** Null where it has none. */
export const measured = ({ score, reported }: MeasuredTwin, measure: Measure): number | null =>
  (measure === 'SCORE' ? score?.ratio : reported?.signals[measure]) ?? null;
