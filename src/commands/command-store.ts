import type { AnyBulkWriteOperation, Filter, UpdateFilter } from 'mongodb';
import type { CarDocument } from '../twin/car-documents.js';
import { OPEN_STATUSES, type CommandDocument, type CommandStep } from '../twin/command-documents.js';
import type { Collections } from '../twin/collections.js';
import type { CarAnswer } from './wire.js';

/** One operation, waiting for MongoDB included; ms. */
const LIMIT = 5_000;
const LONGEST_PAUSE = 600_000;
/** Commands that are ended by one request. */
const AT_ONCE = 1_000;

/** What an answer was good for. */
export const ANSWER_OUTCOMES = ['applied', 'repeated', 'late', 'unknown'] as const;
export type AnswerOutcome = (typeof ANSWER_OUTCOMES)[number];

/** The commands in MongoDB, as bridges see them. Every step may be repeated, by any number of bridges. */
export class CommandStore {
  /** @param retry ms until a command that was taken up once is due again; doubles with every time */
  constructor(
    private readonly collections: Pick<Collections, 'commands' | 'cars'>,
    private readonly retry: number,
  ) {}

  /**
   * Takes up commands that are due, each for one bridge alone until it is due again, the oldest of a car first. A bridge that
   * dies with them leaves them to be taken up then.
   */
  async claim(claim: string, now: Date, limit: number): Promise<CommandDocument[]> {
    const { commands } = this.collections;
    const due = await commands
      .find({ nextAt: { $lte: now }, expiresAt: { $gt: now } }, { timeoutMS: LIMIT, projection: { attempts: 1 } })
      .sort({ nextAt: 1, at: 1 })
      .limit(limit)
      .toArray();
    for (const attempts of new Set(due.map((one) => one.attempts))) {
      const some = due.filter((one) => one.attempts === attempts);
      const pause = Math.min(this.retry * 2 ** attempts, Math.max(LONGEST_PAUSE, this.retry));
      await updateEach(
        commands,
        some,
        // Whoever else saw them due finds them no longer so.
        { nextAt: { $lte: now } },
        { $set: { claim, nextAt: new Date(now.getTime() + pause) }, $inc: { attempts: 1 } },
      );
    }
    if (due.length === 0) return [];
    const mine = { _id: { $in: due.map(({ _id }) => _id) }, claim, nextAt: { $gt: now } };
    return commands.find(mine, { timeoutMS: LIMIT }).sort({ at: 1 }).toArray();
  }

  /** The broker has these. What the car answered meanwhile stands. */
  async published(commands: readonly CommandDocument[], now: Date): Promise<void> {
    const queued = commands.filter(({ status }) => status === 'QUEUED');
    const sent = { $set: { status: 'SENT' as const }, $push: { timeline: step('SENT', now) } };
    await updateEach(this.collections.commands, queued, { status: 'QUEUED' }, sent);
  }

  /** These were taken up and could not be published: whoever can is to take them up at once. */
  async release(commands: readonly CommandDocument[], claim: string, now: Date): Promise<void> {
    const mine = { claim, nextAt: { $exists: true } };
    await updateEach(this.collections.commands, commands, mine, { $set: { nextAt: now } });
  }

  /**
   * Notes what cars answered, in order. A command that has ended stays as it is; what a car says it follows is noted even then,
   * unless it said before that it does not.
   * @returns what each answer was good for
   */
  async answered(answers: readonly CarAnswer[], now: Date): Promise<AnswerOutcome[]> {
    const { commands, cars } = this.collections;
    const found = await commands.find({ _id: { $in: answers.map(({ id }) => id) } }, { timeoutMS: LIMIT }).toArray();
    const known = new Map(found.map((command) => [command._id, command]));
    const ends: AnyBulkWriteOperation<CommandDocument>[] = [];
    const accepted: AnyBulkWriteOperation<CarDocument>[] = [];
    const outcomes = answers.map((answer): AnswerOutcome => {
      const command = known.get(answer.id);
      // Nobody can have heard of one that was never taken up.
      if (!command || command.attempts === 0) return 'unknown';
      const outcome = outcomeOf(command, answer, now);
      if (outcome === 'applied') {
        ends.push(endOf(answer, now));
        known.set(answer.id, { ...command, status: answer.status });
      }
      if (answer.status === 'ACCEPTED' && command.status !== 'REJECTED') accepted.push(acceptedOf(command, now));
      return outcome;
    });
    if (ends.length > 0) await commands.bulkWrite(ends, { timeoutMS: LIMIT });
    // Behind the commands: whoever dies in between has not acknowledged the answer and meets it again.
    if (accepted.length > 0) await cars.bulkWrite(accepted, { timeoutMS: LIMIT });
    return outcomes;
  }
}

/** Ends the commands whose time is over; any process may. @returns how many */
export async function expireCommands(commands: Collections['commands'], now: Date): Promise<number> {
  const over = { status: { $in: [...OPEN_STATUSES] }, expiresAt: { $lte: now } };
  const ended: UpdateFilter<CommandDocument> = {
    $set: { status: 'EXPIRED' },
    $push: { timeline: step('EXPIRED', now, 'no answer in time') },
    $unset: { nextAt: true },
  };
  for (let expired = 0; ; ) {
    const some = await commands
      .find(over, { timeoutMS: LIMIT, projection: { _id: 1 } })
      .limit(AT_ONCE)
      .toArray();
    expired += await updateEach(commands, some, over, ended);
    if (some.length < AT_ONCE) return expired;
  }
}

/**
 * Updates those of some commands that match. One by one: an update of many may hold some of them while it waits for a
 * transaction that waits for one of these (`setDesired` is one), and some servers never see that.
 * @returns how many matched
 */
async function updateEach(
  commands: Collections['commands'],
  some: readonly Pick<CommandDocument, '_id'>[],
  matching: Filter<CommandDocument>,
  update: UpdateFilter<CommandDocument>,
): Promise<number> {
  if (some.length === 0) return 0;
  const operations = some.map(({ _id }) => ({ updateOne: { filter: { ...matching, _id }, update } }));
  return (await commands.bulkWrite(operations, { ordered: false, timeoutMS: LIMIT })).modifiedCount;
}

function outcomeOf({ status, expiresAt }: CommandDocument, answer: CarAnswer, now: Date): AnswerOutcome {
  if (status === answer.status) return 'repeated';
  const open = (OPEN_STATUSES as readonly string[]).includes(status);
  return open && expiresAt > now ? 'applied' : 'late';
}

function endOf({ id, car, status, reason }: CarAnswer, now: Date): AnyBulkWriteOperation<CommandDocument> {
  return {
    updateOne: {
      filter: { _id: id, car, status: { $in: [...OPEN_STATUSES] } },
      update: { $set: { status }, $push: { timeline: step(status, now, reason) }, $unset: { nextAt: true } },
    },
  };
}

function acceptedOf({ car, values, version, at }: CommandDocument, now: Date): AnyBulkWriteOperation<CarDocument> {
  return {
    updateOne: {
      // A car that was erased has no desired state as old as this.
      filter: {
        _id: car,
        'desired.at': { $gte: at },
        $or: [{ accepted: { $exists: false } }, { 'accepted.version': { $lt: version } }],
      },
      update: { $set: { accepted: { values, version, at: now } } },
    },
  };
}

function step(status: CommandStep['status'], at: Date, reason: string | null = null): CommandStep {
  return { status, at, reason };
}
