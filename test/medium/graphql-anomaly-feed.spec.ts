import { OWNER } from '../../src/access/viewer.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LONGEST_QUEUE } from '../../src/graphql/live/anomaly-subscription.js';
import type { LiveEvent } from '../../src/graphql/live/anomaly-feed.js';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { subscribeAnomalies } from '../../src/graphql/live/subscribe.js';
import { type Api, startApi } from '../builders/api.js';
import { EventWriter } from '../builders/event-writer.js';
import { Subscriber } from '../builders/subscriber.js';
import { someTwin } from '../builders/twin.js';

const ANOMALIES = `subscription ($filter: AnomalyEventFilterInput, $after: String) {
  anomalies(filter: $filter, after: $after) {
    __typename
    ... on AnomalyEvent { id cursor event carId kind severity sequence partition at car { id } }
    ... on ResyncRequired { reason cursor }
  }
}`;
interface Item {
  __typename: string;
  id: string;
  cursor: string;
  reason: string;
  carId: string;
  sequence: number;
  partition: string;
  car: { id: string } | null;
}

let api: Api;
let writer: EventWriter;
const open: Subscriber<Item>[] = [];

beforeAll(async () => {
  api = await startApi({ database: `gql_events_${process.pid}` });
  writer = new EventWriter(api.database);
});
afterAll(() => api.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((subscriber) => subscriber.close()));
});

function subscribe(variables: Record<string, unknown> = {}): Subscriber<Item> {
  const subscriber = new Subscriber<Item>(api.url, ANOMALIES, variables);
  open.push(subscriber);
  return subscriber;
}

async function liveCursor(): Promise<string> {
  const { data } = await api.query<{ liveCursor: string }>('{ liveCursor }');
  return data.liveCursor;
}

const ids = (subscriber: Subscriber<Item>) => subscriber.items.map(({ id }) => id);

function expectEachOnceInOrder(items: readonly Item[], expected: readonly string[]): void {
  expect(items.map(({ id }) => id).sort()).toEqual([...expected].sort());
  const last = new Map<string, number>();
  for (const { partition, sequence } of items) {
    expect(sequence).toBe((last.get(partition) ?? sequence - 1) + 1);
    last.set(partition, sequence);
  }
}

