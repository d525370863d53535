import type { Reading } from '../telemetry/reading.js';
import type { Database } from '../twin/database.js';
import type { ReadingDocument } from '../twin/documents.js';
import { BSON } from 'mongodb';

/** ms since 1970 */
export interface HistoryWindow {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

export interface HistoryProgress {
  readonly records: number;
  /** As the database sends them. */
  readonly bytes: number;
}

export interface HistoryOptions {
  /** Called every BATCH readings, and at the end. */
  readonly onProgress: (progress: HistoryProgress) => void;
  readonly signal: AbortSignal;
}

/** The window of the history cannot be read. */
export class HistoryWindowError extends Error {
  override readonly name = 'HistoryWindowError';
}

/** Readings that the database sends at a time: what is held of them. */
const BATCH = 2_000;
const PROJECTION = { _id: 0, car: 1, at: 1, skewedAt: 1, signals: 1, label: 1 };

type Row = Pick<ReadingDocument, 'car' | 'at' | 'skewedAt' | 'signals' | 'label'>;

/**
 * The readings of a window of the history in the order of their times, by the index on it. Each car's readings are in
 * order, whenever they arrived.
 *
 * @throws HistoryWindowError nothing in the window; the driver's errors; what the signal was aborted with
 */
export async function* historyReadings(
  { collections }: Database,
  { from, to }: HistoryWindow,
  { onProgress, signal }: HistoryOptions,
): AsyncGenerator<Reading> {
  const at = { $gte: new Date(from), $lt: new Date(to) };
  // Undecoded, for their size.
  const rows = collections.readings
    .find({ at }, { projection: PROJECTION, batchSize: BATCH, raw: true })
    .sort({ at: 1 })
    .stream() as AsyncIterable<unknown>;
  let records = 0;
  let bytes = 0;
  for await (const raw of rows as AsyncIterable<Uint8Array>) {
    if (records % BATCH === 0) {
      signal.throwIfAborted();
      onProgress({ records, bytes });
    }
    records++;
    bytes += raw.length;
    yield readingOf(BSON.deserialize(raw) as Row);
  }
  signal.throwIfAborted();
  const window = `from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  if (records === 0) throw new HistoryWindowError(`there is no reading in the history ${window}`);
  onProgress({ records, bytes });
}

function readingOf({ car, at, skewedAt, signals, label }: Row): Reading {
  return { car, at: at.getTime(), skewedAt: skewedAt?.getTime() ?? null, signals, label: label ?? null };
}
