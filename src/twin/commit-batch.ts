import { setTimeout as delay } from 'node:timers/promises';
import type { AnyBulkWriteOperation, ClientSession } from 'mongodb';
import type { Database } from './database.js';
import type {
  EpisodeDocument,
  EpisodeEventDocument,
  PositionCounts,
  PositionDocument,
  ReadingDocument,
} from './documents.js';
import type { EpisodeWrite } from './episode-writes.js';
import { readPosition } from './positions.js';
import { eraseDocuments, type Erasure } from './erase-history.js';
import { markWindows } from './rollup-marks.js';
import { type TwinWrite, writeTwins } from './write-twins.js';
import { StoreFault, hasLabel, isTransactionTooLarge, isWriteConflict, storeFaultOf } from './store-fault.js';

/** All that one batch writes, in one transaction. */
export interface BatchWrite {
  /** The position as this writer last knew it: `epoch` and `next` are the fence. */
  readonly before: PositionDocument;
  readonly next: number;
  readonly last: PositionDocument['last'];
  readonly eventSequence: number;
  readonly counted: Partial<PositionCounts>;
  /** Of the models that scored the batch; not given where nothing was scored. */
  readonly modelRevision?: number;
  readonly readings: readonly ReadingDocument[];
  readonly twins: readonly TwinWrite[];
  readonly episodes: readonly EpisodeWrite[];
  readonly events: readonly EpisodeEventDocument[];
  readonly erase?: Erasure;
  /** What waited to be told and is among the events now. */
  readonly told?: readonly string[];
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly position: PositionDocument }
  /** Somebody else took the partition over, or the position is not where this writer left it. */
  | { readonly kind: 'fenced' }
  /** A car of the batch was written, or what was done with its episodes told, through another partition: read it again. */
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
 * One batch on its way into the state, wholly or not at all: position, readings, twins, episodes and events in one
 * transaction. It may be tried as often as it takes, always with the same documents: a commit whose answer was lost is then
 * looked up in the position, and found there it was this very write, not another one that ended at the same offset.
 */
export class PendingCommit {
  /** A commit was sent and not answered: the batch may be part of the state already. */
  #inDoubt = false;

  constructor(
    private readonly database: Database,
    private readonly write: BatchWrite,
    /** The session of all transactions of the partition's writer; one of its own for each try when not given. */
    private readonly session?: ClientSession,
  ) {}

  /**
   * Tries until the transaction is committed or fenced out; transient aborts are tried again as a whole.
   * @throws StoreFault; with a retriable one, try again
   */
  async attempt(): Promise<CommitOutcome> {
    const started = performance.now();
    for (let aborts = 0; ; aborts += 1) {
      try {
        return await this.#once();
      } catch (error) {
        if (error instanceof Abort) return error.outcome;
        if (!isTransient(error)) throw storeFaultOf(error);
        const tooLong = aborts > 0 && performance.now() - started > LONGEST_STRUGGLE;
        if (tooLong || aborts >= MOST_ABORTS) throw new StoreFault('STORE_KEEPS_ABORTING', error);
      }
      await delay(Math.min(500, 5 * 2 ** aborts));
    }
  }

  async #once(): Promise<CommitOutcome> {
    try {
      const committing = () => {
        this.#inDoubt = true;
      };
      return await inSession(this.database, this.session, (session) =>
        tryCommit(this.database, this.write, session, committing),
      );
    } catch (error) {
      // The server says that it is not committed.
      if (hasLabel(error, 'TransientTransactionError')) this.#inDoubt = false;
      if (!this.#inDoubt || !(error instanceof Abort || isUnanswered(error))) throw error;
      const committed = await findCommitted(this.database, this.write);
      if (committed) return committed;
      if (error instanceof Abort) throw error;
      // Not there: tried again as a whole. Should the lost commit arrive yet, the fence lets only one in.
      return this.#once();
    }
  }
}

