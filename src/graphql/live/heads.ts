import { decodeCursor, encodeCursor } from '../cursor.js';
import { isTokenText } from './resume-token.js';

/** The newest event of each partition that was seen, by `topic/partition`. Never changed: a new one is made. */
export type Heads = Readonly<Record<string, number>>;

export interface EventPlace {
  readonly storeId: string;
  readonly heads: Heads;
  /** Everything beyond the heads comes behind this token in the change stream; null where none is known. */
  readonly token: string | null;
}

export function headOf(heads: Heads, partition: string): number {
  return Object.hasOwn(heads, partition) ? (heads[partition] ?? 0) : 0;
}

export function advanced(heads: Heads, partition: string, sequence: number): Heads {
  return { ...heads, [partition]: sequence };
}

/** Partitions in which `ahead` has seen more than `behind`. */
export function partitionsBehind(behind: Heads, ahead: Heads): string[] {
  return Object.keys(ahead).filter((partition) => headOf(ahead, partition) > headOf(behind, partition));
}

const NAME = 'events';
const PARTITION = /^[A-Za-z0-9._-]{1,249}\/\d{5,10}$/;

export function eventCursor({ storeId, heads, token }: EventPlace): string {
  return encodeCursor([NAME, storeId, Object.entries(heads), ...(token === null ? [] : [token])]);
}

type Entries = [string, number][];

/** Nothing is said of a partition without events: any number of those could be invented. */
const isEntry = (value: unknown) =>
  Array.isArray(value) &&
  value.length === 2 &&
  PARTITION.test(String(value[0])) &&
  Number.isSafeInteger(value[1]) &&
  value[1] >= 1;

/** Cursors of before there were tokens in them are taken, too. */
const isPlace = (parts: unknown[]): parts is [string, Entries, string?] =>
  (parts.length === 2 || (parts.length === 3 && isTokenText(parts[2]))) &&
  typeof parts[0] === 'string' &&
  Array.isArray(parts[1]) &&
  parts[1].every(isEntry);

/** @throws ApiError BAD_CURSOR */
export function eventPlace(cursor: string): EventPlace {
  const [storeId, entries, token = null] = decodeCursor(cursor, NAME, isPlace);
  return { storeId, heads: Object.fromEntries(entries), token };
}
