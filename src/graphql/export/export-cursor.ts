import { isCarId } from '../../telemetry/car-id.js';
import type { ReadingDocument } from '../../twin/documents.js';
import { decodeCursor, encodeCursor, isId, isTime } from '../cursor.js';
import type { TimedPlace } from '../keyset.js';

/** A place in the order (car, at, id). */
export interface ExportPlace {
  readonly car: string;
  /** The row of the car that was the last; null behind all of them. */
  readonly row: TimedPlace | null;
}

const NAME = 'export';

export function timedCursorOf({ car, at, _id: id }: Pick<ReadingDocument, 'car' | 'at' | '_id'>): string {
  return encodeCursor([NAME, car, at.getTime(), id]);
}

const isPlace = (parts: unknown[]): parts is [string, number, string] =>
  parts.length === 3 && typeof parts[0] === 'string' && isCarId(parts[0]) && isTime(parts[1]) && isId(parts[2]);

/** @throws ApiError BAD_CURSOR */
export function exportPlace(cursor: string): ExportPlace {
  const [car, at, id] = decodeCursor(cursor, NAME, isPlace);
  return { car, row: { at, id } };
}