describe('anomalies', () => {
  it('gives what came since a cursor and then what comes, with the car', async () => {
    await api.database.collections.twins.insertOne(someTwin({ _id: 'car-1' }));
    const after = await liveCursor();
    const before = await writer.write(1, 3);
    const subscriber = subscribe({ after });
    await subscriber.until(({ items }) => items.length >= 3);
    const live = await writer.write(1, 2);
    await subscriber.until(({ items }) => items.length >= 5);
    expect(ids(subscriber)).toEqual([...before, ...live]);
    expect(subscriber.items[0]).toMatchObject({ carId: 'car-1', car: { id: 'car-1' } });
  });

  it('gives every event exactly once while transactions commit during the backfill', async () => {
    const after = await liveCursor();
    const written: string[] = [];
    for (let n = 0; n < 20; n++) written.push(...(await writer.write(n % 4, 25)));
    const subscribers = Array.from({ length: 4 }, () => subscribe({ after }));
    await Promise.all(
      [0, 1, 2, 3].map(async (partition) => {
        for (let n = 0; n < 15; n++) written.push(...(await writer.write(partition, 1 + (n % 7))));
      }),
    );
    for (const subscriber of subscribers) {
      await subscriber.until(({ items }) => items.length >= written.length);
      expectEachOnceInOrder(subscriber.items, written);
    }
  });

  it('resumes from any cursor without gap or repeat', async () => {
    const after = await liveCursor();
    const written = [...(await writer.write(0, 5)), ...(await writer.write(2, 5))];
    const first = subscribe({ after });
    await first.until(({ items }) => items.length >= 7);
    await first.close();
    written.push(...(await writer.write(2, 5)), ...(await writer.write(7, 2)));
    const kept = first.items.slice(0, 7);
    const second = subscribe({ after: kept[6]?.cursor });
    await second.until(({ items }) => items.length >= written.length - 7);
    expectEachOnceInOrder([...kept, ...second.items], written);
  });

  it('filters, and its cursors count what was filtered out', async () => {
    const after = await liveCursor();
    await writer.write(1, 4, { kind: 'BATTERY' });
    const [wanted] = await writer.write(2, 1, { kind: 'TIRE', severity: 'CRITICAL', car: 'car-x' });
    const subscriber = subscribe({ after, filter: { car: 'car-x', kind: 'TIRE', severity: ['CRITICAL', 'MAJOR'] } });
    await subscriber.until(({ items }) => items.length >= 1);
    expect(ids(subscriber)).toEqual([wanted]);
    const [next] = await writer.write(1, 1);
    const second = subscribe({ after: subscriber.items[0]?.cursor });
    await second.until(({ items }) => items.length >= 1);
    expect(ids(second)).toEqual([next]);
  });

  it('says so when retention has removed what came next, and goes on', async () => {
    const after = await liveCursor();
    const written = await writer.write(5, 4);
    await api.database.collections.events.deleteMany({ _id: { $in: written.slice(0, 2) } });
    const subscriber = subscribe({ after });
    await subscriber.until(({ items }) => items.length >= 3);
    expect(subscriber.items.map(({ __typename, reason, id }) => reason ?? id ?? __typename)).toEqual([
      'EVENTS_GONE',
      written[2],
      written[3],
    ]);
  });

  it('says so when the cursor is of another store or counts more than there was, and goes on', async () => {
    const [name, storeId, heads] = JSON.parse(Buffer.from(await liveCursor(), 'base64url').toString()) as [
      string,
      string,
      [string, number][],
    ];
    const forged = (parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    const foreign = subscribe({ after: forged([name, 'another-store', heads]) });
    const ahead = heads.map(([partition, sequence]) => [partition, sequence + 1_000]);
    const later = subscribe({ after: forged([name, storeId, ahead]) });
    await Promise.all([foreign, later].map((each) => each.until(({ items }) => items.length >= 1)));
    const written = await writer.write(1, 1);
    for (const each of [foreign, later]) {
      await each.until(({ items }) => items.length >= 2);
      expect(each.items.map(({ reason, id }) => reason ?? id)).toEqual(['STORE_CHANGED', ...written]);
    }
  });

  it.each([
    ['BAD_CURSOR', ANOMALIES, { after: 'nonsense' }],
    ['BAD_ARGUMENT', ANOMALIES, { filter: { car: '$where' } }],
    ['BAD_REQUEST', ANOMALIES, { filter: { kind: 'NOTHING' } }],
    ['BAD_REQUEST', 'subscription { anomalies { nothing } }', {}],
    ['BAD_REQUEST', 'subscription { anomalies {', {}],
    ['BAD_REQUEST', 'query { liveCursor }', {}],
    [
      'TOO_DEEP',
      `subscription { anomalies { ...on AnomalyEvent { ${'car { openEpisodes { '.repeat(8)} id ${'} }'.repeat(8)} } } }`,
      {},
    ],
  ])('%s for %s', async (code, query, variables) => {
    const subscriber = new Subscriber<Item>(api.url, query, variables);
    open.push(subscriber);
    await subscriber.until(({ ended }) => ended);
    expect(subscriber.errors?.[0]?.extensions?.code).toBe(code);
  });

  it('closes a subscriber that does not keep up, with a code; it resumes from its cursor', async () => {
    const feeds = api.app.get(LiveFeeds);
    const slow = await subscribeAnomalies(feeds, api.database, {}, { viewer: OWNER, cut: () => undefined });
    const first = slow.next();
    const [known] = await writer.write(6, 1);
    const { value } = (await first) as { value: LiveEvent };
    expect(value.event._id).toBe(known);
    const written: string[] = [];
    for (let n = 0; n < LONGEST_QUEUE + 200; n += 100) written.push(...(await writer.write(6, 100)));
    const witness = subscribe({ after: value.cursor });
    await witness.until(({ items }) => items.length === written.length);
    await expect(slow.next()).rejects.toMatchObject({ code: 'TOO_SLOW' });
    expect(await slow.next()).toEqual({ value: undefined, done: true });
    expectEachOnceInOrder(witness.items, written);
  });

  it('leaves nothing behind when subscribers go', async () => {
    const feeds = api.app.get(LiveFeeds);
    const subscriber = subscribe();
    subscribe({ after: await liveCursor() });
    await expect.poll(() => feeds.subscribers, { timeout: 10_000 }).toBe(2);
    await Promise.all(open.splice(0).map((each) => each.close()));
    await expect.poll(() => feeds.subscribers).toBe(0);
    expect(subscriber.errors).toBeNull();
  });
});
