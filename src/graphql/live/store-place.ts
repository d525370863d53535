import { READ_LIMIT } from '../../fleet/fleet.js';
import type { Database } from '../../twin/database.js';
import { ApiError } from '../api-error.js';
import type { EventPlace } from './heads.js';

/** Which store this is, made when it was first prepared. @throws ApiError UNAVAILABLE before that */
export async function readStoreId({ collections }: Database): Promise<string> {
  const meta = await collections.meta.findOne({ _id: 'store' }, { maxTimeMS: READ_LIMIT });
  if (!meta) throw new ApiError('UNAVAILABLE', 'The database has not been prepared yet');
  return meta.storeId;
}

/** How many events each partition has had: counted in the transactions that wrote them. */
export async function readPlace(database: Database): Promise<EventPlace> {
  const projection = { eventSequence: 1 };
  const [storeId, positions] = await Promise.all([
    readStoreId(database),
    database.collections.positions.find({}, { projection, maxTimeMS: READ_LIMIT }).toArray(),
  ]);
  const heads = positions.map(({ _id, eventSequence }) => [_id, eventSequence] as const);
  return { storeId, heads: Object.fromEntries(heads.filter(([, sequence]) => sequence > 0)), token: null };
}
