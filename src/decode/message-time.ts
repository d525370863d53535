/** Last ms of the year 9999: ISO 8601 has four digits for the year, and no car is meant to be later. */
const LATEST = 253_402_300_799_999;

/** Whether a number of ms since 1970 lies in the years 1970 to 9999: what a message, and the record around it, may say. */
export function isInstant(millis: number): boolean {
  return millis >= 0 && millis <= LATEST;
}

/** The end of what is taken for seconds, ms and µs since 1970; beyond the last come ns. Seconds reach the year 5138, ms begin in 1973. */
const SECONDS_BELOW = 1e11;
const MILLIS_BELOW = 1e14;
const MICROS_BELOW = 1e17;

const EPOCH = /^\d{1,19}(?:\.\d{1,9})?$/;
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/**
 * A time as a message says it, in ms since 1970 (whole): a number of seconds, ms, µs or ns since 1970, told apart by
 * magnitude, also as a string; or ISO 8601, which means UTC where it names no zone. Null when it is none of these.
 */
export function parseTime(value: unknown): number | null {
  if (typeof value === 'number') return fromEpoch(value);
  if (typeof value !== 'string' || value.length > 48) return null;
  const text = value.trim();
  return EPOCH.test(text) ? fromEpoch(Number(text)) : fromIso(text);
}

function fromEpoch(value: number): number | null {
  if (!(value >= 0)) return null;
  const millis = toMillis(value);
  return isInstant(millis) ? millis + 0 : null;
}

function toMillis(value: number): number {
  // Seconds carry their ms as a fraction, which binary numbers only come near to.
  if (value < SECONDS_BELOW) return Math.round(value * 1e3);
  if (value < MILLIS_BELOW) return Math.floor(value);
  if (value < MICROS_BELOW) return Math.floor(value / 1e3);
  return Math.floor(value / 1e6);
}

function fromIso(text: string): number | null {
  const parts = ISO.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((place) => Number(parts[place] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zone = zoneMinutes(parts);
  // A leap second (60) is the first of the next minute.
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60 || zone === null) return null;
  const midnight = Date.UTC(year, month - 1, day);
  if (new Date(midnight).getUTCDate() !== day || year < 1970) return null;
  const fraction = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const millis = midnight + ((hour * 60 + minute - zone) * 60 + second) * 1e3 + fraction;
  return isInstant(millis) ? millis : null;
}

function zoneMinutes(parts: RegExpExecArray): number | null {
  const hours = Number(parts[9] ?? 0);
  const minutes = Number(parts[10] ?? 0);
  if (hours > 23 || minutes > 59) return null;
  return (hours * 60 + minutes) * (parts[8] === '-' ? -1 : 1);
}
