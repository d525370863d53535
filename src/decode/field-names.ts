import { SIGNALS } from '../telemetry/signals.js';

/**
 * What a field of a message is for: a signal (its place in SIGNALS), or one of the below. Numbers, because this is asked
 * some twenty times a message.
 */
export type FieldRole = number;

export const TIMESTAMP = 100;
export const TIME = 101;
export const CAR = 102;
export const LABEL = 103;
export const UNKNOWN = -1;
/** Names that no message has a use for and that reach into JavaScript's own machinery. */
export const FORBIDDEN = -2;

const ROLES: ReadonlyMap<string, FieldRole> = new Map<string, FieldRole>([
  ...SIGNALS.map((signal, place) => [withoutSuffix(plain(signal.wire)), place] as const),
  ['timestamp', TIMESTAMP],
  ['time', TIME],
  ['car', CAR],
  ['carid', CAR],
  ['failureoccurred', LABEL],
]);

const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** No spelling of a known name needs more; longer names are not looked at. */
const LONGEST = 64;
const REMEMBERED = 2_048;
const known = new Map<string, FieldRole>();

/** The role of a field by its name: case and underscores do not count, nor does a signal's suffix `value`. */
export function roleOf(name: string): FieldRole {
  const role = known.get(name);
  if (role !== undefined) return role;
  if (name.length > LONGEST) return UNKNOWN;
  const found = findRole(name);
  // Cars spell in a few ways only: whoever fills this makes up names, and they are not worth a better policy.
  if (known.size >= REMEMBERED) known.clear();
  known.set(name, found);
  return found;
}

export function isForbidden(name: string): boolean {
  return FORBIDDEN_NAMES.has(name);
}

function findRole(name: string): FieldRole {
  if (isForbidden(name)) return FORBIDDEN;
  const letters = plain(name);
  return ROLES.get(letters) ?? ROLES.get(withoutSuffix(letters)) ?? UNKNOWN;
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function withoutSuffix(letters: string): string {
  return letters.endsWith('value') ? letters.slice(0, -'value'.length) : letters;
}
