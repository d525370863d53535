import type { Db, Document, MongoClient } from 'mongodb';

const UNKNOWN_PARAMETER = 72;
const PROBE_TIMEOUT_MS = 3_000;

/** One question to the server; rejects unless it is a primary that has transactions and change streams. */
export function probeMongodb(uri: string): Promise<void> {
  return withAdmin(uri, async (admin) => {
    await admin.command({ ping: 1 });
    assertUsable(await admin.command({ hello: 1 }));
  });
}

export function assertUsable(hello: Document): void {
  const sharded = hello['msg'] === 'isdbgrid';
  if (hello['setName'] === undefined && !sharded) {
    throw new Error('it is a standalone server; transactions and change streams need a replica set');
  }
  if (hello['isWritablePrimary'] !== true) throw new Error('it has no primary yet');
}

/**
 * Ends a transaction that its client left open after this many seconds. A server that has no flag for it takes it while it
 * runs; until then whoever takes a partition over from a process that was killed would wait for a minute.
 */
export function limitTransactions(uri: string, seconds: number): Promise<void> {
  return withAdmin(uri, async (admin) => {
    await admin.command({ setParameter: 1, transactionLifetimeLimitSeconds: seconds }).catch((error: unknown) => {
      // `secantusd-py` has no such parameter.
      if ((error as { code?: unknown }).code !== UNKNOWN_PARAMETER) throw error;
    });
  });
}

/** Makes a `mongod` of our own a replica set of one, under the address that it has today. */
export function readyReplicaSet(uri: string, host: string): Promise<void> {
  return withAdmin(uri, async (admin) => {
    const hello = await admin.command({ hello: 1 });
    if (hello['setName'] === undefined || hello['me'] !== host) await configureReplicaSet(admin, host);
    assertUsable(await admin.command({ hello: 1 }));
  });
}

async function configureReplicaSet(admin: Db, host: string): Promise<void> {
  const ALREADY_INITIALIZED = 23;
  try {
    await admin.command({ replSetInitiate: { _id: 'fleet', members: [{ _id: 0, host }] } });
  } catch (error) {
    if ((error as { code?: number }).code !== ALREADY_INITIALIZED) throw error;
    await moveReplicaSet(admin, host);
  }
}

/** Data of an earlier run, which listened on another port. */
async function moveReplicaSet(admin: Db, host: string): Promise<void> {
  const { config } = await admin.command({ replSetGetConfig: 1 });
  if (config.members[0].host === host) return;
  const moved = { ...config, version: config.version + 1, members: [{ ...config.members[0], host }] };
  await admin.command({ replSetReconfig: moved, force: true });
}

async function withAdmin<T>(uri: string, ask: (admin: Db) => Promise<T>): Promise<T> {
  const client = await connect(uri);
  try {
    return await ask(client.db('admin'));
  } finally {
    await client.close();
  }
}

async function connect(uri: string): Promise<MongoClient> {
  const { MongoClient } = await import('mongodb');
  const timeouts = { serverSelectionTimeoutMS: PROBE_TIMEOUT_MS, connectTimeoutMS: PROBE_TIMEOUT_MS };
  return new MongoClient(uri, timeouts).connect();
}
