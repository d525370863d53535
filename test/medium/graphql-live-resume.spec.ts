import type { ChangeStreamDocument, Timestamp } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { openDatabase, type Database } from '../../src/twin/database.js';
import type { Twin } from '../../src/twin/documents.js';
import { eraseDocuments } from '../../src/twin/erase-history.js';
import { type Api, startApi } from '../builders/api.js';
import { bendTwinStream } from '../builders/bent-stream.js';
import { EventWriter } from '../builders/event-writer.js';
import { SOME_INSTANT } from '../builders/reading.js';
import { standing } from '../builders/standing.js';
import type { Subscriber } from '../builders/subscriber.js';
import { someTwin } from '../builders/twin.js';
import { databaseServers } from '../servers.js';

interface Item {
  id: string;
  cursor: string;
  reason?: string;
  car: { id: string; revision: number };
}

const UPDATES = `subscription ($filter: CarUpdateFilterInput, $after: String) {
  carUpdates(filter: $filter, after: $after) {
    ... on CarUpdate { cursor car { id revision } }
    ... on ResyncRequired { reason cursor }
  }
}`;
const ANOMALIES = `subscription ($after: String) {
  anomalies(after: $after) {
    ... on AnomalyEvent { id cursor }
    ... on ResyncRequired { reason cursor }
  }
}`;

