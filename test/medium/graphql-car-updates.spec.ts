import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Twin } from '../../src/twin/documents.js';
import { type Api, startApi } from '../builders/api.js';
import { standing } from '../builders/standing.js';
import { Subscriber } from '../builders/subscriber.js';
import { someScore, someTwin } from '../builders/twin.js';

const UPDATES = `subscription ($filter: CarUpdateFilterInput, $after: String) {
  carUpdates(filter: $filter, after: $after) {
    ... on CarUpdate { cursor car { id revision status score { ratio } freshness } }
    ... on ResyncRequired { reason cursor }
  }
}`;
interface Item {
  cursor: string;
  reason?: string;
  car: { id: string; revision: number; status: string };
}

let api: Api;
const open: Subscriber<Item>[] = [];

beforeAll(async () => {
  api = await startApi({ database: `gql_updates_${process.pid}` });
});
afterAll(() => api.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((subscriber) => subscriber.close()));
  await api.database.collections.twins.deleteMany({});
});

const subscribe = (variables: Record<string, unknown> = {}) => standing(api, UPDATES, variables, open);

async function write(id: string, revision: number, overrides: Partial<Twin> = {}): Promise<void> {
  const twin = someTwin({ _id: id, revision, ...overrides });
  await api.database.collections.twins.replaceOne({ _id: id }, twin, { upsert: true });
}

const seen = (subscriber: Subscriber<Item>) => subscriber.items.map(({ car }) => `${car.id} ${car.revision}`);

describe('carUpdates', () => {
  it('gives new and changed cars with their newest state', async () => {
    const subscriber = await subscribe();
    await write('a', 1);
    await subscriber.until(({ items }) => items.length === 1);
    await write('a', 2, { status: 'ANOMALOUS', score: someScore(3) });
    await subscriber.until(({ items }) => items.length === 2);
    expect(subscriber.items[1]?.car).toEqual({
      id: 'a',
      revision: 2,
      status: 'ANOMALOUS',
      score: { ratio: 3 },
      freshness: 'OFFLINE',
    });
  });

  it('lets through the ids and the newest status that were asked for', async () => {
    const subscriber = await subscribe({ filter: { ids: ['a', 'b'], status: 'ANOMALOUS' } });
    await write('a', 1);
    await write('c', 1, { status: 'ANOMALOUS' });
    await write('b', 1, { status: 'ANOMALOUS' });
    await subscriber.until(({ items }) => items.length >= 1);
    expect(seen(subscriber)).toEqual(['b 1']);
  });

  it('resumes from a cursor with the newest state of what changed since', async () => {
    const first = await subscribe();
    await write('a', 1);
    await first.until(({ items }) => items.length === 1);
    await first.close();
    await write('b', 1);
    await write('b', 2);
    await write('c', 1);
    const second = await subscribe({ after: first.items[0]?.cursor });
    await second.until(({ items }) => items.some(({ car }) => car.id === 'c'));
    expect(seen(second).filter((each) => !each.startsWith('a'))).toEqual(['b 2', 'c 1']);
  });

  it('asks for a resync when the cursor is older than the process or of another store', async () => {
    const first = await subscribe();
    await write('a', 1);
    await first.until(({ items }) => items.length === 1);
    const [name, storeId] = JSON.parse(Buffer.from(first.items[0]?.cursor ?? '', 'base64url').toString()) as string[];
    const forged = (parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    const old = await subscribe({ after: forged([name, storeId, '0000000000000001']) });
    const foreign = await subscribe({ after: forged([name, 'other', '0000000000000001']) });
    await Promise.all([old, foreign].map((each) => each.until(({ items }) => items.length === 1)));
    expect([old, foreign].map(({ items }) => items[0]?.reason)).toEqual(['CURSOR_TOO_OLD', 'STORE_CHANGED']);
    const again = await subscribe({ after: old.items[0]?.cursor });
    await write('b', 5);
    await again.until(({ items }) => items.some(({ car }) => car?.id === 'b'));
    expect(again.items.every(({ reason }) => reason === undefined)).toBe(true);
  });

  it('fans out to many, each with its own filter', async () => {
    const names = ['s0', 's1', 's2', 's3', 's4'];
    const subscribers: Subscriber<Item>[] = [];
    for (const name of names) subscribers.push(await subscribe({ filter: { ids: [name] } }));
    for (const name of names) await write(name, 1);
    await Promise.all(subscribers.map((each) => each.until(({ items }) => items.length === 1)));
    expect(subscribers.map(seen)).toEqual(names.map((name) => [`${name} 1`]));
  });

  it.each([
    ['BAD_CURSOR', { after: '???' }],
    ['BAD_ARGUMENT', { filter: { ids: ['a b'] } }],
    ['BAD_ARGUMENT', { filter: { ids: Array.from({ length: 501 }, (_, n) => `c${n}`) } }],
  ])('%s for bad arguments', async (code, variables) => {
    const subscriber = new Subscriber<Item>(api.url, UPDATES, variables);
    open.push(subscriber);
    await subscriber.until(({ ended }) => ended);
    expect(subscriber.errors?.[0]?.extensions?.code).toBe(code);
  });
});
