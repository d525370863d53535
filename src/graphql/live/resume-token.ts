import type { ResumeToken } from 'mongodb';

/** Longest that is put into a cursor, characters. */
const LONGEST = 2_000;
const HEX = /^([0-9A-Fa-f]{2})+$/;
/** Tokens of MongoDB begin so, with a time of this century, and sort as the changes do. */
const SORTABLE = /^82[1-9A-F]/;

/** A change stream's token as text; null where the server gives one of another form. */
export function tokenText(token: ResumeToken): string | null {
  const data = (token as { _data?: unknown } | null | undefined)?._data;
  return isTokenText(data) ? data : null;
}

export function isTokenText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST && HEX.test(value);
}

/** Whether a place in a change stream is the other one or lies behind it; false where that cannot be told. */
export function reaches(here: string | null, there: string | null): boolean {
  if (here === null || there === null) return false;
  return here === there || (SORTABLE.test(here) && SORTABLE.test(there) && here > there);
}

export function tokenOf(text: string): ResumeToken {
  return { _data: text };
}
