import type { Collection } from 'mongodb';
import { READ_LIMIT } from '../fleet/fleet.js';
import type { ArrayReadingDocument } from '../twin/array-documents.js';
import type { ArrayReadingsArgs } from './array-reading.args.js';
import { type ArrayReadingModel, arrayReadingModel } from './array-reading.model.js';
import { type Connection, pageOf, pageSize } from './connection.js';
import { checkRange, pageBounds, timedCursor, timedPlace } from './keyset.js';

const NAME = 'arrayReadings';

/**
 * A page of the arrays of a topic, oldest first.
 * @throws ApiError BAD_CURSOR, BAD_RANGE, BAD_ARGUMENT, PAGE_TOO_LARGE
 */
export async function arrayReadingsPage(
  arrays: Collection<ArrayReadingDocument>,
  { topic, sender, from = null, to = null, first, after }: ArrayReadingsArgs,
): Promise<Connection<ArrayReadingModel>> {
  const count = pageSize(first);
  checkRange({ from, to });
  const place = after ? timedPlace(NAME, after) : null;
  const query = { topic, ...(sender != null && { sender }) };
  const rows: ArrayReadingDocument[] = [];
  for (const bounds of pageBounds('at', { from, to }, place, false)) {
    const missing = count + 1 - rows.length;
    if (missing <= 0) break;
    const found = arrays.find({ ...query, ...bounds }, { maxTimeMS: READ_LIMIT }).sort({ at: 1, _id: 1 });
    rows.push(...(await found.limit(missing).toArray()));
  }
  const entry = (row: ArrayReadingDocument) => ({
    cursor: timedCursor(NAME, { at: row.at.getTime(), id: row._id }),
    node: arrayReadingModel(row),
  });
  return pageOf(rows, count, entry, { started: place !== null });
}
