import type { Score } from '../telemetry/score.js';
import type { EpisodeEventType, OpenEpisode, Severity } from './documents.js';
import type { EpisodeKind } from './episode-kind.js';

/** What one reading (or a timer) did to one episode. `event` is null where it only extends it. */
export interface EpisodeChange {
  readonly id: string;
  readonly kind: EpisodeKind;
  readonly event: EpisodeEventType | null;
  readonly severity: Severity;
  readonly at: Date;
  readonly ratio: number;
  /** Anomalous readings in the episode so far. */
  readonly readings: number;
  /** Whether the ratio is the highest of the episode so far. */
  readonly peak: boolean;
  /** Events of the episode so far, this one included. */
  readonly entries: number;
  /** The score that caused it; null for a timer. */
  readonly score: Score | null;
  readonly snoozedUntil?: Date;
}

/** The episode after a reading or a timer, null when none is open; and what is to be told of it. */
export interface Step {
  readonly episode: OpenEpisode | null;
  readonly change: EpisodeChange | null;
}

export const NOTHING: Step = { episode: null, change: null };

/** @param score of the reading; null for a timer, whose ratio is the episode's peak */
export function stepOf(
  reached: OpenEpisode,
  kind: EpisodeKind,
  event: EpisodeEventType | null,
  at: Date,
  score: Score | null,
): Step {
  const episode = { ...reached, entries: reached.entries + (event ? 1 : 0) };
  const { id, severity, readings, entries, peakRatio, snoozedUntil } = episode;
  const ratio = score ? ratioOf(score) : peakRatio;
  const peak = score !== null && ratio >= peakRatio;
  const told = { id, kind, event, severity, at, ratio, readings, peak, entries, score };
  const change = snoozedUntil ? { ...told, snoozedUntil } : told;
  return { episode: event === 'CLEARED' ? null : episode, change };
}

export function ratioOf(score: { value: number; threshold: number }): number {
  return score.threshold > 0 ? score.value / score.threshold : score.value;
}
