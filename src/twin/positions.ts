import { setTimeout as delay } from 'node:timers/promises';
import { MongoServerError, type Binary, type ClientSession } from 'mongodb';
import type { Database } from './database.js';
import type { PositionDocument } from './documents.js';
import { eventId, positionId, readingId } from './ids.js';
import { isWriteConflict } from './store-fault.js';

/** Between two tries while a stopped holder's transaction holds the position, ms. */
const CONFLICT_PAUSE = 100;

const NO_COUNTS = { stored: 0, late: 0, duplicate: 0, expired: 0, erased: 0, rejected: 0, lost: 0 };

/** What a topic made anew changes in its position. */
export interface Restart {
  readonly incarnation: number;
  readonly next: number;
  readonly clusterId: string;
  /** Offsets that are gone without having been applied. */
  readonly lost: number;
}

export interface Taker {
  readonly holder: string;
  /** The session of the taker's own transactions. */
  readonly session?: ClientSession;
  readonly now: Date;
  /** Aborted when the partition has gone to somebody else, who must not be put out. */
  readonly signal?: AbortSignal;
}

/**
 * Becomes the writer of a partition: every former owner's transaction fails from here on, since it matches the old
 * epoch. A former owner that was killed or stopped may have left a transaction open, which holds the document: its session
 * is ended first. Where that is not allowed, the server's limit on the life of a transaction is waited for.
 * @throws the signal's reason, and then nothing was taken
 */
export async function takeOver(
  database: Database,
  topic: string,
  partition: number,
  { holder, session, now, signal }: Taker,
): Promise<PositionDocument> {
  const { collections } = database;
  const _id = positionId(topic, partition);
  const taken = { holder, updatedAt: now, ...(session?.id ? { session: session.id.id } : {}) };
  const former = await readPosition(database, _id);
  signal?.throwIfAborted();
  if (former?.session) await endSession(database, former.session);
  const { incarnation, eventSequence } = former ?? (await unusedIds(database, topic, partition));
  const fresh = {
    next: 0,
    published: 0,
    eventSequence,
    eventsPublished: eventSequence,
    incarnation,
    clusterId: '',
    last: null,
    counts: NO_COUNTS,
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      const position = await collections.positions.findOneAndUpdate(
        { _id },
        { $inc: { epoch: 1 }, $set: taken, $setOnInsert: fresh },
        { upsert: true, returnDocument: 'after' },
      );
      if (position) return position;
    } catch (error) {
      if (!isWriteConflict(error) && !isDuplicateKey(error)) throw error;
      await delay(CONFLICT_PAUSE);
    }
  }
}

async function endSession({ client }: Database, id: Binary): Promise<void> {
  await client
    .db('admin')
    .command({ killSessions: [{ id }] })
    .catch((error: unknown) => {
      // Not allowed, or not known: then the server's limit has to do. Anything else is the caller's to wait out.
      if (!(error instanceof MongoServerError)) throw error;
    });
}

/**
 * Where a position begins: one that was deleted, by hand say, begins anew, and the rows and events that are there keep their
 * ids to themselves. Known before the position is made, since whoever makes it may be killed right behind that.
 */
async function unusedIds(
  { collections }: Pick<Database, 'collections'>,
  topic: string,
  partition: number,
): Promise<Pick<PositionDocument, 'incarnation' | 'eventSequence'>> {
  let incarnation = 1;
  const used = (number: number) => ({
    $gte: readingId(topic, number, partition, 0),
    $lte: readingId(topic, number, partition, Number.MAX_SAFE_INTEGER),
  });
  while (await collections.readings.findOne({ _id: used(incarnation) }, { projection: { _id: 1 } })) incarnation += 1;
  const _id = positionId(topic, partition);
  const events = { _id: { $gte: eventId(_id, 0), $lte: eventId(_id, Number.MAX_SAFE_INTEGER) } };
  const newest = await collections.events.findOne(events, { sort: { _id: -1 }, projection: { sequence: 1 } });
  return { incarnation, eventSequence: newest?.sequence ?? 0 };
}

/** The position as a majority has it; null when nobody ever held the partition. */
export function readPosition({ collections }: Database, id: string): Promise<PositionDocument | null> {
  return collections.positions.findOne({ _id: id });
}

/** The log is another one, or begins beyond `next`. Null when the epoch is no longer mine. */
export async function restartPosition(
  { collections }: Database,
  held: PositionDocument,
  { incarnation, next, clusterId, lost }: Restart,
  now: Date,
): Promise<PositionDocument | null> {
  const anew = incarnation !== held.incarnation;
  return collections.positions.findOneAndUpdate(
    { _id: held._id, epoch: held.epoch, next: held.next },
    {
      $set: { incarnation, next, published: next, clusterId, updatedAt: now, ...(anew ? { last: null } : {}) },
      $inc: { 'counts.lost': lost },
    },
    { returnDocument: 'after' },
  );
}

/** Notes how far predictions and events are published. Only moves forward, and only while the epoch is mine. */
export async function markPublished(
  { collections }: Database,
  { _id, epoch }: Pick<PositionDocument, '_id' | 'epoch'>,
  published: number,
  eventsPublished: number,
): Promise<void> {
  await collections.positions.updateOne({ _id, epoch }, { $max: { published, eventsPublished } });
}

function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 11_000;
}
