import { randomUUID } from 'node:crypto';
import { MongoServerError, type ClientSession } from 'mongodb';
import type { AcceptedVersion, DesiredValues, DesiredVersion } from './car-documents.js';
import type { CommandDocument, CommandStep } from './command-documents.js';
import { inChange, type MayChange } from './change-transaction.js';
import type { Database } from './database.js';

const DUPLICATE_KEY = 11_000;
/** Two who make the same car's document at once: one of them begins again. */
const TRIES = 5;

export interface DesiredChange {
  readonly car: string;
  /** All of them: what is not among them is no longer desired. */
  readonly values: DesiredValues;
  /** The version that is to be replaced, 0 for none yet; null for whatever is there. */
  readonly ifVersion: number | null;
  readonly now: Date;
  /** How long the car may take to answer, ms. */
  readonly expiry: number;
  readonly by: string;
  /** Not given: it may. */
  readonly mayChange?: MayChange;
}

export type DesiredSet =
  | {
      readonly kind: 'set';
      readonly desired: DesiredVersion;
      readonly accepted: AcceptedVersion | null;
      readonly command: CommandDocument;
    }
  /** `version` is there; 0 for none. */
  | { readonly kind: 'conflict'; readonly version: number }
  /** `mayChange` said no. */
  | { readonly kind: 'refused' };

/**
 * Sets how a car, seen or not, is to be, and queues the command that tells it, in one transaction. Commands of the car that
 * nobody took up yet end with it, EXPIRED; one that may be on its way is not published again.
 */
export async function setDesired(database: Database, change: DesiredChange): Promise<DesiredSet> {
  for (let tries = 1; ; tries += 1)
    try {
      return await inChange(database, (session) => set(database, change, session));
    } catch (error) {
      if (!(error instanceof MongoServerError && error.code === DUPLICATE_KEY) || tries >= TRIES) throw error;
    }
}

async function set({ collections }: Database, change: DesiredChange, session: ClientSession): Promise<DesiredSet> {
  const { car, values, ifVersion, by, expiry, mayChange } = change;
  const { cars, commands } = collections;
  const said = await cars.findOne({ _id: car }, { session });
  if (mayChange && !mayChange(said?.attributes?.values.fleet)) return { kind: 'refused' };
  const before = said?.desired;
  const former = before?.version ?? 0;
  if (ifVersion !== null && ifVersion !== former) return { kind: 'conflict', version: former };
  const version = former + 1;
  const at = before && change.now <= before.at ? new Date(before.at.getTime() + 1) : change.now;
  const desired = { values, version, at, by };
  await cars.updateOne({ _id: car }, { $set: { desired } }, { upsert: true, session });
  await supersede(commands, car, version, at, session);
  const queued: CommandStep = { status: 'QUEUED', at, reason: null };
  const command: CommandDocument = {
    _id: `${car}/${randomUUID()}`,
    car,
    version,
    values,
    at,
    by,
    status: 'QUEUED',
    timeline: [queued],
    expiresAt: new Date(at.getTime() + expiry),
    attempts: 0,
    nextAt: at,
  };
  await commands.insertOne(command, { session });
  return { kind: 'set', desired, accepted: said?.accepted ?? null, command };
}

async function supersede(
  commands: Database['collections']['commands'],
  car: string,
  version: number,
  at: Date,
  session: ClientSession,
): Promise<void> {
  const ended: CommandStep = { status: 'EXPIRED', at, reason: `superseded by version ${version}` };
  await commands.updateMany(
    { car, status: 'QUEUED', attempts: 0 },
    { $set: { status: 'EXPIRED', supersededBy: version }, $push: { timeline: ended }, $unset: { nextAt: true } },
    { session },
  );
  await commands.updateMany(
    { car, nextAt: { $exists: true } },
    { $set: { supersededBy: version }, $unset: { nextAt: true } },
    { session },
  );
}
