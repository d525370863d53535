import { randomUUID } from 'node:crypto';
import { MongoClient, type Db } from 'mongodb';
import { SIGNALS } from '../telemetry/signals.js';
import type { Step } from '../telemetry/window.js';
import { INDEXES, collectionsOf, type Collections } from './collections.js';

export const SCHEMA_VERSION = 1;

export interface Database {
  readonly client: MongoClient;
  readonly db: Db;
  readonly collections: Collections;
}

/** The database is there and is not one that this program can work on. */
export class DatabaseUnfitError extends Error {
  override readonly name = 'DatabaseUnfitError';
  readonly retriable = false;

  constructor(
    readonly code: 'SCHEMA_VERSION' | 'NO_REPLICA_SET',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Makes a client without connecting: the first operation does. Whatever the URI says, writes are acknowledged by a
 * journalled majority and reads go to the primary, because the promises of the store rest on it.
 * @param lookFor ms that an operation looks for a server before it fails
 */
export function openDatabase(uri: string, name: string, appName: string, lookFor = 5_000): Database {
  const client = new MongoClient(uri, {
    appName,
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
    retryWrites: true,
    serverSelectionTimeoutMS: lookFor,
    // A server that is stopped without closing its sockets must not be waited for for ever.
    socketTimeoutMS: 120_000,
    ignoreUndefined: true,
  });
  const db = client.db(name);
  return { client, db, collections: collectionsOf(db) };
}

export type KeptDays = Readonly<Record<Step | 'audit' | 'commands', number>>;

/**
 * Creates collections and indexes, sets the history's retention, and writes or checks the schema version. Safe to run
 * from many processes at once and at every start.
 * @param retentionDays 0 keeps readings for ever
 * @param kept days that rollups, the audit log and commands are kept; 0 for ever
 * @throws DatabaseUnfitError when the database was made by a version that this one does not understand, or is a MongoDB by
 *   itself: transactions and change streams need a replica set
 */
export async function prepareDatabase(
  { db, collections }: Database,
  retentionDays: number,
  kept: KeptDays = { FIVE_MINUTES: 0, HOUR: 0, audit: 0, commands: 0 },
): Promise<void> {
  await checkReplicaSet(db);
  await checkVersion(collections);
  const existing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  for (const [name, indexes] of Object.entries(INDEXES)) {
    if (!existing.has(name)) await createCollection(db, name);
    if (indexes.length > 0) await db.collection(name).createIndexes([...indexes]);
  }
  // Rollups read windows by time: an index serves that, which also ends the readings where they are to end.
  if (retentionDays > 0) await dropIndex(db, 'readings', 'at');
  await setRetention(db, 'readings', 'at', retentionDays);
  if (retentionDays === 0) await collections.readings.createIndex({ at: 1 }, { name: 'at' });
  await setRetention(db, 'arrayReadings', 'at', retentionDays);
  await setRetention(db, 'events', 'recordedAt', retentionDays);
  await setRetention(db, 'rollupsFiveMinutes', 'at', kept.FIVE_MINUTES);
  await setRetention(db, 'rollupsHour', 'at', kept.HOUR);
  await setRetention(db, 'audit', 'at', kept.audit);
  await setRetention(db, 'commands', 'at', kept.commands);
}

async function checkReplicaSet(db: Db): Promise<void> {
  const fault = replicaSetFault(await db.admin().command({ hello: 1 }));
  if (fault) throw fault;
}

/**
 * @param hello the server's answer to `hello`; a router of a sharded cluster stands before replica sets
 * @returns null for a server that has transactions and change streams; an error to wait out for a set that is not initiated yet
 */
export function replicaSetFault(hello: { setName?: string; msg?: string; isreplicaset?: boolean }): Error | null {
  if (hello.setName !== undefined || hello.msg === 'isdbgrid') return null;
  if (hello.isreplicaset === true) return new Error('the replica set is not initiated');
  return new DatabaseUnfitError(
    'NO_REPLICA_SET',
    'MongoDB runs by itself: start it with --replSet and initiate the set (one node will do)',
  );
}

async function checkVersion({ meta }: Collections): Promise<void> {
  const units = Object.fromEntries(SIGNALS.map(({ name, unit }) => [name, unit]));
  const fresh = { storeId: randomUUID(), schemaVersion: SCHEMA_VERSION, units };
  const store = { _id: 'store' } as const;
  const made = await meta.findOneAndUpdate(store, { $setOnInsert: fresh }, { upsert: true, returnDocument: 'after' });
  // Of several processes that make it at once, some servers tell only one what they made.
  const found = made ?? (await meta.findOne(store));
  if (found?.schemaVersion === SCHEMA_VERSION) return;
  throw new DatabaseUnfitError(
    'SCHEMA_VERSION',
    `The database has schema version ${found?.schemaVersion}, this program writes version ${SCHEMA_VERSION}`,
  );
}

const NAMESPACE_EXISTS = 48;

async function createCollection(db: Db, name: string): Promise<void> {
  try {
    await db.createCollection(name);
  } catch (error) {
    if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw error;
  }
}

/** A TTL index cannot be changed by creating it again: it is dropped when the retention differs. */
async function setRetention(db: Db, collection: string, field: string, days: number): Promise<void> {
  const documents = db.collection(collection);
  const seconds = days * 86_400;
  const present = (await documents.indexes()).find(({ name }) => name === 'retention');
  if (present && present['expireAfterSeconds'] !== seconds) await documents.dropIndex('retention');
  if (days > 0) await documents.createIndex({ [field]: 1 }, { name: 'retention', expireAfterSeconds: seconds });
}

async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  const documents = db.collection(collection);
  if ((await documents.indexes()).some((index) => index.name === name)) await documents.dropIndex(name);
}
