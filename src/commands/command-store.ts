import type { AnyBulkWriteOperation } from 'mongodb';
import type { CarDocument } from '../twin/car-documents.js';
import { OPEN_STATUSES, type CommandDocument, type CommandStep } from '../twin/command-documents.js';
import type { Collections } from '../twin/collections.js';
import type { CarAnswer } from './wire.js';

/** One operation, waiting for MongoDB included; ms. */
const LIMIT = 5_000;
const LONGEST_PAUSE = 600_000;

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
      await commands.updateMany(
        // Whoever else saw them due finds them no longer so.
        { _id: { $in: some.map(({ _id }) => _id) }, nextAt: { $lte: now } },
        { $set: { claim, nextAt: new Date(now.getTime() + pause) }, $inc: { attempts: 1 } },
        { timeoutMS: LIMIT },
      );
    }
    if (due.length === 0) return [];
    const mine = { _id: { $in: due.map(({ _id }) => _id) }, claim, nextAt: { $gt: now } };
    return commands.find(mine, { timeoutMS: LIMIT }).sort({ at: 1 }).toArray();
  }

  /** The broker has these. What the car answered meanwhile stands. */
  async published(commands: readonly CommandDocument[], now: Date): Promise<void> {
    const ids = commands.filter(({ status }) => status === 'QUEUED').map(({ _id }) => _id);
    if (ids.length === 0) return;
    await this.collections.commands.updateMany(
      { _id: { $in: ids }, status: 'QUEUED' },
      { $set: { status: 'SENT' }, $push: { timeline: step('SENT', now) } },
      { timeoutMS: LIMIT },
    );
  }

  /** These were taken up and could not be published: whoever can is to take them up at once. */
  async release(commands: readonly CommandDocument[], claim: string, now: Date): Promise<void> {
    if (commands.length === 0) return;
    await this.collections.commands.updateMany(
      { _id: { $in: commands.map(({ _id }) => _id) }, claim, nextAt: { $exists: true } },
      { $set: { nextAt: now } },
      { timeoutMS: LIMIT },
    );
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
  const { modifiedCount } = await commands.updateMany(
    { status: { $in: [...OPEN_STATUSES] }, expiresAt: { $lte: now } },
    {
      $set: { status: 'EXPIRED' },
      $push: { timeline: step('EXPIRED', now, 'no answer in time') },
      $unset: { nextAt: true },
    },
    { timeoutMS: LIMIT },
  );
  return modifiedCount;
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
