import { setTimeout as delay } from 'node:timers/promises';
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import type { Database } from './database.js';
import type {
  EpisodeDocument,
  EpisodeEventDocument,
  PositionCounts,
  PositionDocument,
  ReadingDocument,
  Twin,
} from './documents.js';
import type { EpisodeWrite } from './episode-writes.js';
import { readPosition } from './positions.js';
import { hasLabel, isWriteConflict, storeFaultOf } from './store-fault.js';

export interface TwinWrite {
  /** The revision that the batch started from; null for a car without a twin. */
  readonly from: number | null;
  readonly twin: Twin;
}

/** All that one batch writes, in one transaction. */
export interface BatchWrite {
  /** The position as this writer last knew it: `epoch` and `next` are the fence. */
  readonly before: PositionDocument;
  readonly next: number;
  readonly last: PositionDocument['last'];
  readonly eventSequence: number;
  readonly counted: Partial<PositionCounts>;
  readonly readings: readonly ReadingDocument[];
  readonly twins: readonly TwinWrite[];
  readonly episodes: readonly EpisodeWrite[];
  readonly events: readonly EpisodeEventDocument[];
  readonly erase?: { readonly car: string; readonly upTo: Date; readonly now: Date };
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly position: PositionDocument }
  /** Somebody else took the partition over, or the position is not where this writer left it. */
  | { readonly kind: 'fenced' }
  /** A car of the batch was written through another partition: its twin must be read again. */
  | { readonly kind: 'stale-twins' };

class Abort extends Error {
  constructor(readonly outcome: CommitOutcome) {
    super(outcome.kind);
  }
}

const TRANSACTION = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
} as const;

/**
 * Makes a batch part of the state, wholly or not at all: position, readings, twins, episodes and events in one
 * transaction. A transient abort is tried again as a whole; a commit whose answer was lost is looked up in the position.
 * @throws StoreFault
 */
export async function commitBatch(database: Database, write: BatchWrite): Promise<CommitOutcome> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await tryCommit(database, write);
    } catch (error) {
      if (error instanceof Abort) return resolveAbort(database, write, error.outcome);
      if (hasLabel(error, 'UnknownTransactionCommitResult')) return resolveUnknown(database, write);
      if (!isWriteConflict(error) || attempt >= MOST_ATTEMPTS) throw storeFaultOf(error);
      await delay(Math.min(500, 5 * 2 ** attempt));
    }
  }
}

/** With the pauses above this outlasts a stopped writer's transaction (the server ends it after ten seconds). */
const MOST_ATTEMPTS = 40;

async function tryCommit(database: Database, write: BatchWrite): Promise<CommitOutcome> {
  const session = database.client.startSession();
  try {
    session.startTransaction(TRANSACTION);
    try {
      const position = await movePosition(database, write, session);
      await writeDocuments(database, write, session);
      await session.commitTransaction();
      return { kind: 'committed', position };
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error;
    }
  } finally {
    await session.endSession().catch(() => undefined);
  }
}

/** First, because it is the fence: a former owner ends here, before it has written anything. */
async function movePosition({ collections }: Database, write: BatchWrite, session: ClientSession) {
  const { before, next, last, eventSequence, counted } = write;
  const increments = Object.fromEntries(Object.entries(counted).map(([name, count]) => [`counts.${name}`, count]));
  const position = await collections.positions.findOneAndUpdate(
    { _id: before._id, epoch: before.epoch, next: before.next, eventSequence: before.eventSequence },
    {
      $set: { next, last, eventSequence, clusterId: before.clusterId },
      $currentDate: { updatedAt: true },
      ...(Object.keys(increments).length > 0 ? { $inc: increments } : {}),
    },
    { session, returnDocument: 'after' },
  );
  if (!position) throw new Abort({ kind: 'fenced' });
  return position;
}

async function writeDocuments({ collections }: Database, write: BatchWrite, session: ClientSession): Promise<void> {
  const { readings, twins, episodes, events, erase } = write;
  if (readings.length > 0) await collections.readings.insertMany([...readings], { session, ordered: true });
  if (twins.length > 0) await writeTwins({ collections }, twins, session);
  if (episodes.length > 0) await collections.anomalies.bulkWrite(episodes.map(episodeOperation), { session });
  if (events.length > 0) await collections.events.insertMany([...events], { session, ordered: true });
  if (erase) await eraseDocuments({ collections }, erase, session);
}

async function writeTwins(
  { collections }: Pick<Database, 'collections'>,
  twins: readonly TwinWrite[],
  session: ClientSession,
): Promise<void> {
  const replaced = twins.filter(({ from }) => from !== null).length;
  try {
    const result = await collections.twins.bulkWrite(twins.map(twinOperation), { session, ordered: true });
    if (result.matchedCount < replaced) throw new Abort({ kind: 'stale-twins' });
  } catch (error) {
    // Another partition made the car's first twin in the meantime.
    if ((error as { code?: unknown }).code === 11_000) throw new Abort({ kind: 'stale-twins' });
    throw error;
  }
}

function twinOperation({ from, twin }: TwinWrite): AnyBulkWriteOperation<Twin> {
  if (from === null) return { insertOne: { document: twin } };
  const { _id, ...replacement } = twin;
  return { replaceOne: { filter: { _id, revision: from }, replacement: replacement as Twin } };
}

function episodeOperation(write: EpisodeWrite): AnyBulkWriteOperation<EpisodeDocument> {
  if (write.kind === 'insert') return { insertOne: { document: write.document } };
  const push = write.entries.length > 0 ? { $push: { timeline: { $each: write.entries } } } : {};
  return { updateOne: { filter: { _id: write.id }, update: { $set: write.set, ...push } } };
}

async function eraseDocuments(
  { collections }: Pick<Database, 'collections'>,
  { car, upTo, now }: NonNullable<BatchWrite['erase']>,
  session: ClientSession,
): Promise<void> {
  await collections.tombstones.updateOne(
    { _id: car },
    { $max: { upTo }, $set: { erasedAt: now } },
    { upsert: true, session },
  );
  await collections.twins.deleteOne({ _id: car }, { session });
  await collections.anomalies.deleteMany({ car }, { session });
  await collections.events.deleteMany({ car }, { session });
}

/** "No match": epoch mine and `next` as wanted means that an earlier try of this very batch was committed. */
async function resolveAbort(database: Database, write: BatchWrite, outcome: CommitOutcome): Promise<CommitOutcome> {
  return outcome.kind === 'fenced' ? ((await findCommitted(database, write)) ?? outcome) : outcome;
}

async function resolveUnknown(database: Database, write: BatchWrite): Promise<CommitOutcome> {
  const committed = await findCommitted(database, write);
  if (committed) return committed;
  // Not there: the batch is tried again as a whole. Should the lost commit arrive yet, the fence lets only one in.
  return commitBatch(database, write);
}

async function findCommitted(
  database: Database,
  { before, next, eventSequence }: BatchWrite,
): Promise<CommitOutcome | null> {
  try {
    const position = await readPosition(database, before._id);
    const mine = position?.epoch === before.epoch;
    const moved = next !== before.next || eventSequence !== before.eventSequence;
    const there = position?.next === next && position.eventSequence === eventSequence;
    return mine && moved && there ? { kind: 'committed', position } : null;
  } catch (error) {
    throw storeFaultOf(error);
  }
}
