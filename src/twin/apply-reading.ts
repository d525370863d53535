import type { Reading } from '../telemetry/reading.js';
import type { Score, ScoreMemory, Scored } from '../telemetry/score.js';
import type { Arrival, ReadingOrder } from './arrival.js';
import type { Counters, ShadowMemory, Twin, TwinScore } from './documents.js';
import { ratioOf, type EpisodeChange } from './episode-step.js';
import { advanceEpisodes, downgradeEpisodes, statusOf, type EpisodeRules } from './episodes.js';
import { carNow, endSilence } from './silence.js';

/** A reading on its way into the twin, with all that earlier stages found out about it. */
export interface Arrived {
  readonly reading: Reading;
  readonly hash: number;
  readonly arrival: Arrival;
  /** Null for readings that are not stored. */
  readonly scored: Scored | null;
  /** What shadow models say of it; they raise nothing. */
  readonly shadows?: readonly { readonly model: string; readonly scored: Scored }[];
  /** The Kafka record's time, ms. */
  readonly receivedAt: number;
  readonly source: Twin['source'];
}

export interface Applied {
  readonly twin: Twin | null;
  readonly changes: readonly EpisodeChange[];
}

/**
 * The reducer: one reading onto one twin. Pure: same arguments, same result.
 *
 * A `new` reading becomes the reported state, carries the score's memory on, and may open, extend or clear episodes.
 * A `late` one moves `firstSeenAt` and the counters only; the others only a counter. A car without a twin gets one with its first
 * stored reading; until then there is nothing to count on.
 */
export function applyReading(twin: Twin | null, arrived: Arrived, rules: EpisodeRules): Applied {
  switch (arrived.arrival) {
    case 'new':
      return applyNew(twin, arrived, rules);
    case 'late':
      return { twin: twin && applyLate(twin, arrived), changes: [] };
    case 'duplicate':
    case 'expired':
      return { twin: twin && count(twin, { [arrived.arrival]: 1 }), changes: [] };
    case 'erased':
      return { twin, changes: [] };
  }
}

/** A record of the car that could not be decoded. */
export function applyRejected(twin: Twin | null): Twin | null {
  return twin && count(twin, { rejected: 1 });
}

/** The clock: timed downgrades, by the car's own clock, for a car that need not send anything. */
export function applyClock(twin: Twin, now: number, rules: EpisodeRules): Applied {
  const { state, changes } = downgradeEpisodes(episodeStateOf(twin), carNow(twin, now), rules);
  return changes.length === 0 ? { twin, changes } : { twin: { ...twin, openEpisodes: state.open }, changes };
}

/** Where a car stands in the order of readings. */
export function newestOf(twin: Twin | null): ReadingOrder | null {
  return twin && { at: twin.reported.at.getTime(), hash: twin.reported.hash };
}

function applyNew(twin: Twin | null, arrived: Arrived, rules: EpisodeRules): Applied {
  const { reading, hash, receivedAt, source, scored } = arrived;
  const at = new Date(reading.at);
  const { twin: heard, changes: ended } = endSilence(twin ?? emptyTwin(arrived), at);
  const { shadowMemory: _shadows, noticed: _noticed, ...before } = heard;
  const memory = scored?.kind === 'scored' ? scored.memory : before.memory;
  const score = scored?.kind === 'scored' ? scored.score : null;
  const episodes = score
    ? advanceEpisodes(reading.car, episodeStateOf(heard), at, score, rules)
    : { state: episodeStateOf(heard), changes: [] };
  const after: Twin = {
    ...before,
    reported: { at, receivedAt: new Date(receivedAt), hash, signals: reading.signals },
    score: score && twinScoreOf(score),
    status: statusOf(episodes.state),
    counters: add(before.counters, { readings: 1 }),
    lastSeenAt: at,
    source,
    ...skewOf(before, reading),
    openEpisodes: episodes.state.open,
    recent: episodes.state.recent,
    cleared: episodes.state.cleared,
    ...(episodes.state.noticed > 0 ? { noticed: episodes.state.noticed } : {}),
    memory,
    ...shadowMemoryOf(twin, arrived, memory),
  };
  return { twin: after, changes: [...ended, ...episodes.changes] };
}

/** Only what differs from the twin's own memory in kind; models that are no longer in the shadow are forgotten. */
function shadowMemoryOf(
  twin: Twin | null,
  { shadows = [] }: Arrived,
  memory: ScoreMemory | null,
): Pick<Twin, 'shadowMemory'> {
  const own = shadows.flatMap(({ model, scored }): ShadowMemory[] => {
    const before = twin?.shadowMemory?.find((one) => one.model === model)?.memory ?? null;
    const after = scored.kind === 'scored' ? scored.memory : before;
    return after && after.features !== memory?.features ? [{ model, memory: after }] : [];
  });
  return own.length > 0 ? { shadowMemory: own } : {};
}

function applyLate(twin: Twin, { reading }: Arrived): Twin {
  const firstSeenAt = reading.at < twin.firstSeenAt.getTime() ? new Date(reading.at) : twin.firstSeenAt;
  return { ...count(twin, { readings: 1, late: 1 }), firstSeenAt, ...skewOf(twin, reading) };
}

function skewOf(twin: Twin, { skewedAt }: Reading): Pick<Twin, 'skewedUpTo'> {
  if (skewedAt === null || skewedAt <= (twin.skewedUpTo?.getTime() ?? 0)) return {};
  return { skewedUpTo: new Date(skewedAt) };
}

function count(twin: Twin, more: Partial<Counters>): Twin {
  return { ...twin, counters: add(twin.counters, more) };
}

function add(counters: Counters, more: Partial<Counters>): Counters {
  return {
    readings: counters.readings + (more.readings ?? 0),
    late: counters.late + (more.late ?? 0),
    duplicate: counters.duplicate + (more.duplicate ?? 0),
    expired: counters.expired + (more.expired ?? 0),
    rejected: counters.rejected + (more.rejected ?? 0),
  };
}

function emptyTwin({ reading, hash, receivedAt, source }: Arrived): Twin {
  const at = new Date(reading.at);
  return {
    _id: reading.car,
    revision: 0,
    reported: { at, receivedAt: new Date(receivedAt), hash, signals: reading.signals },
    score: null,
    status: 'NORMAL',
    counters: { readings: 0, late: 0, duplicate: 0, expired: 0, rejected: 0 },
    firstSeenAt: at,
    lastSeenAt: at,
    source,
    openEpisodes: {},
    recent: [],
    cleared: {},
    memory: null,
  };
}

function episodeStateOf(twin: Twin) {
  const { openEpisodes: open, recent, cleared, noticed = 0 } = twin;
  return { open, recent, cleared, noticed };
}

function twinScoreOf(score: Score): TwinScore {
  const { value, threshold, anomalous, worseThan, model, topSignals } = score;
  const standing = worseThan === undefined ? {} : { worseThan };
  return { value, threshold, ratio: ratioOf(score), anomalous, ...standing, model, topSignals };
}
