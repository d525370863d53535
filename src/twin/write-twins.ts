import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import type { CarDocument } from './car-documents.js';
import type { Database } from './database.js';
import type { Twin } from './documents.js';

export type TwinWrite =
  /** `from` is the revision that the batch started from. */
  | { readonly from: number; readonly twin: Twin }
  /** A car without a twin; the version of its attributes that the twin took on, null where it has none. */
  | { readonly from: null; readonly twin: Twin; readonly attributesVersion: number | null };

const DUPLICATE_KEY = 11_000;

/**
 * Writes the twins of a batch, each only where the store is where the batch started from.
 * @returns false when one is not: nothing may be committed then
 */
export async function writeTwins(
  { collections }: Pick<Database, 'collections'>,
  twins: readonly TwinWrite[],
  session: ClientSession,
): Promise<boolean> {
  const first = twins.flatMap((write) => (write.from === null ? [registration(write)] : []));
  try {
    if (first.length > 0) {
      const registered = await collections.cars.bulkWrite(first, { session, ordered: true });
      if (registered.matchedCount + registered.upsertedCount < first.length) return false;
    }
    const { matchedCount } = await collections.twins.bulkWrite(twins.map(twinOperation), { session, ordered: true });
    return matchedCount === twins.length - first.length;
  } catch (error) {
    // Another partition made the car's first twin in the meantime, or its attributes were set.
    if ((error as { code?: unknown }).code === DUPLICATE_KEY) return false;
    throw error;
  }
}

/** Where the attributes are no longer those that the twin took on, it matches nothing or an insert meets what is there. */
function registration({
  twin,
  attributesVersion,
}: Extract<TwinWrite, { from: null }>): AnyBulkWriteOperation<CarDocument> {
  const filter = { _id: twin._id, 'attributes.version': attributesVersion ?? { $exists: false } };
  return { updateOne: { filter, update: { $inc: { twins: 1 } }, upsert: attributesVersion === null } };
}

function twinOperation({ from, twin }: TwinWrite): AnyBulkWriteOperation<Twin> {
  if (from === null) return { insertOne: { document: twin } };
  return { replaceOne: { filter: { _id: twin._id, revision: from }, replacement: twin } };
}
