import type { Reading } from '../telemetry/reading.js';

/**
 * What a reading is to its car: `new` moves the reported state; `late` is stored and scored only; `duplicate`, `expired`
 * (older than the retention) and `erased` (at or before a tombstone) are counted only.
 */
export type Arrival = 'new' | 'late' | 'duplicate' | 'expired' | 'erased';

/** The order of readings: by event time, and for two readings of one instant by the hash of their signals. */
export interface ReadingOrder {
  /** ms */
  readonly at: number;
  readonly hash: number;
}

export interface ArrivalLimits {
  /** Readings before this are expired; ms; null keeps everything. */
  readonly expiredBefore: number | null;
  /** The car's tombstone; ms. */
  readonly erasedUpTo: number | null;
}

/** Rows that the history is known to hold, to find out whether a reading was sent before. */
export class KnownReadings {
  private readonly keys = new Set<string>();

  add(car: string, sentAt: number, hash: number): void {
    this.keys.add(`${car}/${sentAt}/${hash}`);
  }

  has(car: string, sentAt: number, hash: number): boolean {
    return this.keys.has(`${car}/${sentAt}/${hash}`);
  }
}

/** The time that the car sent, by which a message that was sent twice is recognised even where its clock was wrong. */
export function sentAt(reading: Reading): number {
  return reading.skewedAt ?? reading.at;
}

/**
 * Where the history has to be asked whether a reading was sent before: among the rows of its own time, among those that
 * were stored under another time than the one sent, in both, or nowhere.
 * @param skewedUpTo the furthest time that the car ever sent ahead of the clock, ms
 */
export function lookupsOf(reading: Reading, newest: ReadingOrder | null, skewedUpTo: number | null): LookUps {
  return {
    byTime: newest !== null && sentAt(reading) <= newest.at,
    bySkewedTime: skewedUpTo !== null && sentAt(reading) <= skewedUpTo,
  };
}

export interface LookUps {
  readonly byTime: boolean;
  readonly bySkewedTime: boolean;
}

/**
 * @param newest the reported reading of the car, null where it has none
 * @param known rows of the history that `lookupsOf` asked for, and the rows of the batch so far
 */
export function classifyArrival(
  reading: Reading,
  hash: number,
  newest: ReadingOrder | null,
  known: KnownReadings,
  limits: ArrivalLimits,
): Arrival {
  if (limits.erasedUpTo !== null && reading.at <= limits.erasedUpTo) return 'erased';
  if (limits.expiredBefore !== null && reading.at < limits.expiredBefore) return 'expired';
  if (known.has(reading.car, sentAt(reading), hash)) return 'duplicate';
  if (newest === null || isAfter({ at: reading.at, hash }, newest)) return 'new';
  return reading.at === newest.at && hash === newest.hash ? 'duplicate' : 'late';
}

export function isAfter(one: ReadingOrder, other: ReadingOrder): boolean {
  return one.at > other.at || (one.at === other.at && one.hash > other.hash);
}
