import { noSignals } from '../telemetry/signals.js';
import type { Arrived } from '../twin/apply-reading.js';
import type { ReadingDocument } from '../twin/documents.js';
import { positionOfReading } from '../twin/ids.js';

/** What the fold needs of a row of the history; signals only where the row is to be the reported one. */
export type PastReading = Omit<ReadingDocument, 'signals' | 'shadows' | 'label' | 'skewedAt' | 'late'> &
  Partial<Pick<ReadingDocument, 'signals'>>;

/** What of a row is read for a fold: without the signals, which make up most of it. */
export const FOLDED_FIELDS = { car: 1, at: 1, receivedAt: 1, hash: 1, score: 1, unscored: 1 } as const;

/** The order of readings, whatever the order in which they arrived. */
export function byEventTime(one: PastReading, other: PastReading): number {
  return one.at.getTime() - other.at.getTime() || one.hash - other.hash || (one._id < other._id ? -1 : 1);
}

/** A row as the reducer took it when it came, with the score that it was given then. */
export function arrivedOf(row: PastReading): Arrived {
  const { car, at, hash, receivedAt, score, unscored } = row;
  const signals = row.signals ?? noSignals();
  return {
    reading: { car, at: at.getTime(), skewedAt: null, label: null, signals },
    hash,
    arrival: 'new',
    scored: score ? { kind: 'scored', score, memory: null } : { kind: 'unscored', reason: unscored ?? 'no score' },
    receivedAt: receivedAt.getTime(),
    source: positionOfReading(row._id),
  };
}
