import type { Timestamp } from 'mongodb';
import { decodeCursor, encodeCursor } from '../cursor.js';
import { isTokenText } from './resume-token.js';

/** A place in the changes of all cars. */
export interface CarPlace {
  readonly storeId: string;
  /** The store's own clock, as text that sorts by time; empty where the store has none. */
  readonly at: string;
  /** All that is not known here comes behind this token in the change stream; null where none is known. */
  readonly token: string | null;
}

const hex = (half: number) => (half >>> 0).toString(16).padStart(8, '0');

export function sortableTime(time: Timestamp): string {
  return hex(time.getHighBits()) + hex(time.getLowBits());
}

const NAME = 'car-updates';

/** Cursors of before there were tokens in them are taken, too. */
const isPlace = (parts: unknown[]): parts is [string, string, string?] =>
  (parts.length === 2 || (parts.length === 3 && isTokenText(parts[2]))) &&
  typeof parts[0] === 'string' &&
  /^([0-9a-f]{16})?$/.test(String(parts[1]));

export function carCursor({ storeId, at, token }: CarPlace): string {
  return encodeCursor([NAME, storeId, at, ...(token === null ? [] : [token])]);
}

/** @throws ApiError BAD_CURSOR */
export function carPlace(cursor: string): CarPlace {
  const [storeId, at, token = null] = decodeCursor(cursor, NAME, isPlace);
  return { storeId, at, token };
}
