import type { Score } from '../telemetry/score.js';
import { SEVERITIES, type OpenEpisode, type Severity, type Status } from './documents.js';
import { kindOf, MECHANICAL_KINDS, type EpisodeKind } from './episode-kind.js';
import { NOTHING, ratioOf, stepOf, type EpisodeChange, type Step } from './episode-step.js';
import { advanceNotice, partScore } from './firmware-notice.js';
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
  /** Readings in a row, up to the newest, that showed an outdated firmware. */
  readonly noticed: number;
}

/** A signal with at least this share of the error is blamed beside the one with the largest. */
const BLAMED_SHARE = 0.2;

export function severityOf(ratio: number, rules: EpisodeRules): Severity {
  if (ratio >= rules.critical) return 'CRITICAL';
  return ratio >= rules.major ? 'MAJOR' : 'MINOR';
}

/** A notice says nothing of how a car drives: only what is mechanical counts. */
export function statusOf({ open, recent }: Pick<EpisodeState, 'open' | 'recent'>): Status {
  if (MECHANICAL_KINDS.some((kind) => open[kind])) return 'ANOMALOUS';
  return recent.some((kind) => kind !== null) ? 'SUSPECT' : 'NORMAL';
}

/** Takes the next scored reading of a car. Only readings that move the reported state come here. */
export function advanceEpisodes(
  car: string,
  state: EpisodeState,
  at: Date,
  whole: Score,
  rules: EpisodeRules,
): { state: EpisodeState; changes: EpisodeChange[] } {
  const { noticed, mechanical: score } = partScore(whole);
  const blamed = score.anomalous ? kindOf(score.topSignals[0]?.signal) : null;
  const recent = [...state.recent, blamed].slice(-rules.window);
  const open: Partial<Record<EpisodeKind, OpenEpisode>> = { ...state.open };
  const changes: EpisodeChange[] = [];
  const cleared = { ...state.cleared };
  const take = (kind: EpisodeKind, { episode, change }: Step) => {
    if (episode) open[kind] = episode;
    else delete open[kind];
    if (change) changes.push(change);
    if (change?.event === 'CLEARED') cleared[kind] = at;
  };
  for (const kind of MECHANICAL_KINDS) {
    const before = state.open[kind];
    const opening = { car, kind, at, score, blamed, recent, clearedAt: cleared[kind] };
    take(kind, before ? continueEpisode(before, kind, at, score, rules) : maybeOpen(opening, rules));
  }
  const inARow = noticed ? state.noticed + 1 : 0;
  const noticing = { car, at, score: whole, noticed, inARow, clearedAt: cleared.FIRMWARE_OUTDATED };
  take('FIRMWARE_OUTDATED', advanceNotice(state.open.FIRMWARE_OUTDATED, noticing, rules));
  // What belonged to a cleared episode must not open the next one.
  const over = new Set(changes.filter(({ event }) => event === 'CLEARED').map(({ kind }) => kind));
  const kept = recent.map((kind) => (kind !== null && over.has(kind) ? null : kind));
  return { state: { open, recent: kept, cleared, noticed: Math.min(inARow, rules.open) }, changes };
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
  if (episode.calm >= rules.clear) return stepOf(episode, kind, 'CLEARED', at, score);
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
  for (const kind of MECHANICAL_KINDS) {
    const before = state.open[kind];
    const step = before ? downgraded(before, kind, at, null, rules) : null;
    if (!step?.episode || !step.change) continue;
    open[kind] = step.episode;
    changes.push(step.change);
  }
  return { state: { ...state, open }, changes };
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
