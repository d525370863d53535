import type { Viewer } from '../../access/viewer.js';
import { type FreshnessLimits, freshnessEdges } from '../../fleet/freshness.js';
import { READ_LIMIT } from '../../fleet/fleet.js';
import type { Turns } from '../../fleet/turns.js';
import { countersAt } from '../../history/counters-at.js';
import { type PastTwin, twinAt } from '../../history/twin-at.js';
import type { Database } from '../../twin/database.js';
import type { EpisodeRules } from '../../twin/episodes.js';
import { ApiError } from '../api-error.js';
import { type Car, carModel, type Counters } from '../car.model.js';
import type { Loaders } from '../loaders.js';
import { twinFor } from '../seen-by.js';

/** What the past is told by. */
export interface PastTools {
  readonly rules: EpisodeRules;
  /** How long readings are kept, ms; null for ever. */
  readonly retention: number | null;
  readonly limits: FreshnessLimits;
  /** Readings that one car may be folded from. */
  readonly mostRows: number;
  readonly clock: () => number;
  /** Bounds the memory that folding takes in this process. */
  readonly turns: Turns;
}

export const PAST_TOOLS = Symbol('PastTools');

export interface PastSource {
  readonly database: Database;
  readonly loaders: Loaders;
  readonly tools: PastTools;
}

/**
 * The twin of a car as of an instant; null for a car that this viewer does not see now, and before its first reading.
 * @throws ApiError BEFORE_RETENTION, TOO_MANY_READINGS
 */
export async function pastTwin(source: PastSource, viewer: Viewer, id: string, at: Date): Promise<PastTwin | null> {
  const { database, loaders, tools } = source;
  const present = await twinFor(viewer, loaders, id);
  if (!present) return null;
  const { rules, mostRows } = tools;
  const options = { rules, keptSince: keptSince(tools), maxTimeMS: READ_LIMIT, mostRows };
  const past = await tools.turns.take(() => twinAt(database.collections, present, at, options));
  switch (past.kind) {
    case 'known':
      return past.past;
    case 'none':
      return null;
    case 'gone':
      throw new ApiError('BEFORE_RETENTION', 'The readings that decide the state at that instant are no longer kept');
    case 'too-many':
      throw new ApiError('TOO_MANY_READINGS', 'Too many readings lie between that instant and the last calm stretch');
  }
}

/** @throws as above */
export async function pastCar(source: PastSource, viewer: Viewer, id: string, at: Date): Promise<Car | null> {
  const past = await pastTwin(source, viewer, id, at);
  if (!past) return null;
  const edges = freshnessEdges(at.getTime(), source.tools.limits);
  const then = { revision: null, counters: NOT_COUNTED, asOf: at, openThen: past.open };
  const countThen = () => countersThen(source, viewer, id, at);
  return Object.assign(carModel({ ...past.twin, counters: NONE, revision: 0 }, edges), { ...then, countThen });
}

/** What the history tells; what was never stored is not known of the past. */
export async function countersThen(source: PastSource, viewer: Viewer, id: string, at: Date): Promise<Counters> {
  const { database, loaders, tools } = source;
  const present = await twinFor(viewer, loaders, id);
  if (!present || at < present.firstSeenAt) return NOT_COUNTED;
  const options = { keptSince: keptSince(tools), maxTimeMS: READ_LIMIT };
  return Object.assign(await countersAt(database.collections, present, at, options), UNKNOWN);
}

const NONE = { readings: 0, late: 0, duplicate: 0, expired: 0, rejected: 0 };
const UNKNOWN = { duplicate: null, expired: null, rejected: null };
const NOT_COUNTED: Counters = { readings: 0, late: 0, ...UNKNOWN };

/** ms; null where all readings are kept */
export function keptSince({ retention, clock }: Pick<PastTools, 'retention' | 'clock'>): number | null {
  return retention === null ? null : clock() - retention;
}
