import { inspect } from 'node:util';

/** What is wrong with values by name; null where nothing is. */
export type ValuesCheck = (values: unknown) => string | null;

/** Characters of JSON. */
const LONGEST = 16_384;
const DEEPEST = 8;
/** `_bsontype` makes the driver take an object for a value of its own. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype', '_bsontype']);

/**
 * Whether values by name can be kept and asked for like any others: a JSON object of limited size whose names mean nothing
 * to the database or to JavaScript.
 * @returns what is wrong, null where nothing is
 */
export function plainValues(values: unknown): string | null {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return 'they: must be an object';
  const fault = badName(values, 1);
  if (fault !== null) return fault;
  return JSON.stringify(values).length > LONGEST ? `they: must be shorter than ${LONGEST} characters of JSON` : null;
}

/**
 * A value of JSON as a document can hold it: itself, or what it looks like, as text, where its names or its depth would not be
 * taken.
 */
export function keptValue(value: unknown): unknown {
  if (badName(value, 1) === null) return value;
  return inspect(value, { depth: DEEPEST, breakLength: Number.POSITIVE_INFINITY }).slice(0, LONGEST);
}

function badName(value: unknown, depth: number): string | null {
  if (typeof value !== 'object' || value === null) return null;
  if (depth > DEEPEST) return `they: must not be nested more than ${DEEPEST} deep`;
  for (const [name, inner] of Object.entries(value)) {
    if (name === '' || /^\$|[.\0]/.test(name) || RESERVED.has(name))
      return `${JSON.stringify(name)}: is not a name that can be used`;
    const fault = badName(inner, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}
