import type { Viewer } from '../../access/viewer.js';
import { type FreshnessLimits, freshnessEdges } from '../../fleet/freshness.js';
import { READ_LIMIT } from '../../fleet/fleet.js';
import { type PastTwin, twinAt } from '../../history/twin-at.js';
import type { Database } from '../../twin/database.js';
import type { EpisodeRules } from '../../twin/episodes.js';
import { ApiError } from '../api-error.js';
import { type Car, carModel } from '../car.model.js';
import type { Loaders } from '../loaders.js';
import { twinFor } from '../seen-by.js';

/** What the past is told by. */
export interface PastTools {
  readonly rules: EpisodeRules;
  /** How long readings are kept, ms; null for ever. */
  readonly retention: number | null;
  readonly limits: FreshnessLimits;
  readonly clock: () => number;
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
  const { rules, retention, clock } = tools;
  const keptSince = retention === null ? null : clock() - retention;
  const past = await twinAt(database.collections, present, at, { rules, keptSince, maxTimeMS: READ_LIMIT });
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
  const { readings, late } = past.twin.counters;
  const then = {
    revision: null,
    counters: { readings, late, duplicate: null, expired: null, rejected: null },
    asOf: at,
    openThen: past.open,
  };
  return Object.assign(carModel({ ...past.twin, revision: 0 }, edges), then);
}
