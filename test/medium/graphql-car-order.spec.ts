import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { setAttributes } from '../../src/twin/set-attributes.js';
import { type Api, startApi } from '../builders/api.js';
import { bendTwinStream } from '../builders/bent-stream.js';
import { standing } from '../builders/standing.js';
import type { Subscriber } from '../builders/subscriber.js';
import { someTwin } from '../builders/twin.js';

const UPDATES = `subscription ($after: String) {
  carUpdates(after: $after) {
    ... on CarUpdate { cursor car { id revision } }
    ... on ResyncRequired { reason cursor }
  }
}`;
interface Item {
  cursor: string;
  reason?: string;
  car: { id: string; revision: number };
}

/** Holds changes back, as a stream that lags does, and lets them through by number. */
class Gate {
  private left = Number.POSITIVE_INFINITY;
  private readonly held: (() => void)[] = [];

  async pass<T>(change: T): Promise<T> {
    if (this.left <= 0) await new Promise<void>((resolve) => this.held.push(resolve));
    this.left -= 1;
    return change;
  }

  get holds(): boolean {
    return this.held.length > 0;
  }

  let(count: number): void {
    this.left = count;
    for (const resolve of this.held.splice(0, count)) resolve();
  }
}

let api: Api;
const gate = new Gate();
const open: Subscriber<Item>[] = [];

beforeAll(async () => {
  api = await startApi({ database: `gql_car_order_${process.pid}` });
  bendTwinStream(api.database, (change) => gate.pass(change));
});
afterAll(() => api.stop());
afterEach(async () => {
  gate.let(Number.POSITIVE_INFINITY);
  await Promise.all(open.splice(0).map((subscriber) => subscriber.close()));
  await expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 10_000 }).toBe(0);
});

const subscribe = (variables: Record<string, unknown> = {}) => standing(api, UPDATES, variables, open);

async function write(id: string, revision: number): Promise<void> {
  const twin = someTwin({ _id: id, revision });
  await api.database.collections.twins.replaceOne({ _id: id }, twin, { upsert: true });
}

const revisionsOf = (id: string, { items }: Subscriber<Item>) =>
  items.filter(({ car }) => car.id === id).map(({ car }) => car.revision);

const told = (subscriber: Subscriber<Item>, id: string, revision: number) =>
  subscriber.until((one) => revisionsOf(id, one).includes(revision));

describe('carUpdates over a change stream that lags', () => {
  it('does not go back behind the state that was read for a subscriber that came back', async () => {
    const first = await subscribe();
    await write('a', 1);
    await write('b', 1);
    await told(first, 'b', 1);
    gate.let(0);
    await write('b', 2);
    await write('c', 1);
    await write('b', 3);
    const second = await subscribe({ after: first.items[0]?.cursor });
    await told(second, 'b', 3);
    gate.let(2);
    await told(second, 'c', 1);
    expect(revisionsOf('b', second)).toEqual([3]);
    gate.let(Number.POSITIVE_INFINITY);
    await write('b', 4);
    await told(second, 'b', 4);
    expect(revisionsOf('b', second).filter((revision) => revision < 3)).toEqual([]);
  });

  it('does not go back behind the state that the server looked up for an update', async () => {
    const subscriber = await subscribe();
    await write('d', 1);
    await told(subscriber, 'd', 1);
    gate.let(0);
    await write('e', 1);
    await expect.poll(() => gate.holds).toBe(true);
    await setAttributes(api.database, { car: 'd', values: {}, ifVersion: null, at: new Date(), by: 'test' });
    await write('d', 3);
    await write('f', 1);
    await write('d', 4);
    gate.let(2);
    await told(subscriber, 'd', 4);
    gate.let(2);
    await told(subscriber, 'f', 1);
    expect(revisionsOf('d', subscriber)).toEqual([1, 4]);
    gate.let(Number.POSITIVE_INFINITY);
    await write('d', 5);
    await told(subscriber, 'd', 5);
    expect(revisionsOf('d', subscriber)).not.toContain(3);
  });
});
