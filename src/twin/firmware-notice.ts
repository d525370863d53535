import { NOTICED_SIGNAL, type Score } from '../telemetry/score.js';
import type { OpenEpisode } from './documents.js';
import { episodeId } from './ids.js';
import { NOTHING, ratioOf, stepOf, type Step } from './episode-step.js';

const KIND = 'FIRMWARE_OUTDATED';

/** A score in two: whether the firmware is to be noticed, and what is said of everything else. */
export interface PartedScore {
  readonly noticed: boolean;
  readonly mechanical: Score;
}

/**
 * An outdated firmware is so strange to a model that it drowns everything else. Models that judge signal by signal say
 * themselves what is left without it; where one does not, its score is taken for the sum of the signals' parts.
 */
export function partScore(score: Score): PartedScore {
  const first = score.topSignals[0];
  if (!score.topSignals.some(({ signal }) => signal === NOTICED_SIGNAL)) return { noticed: false, mechanical: score };
  const drowned = score.anomalous && first?.signal === NOTICED_SIGNAL;
  const { mechanical: said, ...rest } = score;
  const others = score.topSignals.filter(({ signal }) => signal !== NOTICED_SIGNAL);
  if (!said && !drowned) return { noticed: false, mechanical: { ...rest, topSignals: others } };
  const value = said?.value ?? score.value * (1 - (first?.share ?? 0));
  const topSignals = said?.topSignals ?? others;
  return { noticed: true, mechanical: { ...rest, value, anomalous: value > score.threshold, topSignals } };
}

interface Noticing {
  readonly car: string;
  readonly at: Date;
  readonly score: Score;
  readonly noticed: boolean;
  /** Readings in a row that showed it, this one included. */
  readonly inARow: number;
  readonly clearedAt: Date | undefined;
}

/**
 * A version does not waver as a measurement does: k readings in a row open the notice, m without it clear it. It is always
 * MINOR, however strange the version is to the model.
 */
export function advanceNotice(
  before: OpenEpisode | undefined,
  { car, at, score, noticed, inARow, clearedAt }: Noticing,
  rules: { readonly open: number; readonly clear: number },
): Step {
  const ratio = ratioOf(score);
  if (before && noticed) {
    const peakRatio = Math.max(before.peakRatio, ratio);
    return stepOf({ ...before, calm: 0, readings: before.readings + 1, peakRatio }, KIND, null, at, score);
  }
  if (before) {
    const calmer = { ...before, calm: before.calm + 1 };
    return calmer.calm < rules.clear ? { episode: calmer, change: null } : stepOf(calmer, KIND, 'CLEARED', at, score);
  }
  if (!noticed || inARow < rules.open || (clearedAt && at <= clearedAt)) return NOTHING;
  const id = episodeId(car, KIND, at);
  const opened = { id, severity: 'MINOR', severityAt: at, calm: 0, readings: 1, peakRatio: ratio, entries: 0 } as const;
  return stepOf(opened, KIND, 'OPENED', at, score);
}
