import type { ClientSession } from 'mongodb';
import type { Database } from './database.js';

/** All tries together, ms: ingest may write the same documents at the same time. */
const LONGEST = 10_000;

/** What somebody changes through the API, wholly or not at all: tried again where ingest wrote the same in between. */
export function inChange<T>({ client }: Database, work: (session: ClientSession) => Promise<T>): Promise<T> {
  return client.withSession({ defaultTimeoutMS: LONGEST }, (session) =>
    session.withTransaction(() => work(session), {
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority', journal: true },
      readPreference: 'primary',
    }),
  );
}

/**
 * Whether a car that belongs to this fleet now may be changed by who asks. Asked in the transaction, so that nobody moves the
 * car in between.
 */
export type MayChange = (fleet: string | undefined) => boolean;
