import type { Score } from '../telemetry/score.js';
import { SEVERITIES, type EpisodeEventType, type OpenEpisode, type Severity, type Status } from './documents.js';
import { EPISODE_KINDS, kindOf, type EpisodeKind } from './episode-kind.js';
import { episodeId } from './ids.js';

/** When an episode opens, changes its severity and clears. Ratios are score / threshold. */
export interface EpisodeRules {
  /** n of k-of-n, in readings. */
  readonly window: number;
  /** k of k-of-n, in readings. */
  readonly open: number;
  /** m, in readings. */
  readonly clear: number;
  /** Ratio below which a reading counts towards clearing. */
  readonly hysteresis: number;
  readonly major: number;
  readonly critical: number;
  /** ms without reaching the present severity. */
  readonly downgradeAfter: number;
}

/** The part of a twin that episodes live in. */
export interface EpisodeState {
  readonly open: Readonly<Partial<Record<EpisodeKind, OpenEpisode>>>;
  readonly recent: readonly (EpisodeKind | null)[];
  readonly cleared: Readonly<Partial<Record<EpisodeKind, Date>>>;
}

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
}

interface Step {
  readonly episode: OpenEpisode | null;
  readonly change: EpisodeChange | null;
}

/** A signal with at least this share of the error is blamed beside the one with the largest. */
const BLAMED_SHARE = 0.2;

export function severityOf(ratio: number, rules: EpisodeRules): Severity {
  if (ratio >= rules.critical) return 'CRITICAL';
  return ratio >= rules.major ? 'MAJOR' : 'MINOR';
}

export function statusOf({ open, recent }: EpisodeState): Status {
  if (Object.keys(open).length > 0) return 'ANOMALOUS';
  return recent.some((kind) => kind !== null) ? 'SUSPECT' : 'NORMAL';
}

/** Takes the next scored reading of a car. Only readings that move the reported state come here. */
export function advanceEpisodes(
  car: string,
  state: EpisodeState,
  at: Date,
  score: Score,
  rules: EpisodeRules,
): { state: EpisodeState; changes: EpisodeChange[] } {
  const blamed = score.anomalous ? kindOf(score.topSignals[0]?.signal) : null;
  const recent = [...state.recent, blamed].slice(-rules.window);
  const open: Partial<Record<EpisodeKind, OpenEpisode>> = {};
  const changes: EpisodeChange[] = [];
  const cleared = { ...state.cleared };
  for (const kind of EPISODE_KINDS) {
    const before = state.open[kind];
    const step = before
      ? continueEpisode(before, kind, at, score, rules)
      : maybeOpen({ car, kind, at, score, blamed, recent, clearedAt: cleared[kind] }, rules);
    if (step.episode) open[kind] = step.episode;
    if (step.change) changes.push(step.change);
    if (step.change?.event === 'CLEARED') cleared[kind] = at;
  }
  // What belonged to a cleared episode must not open the next one.
  const over = new Set(changes.filter(({ event }) => event === 'CLEARED').map(({ kind }) => kind));
  const kept = recent.map((kind) => (kind !== null && over.has(kind) ? null : kind));
  return { state: { open, recent: kept, cleared }, changes };
}

interface Opening {
  readonly car: string;
  readonly kind: EpisodeKind;
  readonly at: Date;
  readonly score: Score;
  readonly blamed: EpisodeKind | null;
  readonly recent: readonly (EpisodeKind | null)[];
  readonly clearedAt: Date | undefined;
}

const NOTHING: Step = { episode: null, change: null };

function maybeOpen({ car, kind, at, score, blamed, recent, clearedAt }: Opening, rules: EpisodeRules): Step {
  if (blamed !== kind || recent.filter((one) => one === kind).length < rules.open) return NOTHING;
  if (clearedAt && at <= clearedAt) return NOTHING;
  const ratio = ratioOf(score);
  const severity = severityOf(ratio, rules);
  const id = episodeId(car, kind, at);
  return stepOf(
    { id, severity, severityAt: at, calm: 0, readings: 1, peakRatio: ratio, entries: 0 },
    kind,
    'OPENED',
    at,
    score,
  );
}

function continueEpisode(before: OpenEpisode, kind: EpisodeKind, at: Date, score: Score, rules: EpisodeRules): Step {
  if (!blames(score, kind)) return calmDown(before, kind, at, score, rules);
  const ratio = ratioOf(score);
  const reached = severityOf(ratio, rules);
  const extended = {
    ...before,
    calm: 0,
    readings: before.readings + 1,
    peakRatio: Math.max(before.peakRatio, ratio),
    severityAt: rank(reached) >= rank(before.severity) ? at : before.severityAt,
  };
  if (rank(reached) > rank(before.severity)) {
    return stepOf({ ...extended, severity: reached }, kind, 'ESCALATED', at, score);
  }
  return downgraded(extended, kind, at, score, rules) ?? stepOf(extended, kind, null, at, score);
}

/** In the band between hysteresis and threshold the count towards clearing starts again. */
function calmDown(before: OpenEpisode, kind: EpisodeKind, at: Date, score: Score, rules: EpisodeRules): Step {
  const inBand = !score.anomalous && ratioOf(score) >= rules.hysteresis;
  const episode = { ...before, calm: inBand ? 0 : before.calm + 1 };
  if (episode.calm >= rules.clear) return { ...stepOf(episode, kind, 'CLEARED', at, score), episode: null };
  return downgraded(episode, kind, at, score, rules) ?? { episode, change: null };
}

/** The timed downgrade: one severity less when the present one was not reached for long enough. */
function downgraded(
  before: OpenEpisode,
  kind: EpisodeKind,
  at: Date,
  score: Score | null,
  rules: EpisodeRules,
): Step | null {
  const lower = SEVERITIES[rank(before.severity) - 1];
  if (!lower || at.getTime() - before.severityAt.getTime() <= rules.downgradeAfter) return null;
  return stepOf({ ...before, severity: lower, severityAt: at }, kind, 'DOWNGRADED', at, score);
}

/** What the clock alone does to a car's episodes. `at` is the time on the car's own clock. */
export function downgradeEpisodes(
  state: EpisodeState,
  at: Date,
  rules: EpisodeRules,
): { state: EpisodeState; changes: EpisodeChange[] } {
  const open: Partial<Record<EpisodeKind, OpenEpisode>> = { ...state.open };
  const changes: EpisodeChange[] = [];
  for (const kind of EPISODE_KINDS) {
    const before = state.open[kind];
    const step = before ? downgraded(before, kind, at, null, rules) : null;
    if (!step?.episode || !step.change) continue;
    open[kind] = step.episode;
    changes.push(step.change);
  }
  return { state: { ...state, open }, changes };
}

function stepOf(
  reached: OpenEpisode,
  kind: EpisodeKind,
  event: EpisodeEventType | null,
  at: Date,
  score: Score | null,
): Step {
  const episode = { ...reached, entries: reached.entries + (event ? 1 : 0) };
  const { id, severity, readings, entries, peakRatio } = episode;
  const ratio = score ? ratioOf(score) : peakRatio;
  const peak = score !== null && ratio >= peakRatio;
  return { episode, change: { id, kind, event, severity, at, ratio, readings, peak, entries, score } };
}

function blames(score: Score, kind: EpisodeKind): boolean {
  if (!score.anomalous) return false;
  return score.topSignals.some(
    ({ signal, share }, index) => (index === 0 || share >= BLAMED_SHARE) && kindOf(signal) === kind,
  );
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export function ratioOf(score: { value: number; threshold: number }): number {
  return score.threshold > 0 ? score.value / score.threshold : score.value;
}
