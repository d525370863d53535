import type { Filter } from 'mongodb';
import { seesFleet, withinScope } from '../access/scope.js';
import type { SignalName } from '../telemetry/signals.js';
import { STATUSES, type Status, type Twin } from '../twin/documents.js';
import { EPISODE_KINDS, type EpisodeKind } from '../twin/episode-kind.js';
import { FRESHNESSES, type Freshness, type FreshnessEdges, freshnessOf, lastSeenRanges } from './freshness.js';

/** Both ends included; null or absent for no bound. */
export interface Range {
  readonly min?: number | null;
  readonly max?: number | null;
}

/** Which cars are meant; conditions add up. A list that is absent or null means all; an empty list means none. */
export interface CarFilter {
  readonly ids?: readonly string[] | null;
  readonly status?: readonly Status[] | null;
  readonly freshness?: readonly Freshness[] | null;
  /** Versions of the control unit's firmware. */
  readonly firmware?: readonly number[] | null;
  readonly fleet?: readonly string[] | null;
  readonly model?: readonly string[] | null;
  /** Cars that carry all of these. */
  readonly tags?: readonly string[] | null;
  /** Of score / threshold. */
  readonly score?: Range | null;
  /** Cars that reported the signal within the range, in the unit that the car sent. */
  readonly signals?: readonly ({ readonly signal: SignalName } & Range)[] | null;
  readonly openKind?: readonly EpisodeKind[] | null;
}

/** A filter with what its asker may see at all: never taken from a request. */
export interface ScopedFilter extends CarFilter {
  /** Fleets; null for every car. */
  readonly within: readonly string[] | null;
}

/**
 * The query for a filter. `status` comes as `$in` of what is wanted, which the partial index on cars that need attention
 * can serve; a filter that names every value is no filter.
 */
export function carQuery(filter: ScopedFilter, edges: FreshnessEdges): Filter<Twin> {
  const { ids, status, freshness, firmware, fleet, model, tags, score, signals, openKind, within } = filter;
  const conditions: Filter<Twin>[] = [
    withinScope('attributes.fleet', { fleets: within }),
    anyOf('_id', ids),
    status && !namesAll(status, STATUSES) ? { status: { $in: [...new Set(status)] } } : {},
    freshness && !namesAll(freshness, FRESHNESSES) ? seen(freshness, edges) : {},
    anyOf('reported.signals.controlUnitFirmware', firmware),
    anyOf('attributes.fleet', fleet),
    anyOf('attributes.model', model),
    tags && tags.length > 0 ? { 'attributes.tags': { $all: [...tags] } } : {},
    between('score.ratio', score),
    ...(signals ?? []).map(({ signal, ...range }) => between(`reported.signals.${signal}`, range, true)),
    openKind ? hasOpen(openKind) : {},
  ].filter((condition) => Object.keys(condition).length > 0);
  const [only, ...others] = conditions;
  return others.length === 0 ? (only ?? {}) : { $and: conditions };
}

function anyOf(field: string, wanted: readonly (string | number)[] | null | undefined): Filter<Twin> {
  return wanted ? { [field]: { $in: [...wanted] } } : {};
}

/** A range without bounds lets everything through, or with `present` everything that has the field. */
function between(field: string, range: Range | null | undefined, present = false): Filter<Twin> {
  if (!range) return {};
  const bounds = {
    ...(range.min == null ? {} : { $gte: range.min }),
    ...(range.max == null ? {} : { $lte: range.max }),
  };
  if (Object.keys(bounds).length > 0) return { [field]: bounds };
  return present ? { [field]: { $ne: null } } : {};
}

function hasOpen(kinds: readonly EpisodeKind[]): Filter<Twin> {
  const wanted = EPISODE_KINDS.filter((kind) => kinds.includes(kind));
  if (wanted.length === 0) return NO_CAR;
  return { $or: wanted.map((kind) => ({ [`openEpisodes.${kind}`]: { $exists: true } })) };
}

const NO_CAR: Filter<Twin> = { _id: { $in: [] } };

function seen(freshness: readonly Freshness[], edges: FreshnessEdges): Filter<Twin> {
  const ranges = lastSeenRanges(freshness, edges);
  if (ranges.length === 0) return NO_CAR;
  const [only] = ranges;
  return ranges.length === 1 && only ? { lastSeenAt: only } : { $or: ranges.map((lastSeenAt) => ({ lastSeenAt })) };
}

function namesAll<T>(wanted: readonly T[], every: readonly T[]): boolean {
  return every.every((value) => wanted.includes(value));
}

/** The same for one twin in memory: what a subscription lets through. */
export function carMatches(twin: Twin, filter: ScopedFilter, edges: FreshnessEdges): boolean {
  const { ids, status, freshness, firmware, fleet, model, tags, score, signals, openKind, within } = filter;
  const { attributes, reported } = twin;
  const carried = attributes?.['tags'];
  return (
    seesFleet({ fleets: within }, attributes?.fleet) &&
    includes(ids, twin._id) &&
    includes(status, twin.status) &&
    includes(freshness, freshnessOf(twin.lastSeenAt, edges)) &&
    includes(firmware, reported.signals.controlUnitFirmware) &&
    includes(fleet, attributes?.fleet) &&
    includes(model, attributes?.model) &&
    (!tags || tags.every((tag) => Array.isArray(carried) && carried.includes(tag))) &&
    lies(twin.score?.ratio, score) &&
    (signals ?? []).every(({ signal, ...range }) => lies(reported.signals[signal], range, true)) &&
    (!openKind || openKind.some((kind) => twin.openEpisodes[kind] !== undefined))
  );
}

function includes<T>(wanted: readonly T[] | null | undefined, value: T | null | undefined): boolean {
  return !wanted || (value != null && wanted.includes(value));
}

function lies(value: number | null | undefined, range: Range | null | undefined, present = false): boolean {
  if (!range) return true;
  if (value == null) return !present && range.min == null && range.max == null;
  return (range.min == null || value >= range.min) && (range.max == null || value <= range.max);
}

/** Whether it leaves out any car that its asker may see. */
export function narrows(filter: ScopedFilter): boolean {
  return Object.values({ ...filter, within: null }).some((part) => part != null);
}

/** The name of a filter in caches: two filters with the same name let the same cars through. */
export function filterKey(filter: ScopedFilter): string {
  const named = Object.entries(filter).filter(([, value]) => value != null);
  const sorted = named.sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([filter.within, Object.fromEntries(sorted)]);
}
