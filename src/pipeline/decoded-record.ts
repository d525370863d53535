import type { SourceRecord } from '../kafka/record-batch.js';
import type { Reading } from '../telemetry/reading.js';
import type { HashedArrival } from './classify-batch.js';
import type { Judged, Rejection } from './fold-batch.js';
import type { PanelScores } from './score-by-panel.js';

export interface DecodedRecord {
  readonly record: SourceRecord;
  readonly decoded: { readonly kind: 'reading'; readonly reading: Reading } | Rejection;
}

export function readingsOf(decoded: readonly DecodedRecord[]): Reading[] {
  return decoded.flatMap((one) => (one.decoded.kind === 'reading' ? [one.decoded.reading] : []));
}

/** Every car that the records speak of: those of the readings, and those of rejected records with a valid key. */
export function carsOf(decoded: readonly DecodedRecord[]): Set<string> {
  const cars = new Set<string>();
  for (const { decoded: one } of decoded) {
    const car = one.kind === 'reading' ? one.reading.car : one.car;
    if (car !== null) cars.add(car);
  }
  return cars;
}

/** Puts arrivals and scores, which are in the order of the readings, beside the records again. */
export function withArrivals(
  decoded: readonly DecodedRecord[],
  arrivals: readonly HashedArrival[],
  { scores, shadows }: PanelScores,
): Judged[] {
  let place = 0;
  return decoded.map(({ record, decoded: one }) => {
    if (one.kind === 'rejected') return { record, outcome: one };
    const arrival = arrivals[place];
    if (!arrival) throw new RangeError(`no arrival for reading ${place}`);
    const judged = { scored: scores[place] ?? null, shadows: shadows[place] ?? [] };
    place += 1;
    return { record, outcome: { kind: 'reading', ...arrival, ...judged } };
  });
}
