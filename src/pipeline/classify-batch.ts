import type { Reading } from '../telemetry/reading.js';
import { hashSignals } from '../telemetry/signals-hash.js';
import { newestOf } from '../twin/apply-reading.js';
import {
  classifyArrival,
  isAfter,
  lookupsOf,
  sentAt,
  type Arrival,
  type KnownReadings,
  type ReadingOrder,
} from '../twin/arrival.js';
import type { CarState, Wanted } from '../twin/twin-reads.js';

/** The readings of the batch that may have been sent before, by what the twins say. */
export function wantedOf(readings: readonly Reading[], cars: ReadonlyMap<string, CarState>): Wanted {
  const byTime: Reading[] = [];
  const bySkewedTime: Reading[] = [];
  for (const reading of readings) {
    const twin = cars.get(reading.car)?.twin ?? null;
    const lookups = lookupsOf(reading, newestOf(twin), twin?.skewedUpTo?.getTime() ?? null);
    if (lookups.byTime) byTime.push(reading);
    if (lookups.bySkewedTime) bySkewedTime.push(reading);
  }
  return { byTime, bySkewedTime };
}

export interface HashedArrival {
  readonly reading: Reading;
  readonly hash: number;
  readonly arrival: Arrival;
}

/**
 * What each reading of the batch is to its car, in order: a reading counts for those after it.
 * @param known rows found in the history; those of the batch are added
 * @param expiredBefore ms; null keeps everything
 */
export function classifyBatch(
  readings: readonly Reading[],
  cars: ReadonlyMap<string, CarState>,
  known: KnownReadings,
  expiredBefore: number | null,
): HashedArrival[] {
  const newest = new Map<string, ReadingOrder | null>();
  return readings.map((reading) => {
    const { car, at } = reading;
    const state = cars.get(car);
    const hash = hashSignals(reading.signals);
    const last = newest.has(car) ? (newest.get(car) ?? null) : newestOf(state?.twin ?? null);
    const limits = { expiredBefore, erasedUpTo: state?.erasedUpTo ?? null };
    const arrival = classifyArrival(reading, hash, last, known, limits);
    if (arrival === 'new' || arrival === 'late') known.add(car, sentAt(reading), hash);
    newest.set(car, arrival === 'new' && (!last || isAfter({ at, hash }, last)) ? { at, hash } : last);
    return { reading, hash, arrival };
  });
}
