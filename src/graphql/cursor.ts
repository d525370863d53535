import { ApiError } from './api-error.js';

/** Longer text is not looked at. */
const LONGEST = 64_000;

/** What a cursor holds: the name of what it belongs to, then its parts. */
export type CursorParts = readonly [string, ...unknown[]];

export function encodeCursor(parts: CursorParts): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * The parts of a cursor that was made for `name`, once `isPart` has found each of them to be what it should.
 * @throws ApiError BAD_CURSOR
 */
export function decodeCursor<T extends unknown[]>(
  text: string,
  name: string,
  isParts: (parts: unknown[]) => parts is T,
): T {
  const [made, ...parts] = parsed(text);
  if (made !== name || !isParts(parts)) throw new ApiError('BAD_CURSOR');
  return parts;
}

function parsed(text: string): unknown[] {
  if (text.length > LONGEST || !/^[A-Za-z0-9_-]+$/.test(text)) throw new ApiError('BAD_CURSOR');
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    throw new ApiError('BAD_CURSOR');
  }
}

export const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 400;

const EARLIEST = Date.parse('0001-01-01T00:00:00.000Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/** Ms since 1970 within the years 1 to 9999. */
export const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= EARLIEST && value <= LATEST;
