import type { ResumeToken } from 'mongodb';

/** Longest that is put into a cursor, characters. */
const LONGEST = 2_000;
const HEX = /^([0-9A-Fa-f]{2})+$/;

/** A change stream's token as text; null where the server gives one of another form. */
export function tokenText(token: ResumeToken): string | null {
  const data = (token as { _data?: unknown } | null | undefined)?._data;
  return isTokenText(data) ? data : null;
}

export function isTokenText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST && HEX.test(value);
}

export function tokenOf(text: string): ResumeToken {
  return { _data: text };
}
