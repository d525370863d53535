import type { SignalName } from '../telemetry/signals.js';
import type { Twin } from '../twin/documents.js';

/** A measure of a car: a signal of its newest reading, or score / threshold. */
export type Measure = SignalName | 'SCORE';

/** Where documents of the shape of a twin have it. */
export const measureField = (measure: Measure) => (measure === 'SCORE' ? 'score.ratio' : `reported.signals.${measure}`);

/** Null where it has none. */
export const measured = ({ score, reported }: Pick<Twin, 'score' | 'reported'>, measure: Measure): number | null =>
  (measure === 'SCORE' ? score?.ratio : reported.signals[measure]) ?? null;