describe.each(databaseServers())('a cursor with a resume token, $name', (server) => {
  let started: Awaited<ReturnType<typeof server.start>>;
  let api: Api;
  const open: Subscriber<Item>[] = [];
  const name = `gql_resume_${process.pid}`;

  beforeAll(async () => {
    started = await server.start();
    api = await startApi({ uri: started.uri, database: name });
  });
  afterAll(async () => {
    await api.stop();
    await started.stop();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    await expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 20_000 }).toBe(0);
  });

  const subscribe = (query: string, variables: Record<string, unknown> = {}) => standing(api, query, variables, open);

  /** The API ends and starts anew, with the database as it is: nothing is in its memory. */
  async function restart(meanwhile: (database: Database) => Promise<void>): Promise<void> {
    const database = openDatabase(started.uri, name, 'meanwhile');
    await Promise.all(open.splice(0).map((one) => one.close()));
    await api.app.close();
    await meanwhile(database);
    await database.client.close();
    api = await startApi({ uri: started.uri, database: name, keep: true });
  }

  async function write(database: Database, id: string, revision: number): Promise<void> {
    const twin = someTwin({ _id: id, revision });
    await database.collections.twins.replaceOne({ _id: id }, twin, { upsert: true });
  }

  it('has carUpdates go on after a restart with what changed meanwhile', async () => {
    const first = await subscribe(UPDATES);
    await write(api.database, 'a', 1);
    await write(api.database, 'b', 1);
    await first.until(({ items }) => items.length === 2);
    const [{ cursor: early }, { cursor }] = first.items as [Item, Item];
    await restart(async (database) => {
      await write(database, 'c', 1);
      await write(database, 'd', 1);
      await write(database, 'c', 2);
    });
    const second = await subscribe(UPDATES, { after: cursor });
    const third = await subscribe(UPDATES, { after: early });
    const narrow = await subscribe(UPDATES, { after: early, filter: { ids: ['d', 'e'] } });
    await write(api.database, 'e', 1);
    for (const one of [second, third, narrow]) await one.until(({ items }) => items.some(({ car }) => car?.id === 'e'));
    const seen = ({ items }: Subscriber<Item>) => items.map(({ car, reason }) => reason ?? `${car.id} ${car.revision}`);
    const told = (one: Subscriber<Item>, without: string) => seen(one).filter((each) => !each.startsWith(without));
    expect(told(second, 'b')).toEqual(['d 1', 'c 2', 'e 1']);
    expect(told(third, 'a')).toEqual(['b 1', 'd 1', 'c 2', 'e 1']);
    expect(seen(narrow)).toEqual(['d 1', 'e 1']);
  });

  it('has carUpdates go on in the middle of a transaction, whoever comes back first', async () => {
    const shareTime = oneTime();
    bendTwinStream(api.database, shareTime);
    const first = await subscribe(UPDATES);
    const twins = Array.from({ length: 60 }, (_, n) => someTwin({ _id: `many-${String(n).padStart(2, '0')}` }));
    const { client, collections } = api.database;
    await client.withSession((session) =>
      session.withTransaction(() => collections.twins.insertMany(twins, { session }).then(() => undefined)),
    );
    await first.until(({ items }) => items.length === twins.length);
    const ids = first.items.map(({ car }) => car.id);
    const cursors = first.items.map(({ cursor }) => cursor);
    await restart(async () => {});
    bendTwinStream(api.database, shareTime);
    const late = await subscribe(UPDATES, { after: cursors[45] });
    const early = await subscribe(UPDATES, { after: cursors[20] });
    await write(api.database, 'end', 1);
    for (const one of [late, early]) await one.until(({ items }) => items.some(({ car }) => car?.id === 'end'));
    const told = ({ items }: Subscriber<Item>) => new Set(items.map(({ car, reason }) => reason ?? car.id));
    expect(ids.slice(46).filter((id) => !told(late).has(id))).toEqual([]);
    expect(ids.slice(21).filter((id) => !told(early).has(id))).toEqual([]);
    expect([late, early].flatMap(({ items }) => items.filter(({ reason }) => reason))).toEqual([]);
  });

  it('says so when the token cannot be used, and goes on', async () => {
    const first = await subscribe(UPDATES);
    await write(api.database, 'a', 5);
    await first.until(({ items }) => items.length === 1);
    const [kind, storeId] = JSON.parse(Buffer.from(first.items[0]?.cursor ?? '', 'base64url').toString()) as string[];
    const forged = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    for (const [n, token] of ['00ff', '82', 'ab'.repeat(1_000)].entries()) {
      const second = await subscribe(UPDATES, { after: forged(kind, storeId, '0000000000000001', token) });
      await second.until(({ items }) => items.length === 1);
      expect(second.items[0]?.reason).toBe('CURSOR_TOO_OLD');
      await write(api.database, 'b', 5 + n);
      await second.until(({ items }) => items.length === 2);
      expect(second.items[1]?.car.id).toBe('b');
    }
  });

  it('has anomalies tell events that the collection does not have any more', async () => {
    const writer = new EventWriter(api.database);
    const first = await subscribe(ANOMALIES);
    const [known] = await writer.write(3, 1);
    await first.until(({ items }) => items.length === 1);
    await first.close();
    const written = [...(await writer.write(3, 3)), ...(await writer.write(4, 2)), ...(await writer.write(3, 2))];
    await api.database.collections.events.deleteMany({ _id: { $in: written.slice(1, 4) } });
    const second = await subscribe(ANOMALIES, { after: first.items[0]?.cursor });
    await second.until(({ items }) => items.length === written.length);
    expect(first.items[0]?.id).toBe(known);
    expect(second.items.map(({ id, reason }) => reason ?? id).sort()).toEqual(written.sort());
  });

  it('does not tell events of a car that was erased, and tells those of others and of the car that came back', async () => {
    const { client, collections } = api.database;
    const writer = new EventWriter(api.database);
    const first = await subscribe(ANOMALIES);
    await writer.write(5, 1, { car: 'stays' });
    await first.until(({ items }) => items.length === 1);
    await first.close();
    const erasedAt = new Date(SOME_INSTANT + 3_600_000);
    const later = { recordedAt: new Date(erasedAt.getTime() + 1) };
    const gone = await writer.write(5, 2, { car: 'goes' });
    const kept = await writer.write(5, 1, { car: 'stays' });
    gone.push(...(await writer.write(5, 1, { car: 'goes' })), ...(await writer.write(6, 1, { car: 'goes' })));
    const erase = { car: 'goes', upTo: erasedAt, revision: null, lastRevision: 0, now: erasedAt };
    await client.withSession((session) =>
      session.withTransaction(() => eraseDocuments(api.database, erase, session).then(() => undefined)),
    );
    const expired = await writer.write(5, 1, { car: 'goes', ...later });
    await collections.events.deleteMany({ _id: { $in: expired } });
    const back = [...expired, ...(await writer.write(5, 1, { car: 'goes', ...later }))];
    expect(await collections.events.countDocuments({ _id: { $in: gone } })).toBe(0);

    const second = await subscribe(ANOMALIES, { after: first.items[0]?.cursor });
    await second.until(({ items }) => items.length >= 3);
    const last = await writer.write(6, 1, { car: 'stays' });
    await second.until(({ items }) => items.some(({ id }) => id === last[0]));
    const told = second.items.map(({ id, reason }) => reason ?? id);
    expect(told).toEqual([...kept, ...back, ...last]);
    const third = await subscribe(ANOMALIES, { after: second.items.at(-1)?.cursor });
    const next = await writer.write(5, 1, { car: 'stays' });
    await third.until(({ items }) => items.length > 0);
    expect(third.items.map(({ id, reason }) => reason ?? id)).toEqual(next);
  });
});

/** All changes of a transaction have one time at MongoDB; a server that gives each its own is made to do so, too. */
function oneTime() {
  let shared: Timestamp | undefined;
  return async <T extends ChangeStreamDocument<Twin>>(change: T): Promise<T> => {
    if (!('documentKey' in change) || !change.documentKey._id.startsWith('many-')) return change;
    shared ??= change.clusterTime;
    return { ...change, clusterTime: shared };
  };
}
