import type { ClientSession, DeleteResult } from 'mongodb';
import type { Step } from '../telemetry/window.js';
import type { Database } from './database.js';
import { rollupsOf } from './collections.js';
import { noteRemoved } from './erase-receipt.js';
import type { Removed } from './erasure-documents.js';
import { markWindows } from './rollup-marks.js';

/** A car that is to be forgotten. */
export interface Erasure {
  readonly car: string;
  readonly upTo: Date;
  /** The twin's revision as this writer knows it; null where there is no twin. */
  readonly revision: number | null;
  /** The highest revision that a twin of the car ever had: the next one goes on from there. */
  readonly lastRevision: number;
  readonly now: Date;
}

/** Documents that go in one transaction. */
const ROWS = 500;

/**
 * Removes a car's readings and rollups piece by piece, each piece in one transaction with the marks of its windows: the
 * fleet's rollups follow. Safe to repeat.
 * @param before event time, not included
 * @param by see `markWindows`
 */
export async function eraseHistory(database: Database, car: string, before: Date, by: string): Promise<void> {
  while (await erasePiece(database, car, before, by));
  for (const step of ['FIVE_MINUTES', 'HOUR'] as const) while (await eraseRollups(database, step, car, before, by));
}

async function erasePiece(database: Database, car: string, before: Date, by: string): Promise<boolean> {
  const { readings } = database.collections;
  const options = { projection: { _id: 1, at: 1 }, limit: ROWS } as const;
  const rows = await readings.find({ car, at: { $lt: before } }, options).toArray();
  if (rows.length === 0) return false;
  await inTransaction(database, async (session) => {
    const { deletedCount } = await readings.deleteMany({ _id: { $in: rows.map(({ _id }) => _id) } }, { session });
    await noteRemoved(database, car, { readings: deletedCount }, session);
    await markWindows(database, by, rows, session);
  });
  return true;
}

async function eraseRollups(database: Database, step: Step, car: string, before: Date, by: string): Promise<boolean> {
  const rollups = rollupsOf(database.collections, step);
  const options = { projection: { _id: 1, at: 1 }, limit: ROWS } as const;
  const rows = await rollups.find({ car, at: { $lt: before } }, options).toArray();
  if (rows.length === 0) return false;
  await inTransaction(database, async (session) => {
    const { deletedCount } = await rollups.deleteMany({ _id: { $in: rows.map(({ _id }) => _id) } }, { session });
    await noteRemoved(database, car, { rollups: deletedCount }, session);
    await markWindows(database, by, rows, session, step);
  });
  return true;
}

function inTransaction(database: Database, work: (session: ClientSession) => Promise<void>): Promise<void> {
  return database.client.withSession((session) => session.withTransaction(() => work(session)));
}

/** @returns false when the twin is no longer the one that was to be erased: nothing may be committed then */
export async function eraseDocuments(
  { collections }: Pick<Database, 'collections'>,
  { car, upTo, revision, lastRevision, now }: Erasure,
  session: ClientSession,
): Promise<boolean> {
  await collections.tombstones.updateOne(
    { _id: car },
    { $max: { upTo, revision: lastRevision }, $set: { erasedAt: now } },
    { upsert: true, session },
  );
  const found = revision === null ? null : await collections.twins.deleteOne({ _id: car, revision }, { session });
  const another = revision === null && (await collections.twins.findOne({ _id: car }, { session })) !== null;
  if (another || found?.deletedCount === 0) return false;
  const removed = {
    ...(await eraseOthers(collections, car, session)),
    twins: found?.deletedCount ?? 0,
    readings: 0,
    rollups: 0,
  };
  await noteRemoved({ collections }, car, removed, session);
  return true;
}

/** What there is of a car beside its twin and its history. */
async function eraseOthers(
  { cars, commands, anomalies, events, handlings }: Database['collections'],
  car: string,
  session: ClientSession,
): Promise<Omit<Removed, 'twins' | 'readings' | 'rollups'>> {
  const count = async (deleted: Promise<DeleteResult>) => (await deleted).deletedCount;
  return {
    attributes: await count(cars.deleteOne({ _id: car }, { session })),
    commands: await count(commands.deleteMany({ car }, { session })),
    anomalies: await count(anomalies.deleteMany({ car }, { session })),
    events: await count(events.deleteMany({ car }, { session })),
    handlings: await count(handlings.deleteMany({ car }, { session })),
  };
}
