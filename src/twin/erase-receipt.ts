import type { ClientSession } from 'mongodb';
import type { Database } from './database.js';
import type { ErasureDocument, Removed } from './erasure-documents.js';

/**
 * Somebody wants a car forgotten; asked for again, it is forgotten again, up to then, and the receipt goes on. Ingest does
 * it within a second or so.
 */
export async function requestErasure({ collections }: Database, car: string, now: Date): Promise<ErasureDocument> {
  const request = { upTo: now, requestedAt: now, doneAt: null };
  const asked = await collections.erasures.findOneAndUpdate(
    { _id: car },
    { $set: request },
    { upsert: true, returnDocument: 'after' },
  );
  return asked ?? { _id: car, ...request };
}

/** Notes, in the transaction that removes them, how many documents of a car go: each counts once, whoever is killed in between. */
export async function noteRemoved(
  { collections }: Pick<Database, 'collections'>,
  car: string,
  removed: Partial<Removed>,
  session: ClientSession,
): Promise<void> {
  const counts = Object.entries(removed).map(([kind, count]) => [`removed.${kind}`, count] as const);
  await collections.erasures.updateOne({ _id: car }, { $inc: Object.fromEntries(counts) }, { session });
}
