import type { Filter } from 'mongodb';
import { decodeCursor, encodeCursor, isId, isTime } from './cursor.js';
import { ApiError } from './api-error.js';

/** A row's place in an order by (instant, id). */
export interface TimedPlace {
  /** Ms. */
  readonly at: number;
  readonly id: string;
}

const isTimedPlace = (parts: unknown[]): parts is [number, string] =>
  parts.length === 2 && isTime(parts[0]) && isId(parts[1]);

export function timedCursor(name: string, place: TimedPlace): string {
  return encodeCursor([name, place.at, place.id]);
}

/** @throws ApiError BAD_CURSOR */
export function timedPlace(name: string, cursor: string): TimedPlace {
  const [at, id] = decodeCursor(cursor, name, isTimedPlace);
  return { at, id };
}

export interface TimeRange {
  readonly from?: Date | null;
  readonly to?: Date | null;
}

/** @throws ApiError BAD_RANGE */
export function checkRange({ from, to }: TimeRange): void {
  if (from && to && from > to) throw new ApiError('BAD_RANGE');
}

/**
 * The bounds of a page as filters that an index on (field, _id) serves one after the other: first the rest of the instant
 * that the page before ended in, then all that lies behind it. `from` is included, `to` is not. Every filter is bounded on
 * both sides and none needs `$or`.
 */
export function pageBounds(
  field: string,
  range: TimeRange,
  place: TimedPlace | null,
  backwards: boolean,
): Filter<{ _id: string }>[] {
  const from = range.from && range.from > EARLIEST ? range.from : EARLIEST;
  const to = range.to ?? LATEST;
  if (!place) return [{ [field]: { $gte: from, $lt: to } }];
  const at = new Date(place.at);
  const tied = at >= from && at < to ? [{ [field]: at, _id: backwards ? { $lt: place.id } : { $gt: place.id } }] : [];
  const rest = backwards
    ? { $gte: from, $lt: at < to ? at : to }
    : at >= from
      ? { $gt: at, $lt: to }
      : { $gte: from, $lt: to };
  return [...tied, { [field]: rest }];
}

/** Within the years that every database client can hold. */
const EARLIEST = new Date('0001-01-01T00:00:00.000Z');
const LATEST = new Date('9999-12-31T23:59:59.999Z');