/** With the pauses between them this outlasts a stopped writer's transaction (the server ends it after ten seconds). */
const MOST_ABORTS = 40;
/** ms */
const LONGEST_STRUGGLE = 25_000;

function isTransient(error: unknown): boolean {
  return isWriteConflict(error) || isTransactionTooLarge(error);
}

function isUnanswered(error: unknown): boolean {
  return hasLabel(error, 'UnknownTransactionCommitResult');
}

async function inSession<T>(
  { client }: Database,
  given: ClientSession | undefined,
  work: (session: ClientSession) => Promise<T>,
): Promise<T> {
  if (given) return work(given);
  const session = client.startSession();
  try {
    return await work(session);
  } finally {
    await session.endSession().catch(() => undefined);
  }
}

async function tryCommit(
  database: Database,
  write: BatchWrite,
  session: ClientSession,
  committing: () => void,
): Promise<CommitOutcome> {
  session.startTransaction(TRANSACTION);
  try {
    const position = await movePosition(database, write, session);
    await writeDocuments(database, write, session);
    committing();
    await session.commitTransaction();
    return { kind: 'committed', position };
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    throw error;
  }
}

/** First, because it is the fence: a former owner ends here, before it has written anything. */
async function movePosition({ collections }: Database, write: BatchWrite, session: ClientSession) {
  const { before, next, last, eventSequence, counted, modelRevision } = write;
  const increments = Object.fromEntries(Object.entries(counted).map(([name, count]) => [`counts.${name}`, count]));
  const position = await collections.positions.findOneAndUpdate(
    { _id: before._id, epoch: before.epoch, next: before.next, eventSequence: before.eventSequence },
    {
      $set: {
        next,
        last,
        eventSequence,
        clusterId: before.clusterId,
        ...(modelRevision === undefined ? {} : { modelRevision }),
      },
      $currentDate: { updatedAt: true },
      ...(Object.keys(increments).length > 0 ? { $inc: increments } : {}),
    },
    { session, returnDocument: 'after' },
  );
  if (!position) throw new Abort({ kind: 'fenced' });
  return position;
}

async function writeDocuments({ collections }: Database, write: BatchWrite, session: ClientSession): Promise<void> {
  const { readings, twins, episodes, events, erase, told = [] } = write;
  if (readings.length > 0) await collections.readings.insertMany([...readings], { session, ordered: true });
  await markWindows({ collections }, write.before._id, readings, session);
  if (twins.length > 0 && !(await writeTwins({ collections }, twins, session)))
    throw new Abort({ kind: 'stale-twins' });
  if (episodes.length > 0) await collections.anomalies.bulkWrite(episodes.map(episodeOperation), { session });
  if (events.length > 0) await collections.events.insertMany([...events], { session, ordered: true });
  if (told.length > 0) {
    const { deletedCount } = await collections.handlings.deleteMany({ _id: { $in: [...told] } }, { session });
    if (deletedCount < told.length) throw new Abort({ kind: 'stale-twins' });
  }
  if (erase && !(await eraseDocuments({ collections }, erase, session))) throw new Abort({ kind: 'stale-twins' });
}

function episodeOperation(write: EpisodeWrite): AnyBulkWriteOperation<EpisodeDocument> {
  if (write.kind === 'insert') return { insertOne: { document: write.document } };
  const push = write.entries.length > 0 ? { $push: { timeline: { $each: write.entries } } } : {};
  return { updateOne: { filter: { _id: write.id }, update: { $set: write.set, ...push } } };
}

/** "No match", but epoch mine and all as wanted: an earlier try of this very write was committed. */
async function findCommitted(
  database: Database,
  { before, next, eventSequence }: BatchWrite,
): Promise<CommitOutcome | null> {
  const position = await readPosition(database, before._id);
  const moved = next !== before.next || eventSequence !== before.eventSequence;
  const there = position?.next === next && position.eventSequence === eventSequence;
  return position?.epoch === before.epoch && moved && there ? { kind: 'committed', position } : null;
}
