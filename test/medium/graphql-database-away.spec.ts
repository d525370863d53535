import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../stack/stack.js';
import { type Database, openDatabase } from '../../src/twin/database.js';
import { type Api, startApi } from '../builders/api.js';
import { EventWriter } from '../builders/event-writer.js';
import { Subscriber } from '../builders/subscriber.js';
import { someTwin } from '../builders/twin.js';
import { type TcpProxy, startProxy } from '../tcp-proxy.js';

const ANOMALIES = `subscription ($after: String) {
  anomalies(after: $after) { ... on AnomalyEvent { id cursor } ... on ResyncRequired { reason cursor } }
}`;
const UPDATES = `subscription {
  carUpdates { ... on CarUpdate { cursor car { id revision } } ... on ResyncRequired { reason cursor } }
}`;
interface Item {
  id: string;
  reason?: string;
  car: { id: string; revision: number };
}

const open: Subscriber<Item>[] = [];

function subscribe(api: Api, query: string, variables: Record<string, unknown> = {}): Subscriber<Item> {
  const subscriber = new Subscriber<Item>(api.url, query, variables);
  open.push(subscriber);
  return subscriber;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((subscriber) => subscriber.close()));
});

describe('with MongoDB out of reach for a while', () => {
  let proxy: TcpProxy;
  let api: Api;
  /** Reaches the database on another way, as the ingest of another machine does. */
  let elsewhere: Database;

  beforeAll(async () => {
    const uri = process.env['MONGODB_URI'] ?? '';
    const { hostname, port } = new URL(uri.replace('mongodb://', 'http://'));
    proxy = await startProxy({ host: hostname, port: Number(port || 27017) });
    const name = `gql_away_${process.pid}`;
    api = await startApi({ database: name, uri: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` });
    elsewhere = openDatabase(uri, name, 'elsewhere');
  });
  afterAll(async () => {
    proxy.resume();
    await api.stop();
    await elsewhere.client.close();
    await proxy.close();
  });

  it('subscribers stay, and get every event that was written meanwhile exactly once', async () => {
    const writer = new EventWriter(elsewhere);
    const after = await api.query<{ liveCursor: string }>('{ liveCursor }');
    const subscriber = subscribe(api, ANOMALIES, { after: after.data.liveCursor });
    const written = await writer.write(0, 3);
    await subscriber.until(({ items }) => items.length === 3);
    proxy.cut();
    written.push(...(await writer.write(0, 150)), ...(await writer.write(1, 400)), ...(await writer.write(2, 1)));
    expect((await api.query('{ car(id: "a") { id } }')).errors?.map(({ extensions }) => extensions)).toEqual([
      { code: 'UNAVAILABLE' },
    ]);
    proxy.resume();
    await subscriber.until(({ items }) => items.length >= written.length);
    written.push(...(await writer.write(1, 2)));
    await subscriber.until(({ items }) => items.length >= written.length);
    expect(subscriber.items.map(({ id, reason }) => reason ?? id).sort()).toEqual(written.sort());
  });

  it('subscribers to cars get what changed meanwhile', async () => {
    const subscriber = subscribe(api, UPDATES);
    const write = (id: string, revision: number) =>
      elsewhere.collections.twins.replaceOne({ _id: id }, someTwin({ _id: id, revision }), { upsert: true });
    let revision = 0;
    const heard = async () => {
      await write('first', ++revision);
      return subscriber.items.length;
    };
    await expect.poll(heard, { timeout: 10_000 }).toBeGreaterThan(0);
    proxy.cut();
    await write('a', 1);
    await write('a', 2);
    proxy.resume();
    await subscriber.until(({ items }) => items.some(({ car }) => car?.id === 'a' && car.revision === 2));
    expect(subscriber.errors).toBeNull();
  });
});

describe('with MongoDB killed and started again on the same files', () => {
  let stack: Stack;
  let api: Api;

  beforeAll(async () => {
    const env = { ...process.env, MONGODB_URI: undefined };
    stack = await startStack({ parts: ['mongodb'], env, say: () => {} });
    api = await startApi({ database: 'gql_restart', uri: stack.urls.mongodbUri });
  });
  afterAll(async () => {
    await api.stop();
    await stack.stop();
  });

  it('subscribers stay, and get every event exactly once', async () => {
    const writer = new EventWriter(api.database);
    const after = await api.query<{ liveCursor: string }>('{ liveCursor }');
    const subscriber = subscribe(api, ANOMALIES, { after: after.data.liveCursor });
    const written = await writer.write(0, 5);
    await subscriber.until(({ items }) => items.length === 5);
    await stack.parts.mongodb?.kill();
    await stack.parts.mongodb?.restart();
    written.push(...(await writer.write(0, 5)), ...(await writer.write(3, 5)));
    await subscriber.until(({ items }) => items.length >= 15);
    expect(subscriber.items.map(({ id, reason }) => reason ?? id).sort()).toEqual(written.sort());
  });
});
