import { readFileSync } from 'node:fs';
import type { CommandStartedEvent } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SCANS } from '../../src/fleet/fleet.module.js';
import type { Turns } from '../../src/fleet/turns.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { SOME_INSTANT } from '../builders/reading.js';
import { Subscriber } from '../builders/subscriber.js';
import { someScore, someTwin } from '../builders/twin.js';

const TURNS = 2;
const CARS = 200;
const DASHBOARD = readFileSync('docs/operations/fleet-dashboard.graphql', 'utf8');
let api: Api;
let scans: Turns;
/** What passes over the fleet: those under way, most of them at a time, and all that began. */
const under = new Set<number>();
let most = 0;
const begun: string[] = [];

const isScan = ({ commandName, command }: CommandStartedEvent) =>
  commandName === 'aggregate' ||
  (commandName === 'find' && command['sort'] !== undefined && command['filter']?._id === undefined);

beforeAll(async () => {
  const env = { LIMIT_SCANS: String(TURNS) };
  api = await startApi({ database: `gql_scans_${process.pid}`, env, monitorCommands: true });
  scans = api.app.get<Turns>(SCANS);
  const twins = Array.from({ length: CARS }, (_, n) =>
    someTwin({
      _id: `car-${n}`,
      attributes: { model: `model-${n % 7}` },
      lastSeenAt: new Date(SOME_INSTANT),
      score: someScore((2 * n) / CARS),
    }),
  );
  await api.database.collections.twins.insertMany(twins);
  const { client } = api.database;
  client.on('commandStarted', (event) => {
    if (!isScan(event)) return;
    under.add(event.requestId);
    most = Math.max(most, under.size);
    begun.push(JSON.stringify(event.command));
  });
  client.on('commandSucceeded', ({ requestId }) => void under.delete(requestId));
  client.on('commandFailed', ({ requestId }) => void under.delete(requestId));
});
afterAll(() => api.stop());
beforeEach(() => {
  most = 0;
  begun.length = 0;
});

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ');
const counted = (min: number) => `cars(first: 1, filter: { score: { min: ${min} } }) { totalCount }`;
const queue = () => expect.poll(() => scans.queue, { timeout: 10_000 });

/** Takes all turns until it is told to give them back. */
function heldTurns(turns = scans, count = TURNS): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  for (let turn = 0; turn < count; turn += 1) void turns.take(() => held);
  return release;
}

describe('what passes over the fleet', () => {
  it('is read once for all who ask the same at the same time', async () => {
    const release = heldTurns();
    const questions = [`{ ${times(5, (n) => `a${n}: ${counted(1.2)}`)} }`, `{ ${counted(1.2)} }`];
    const answers = Promise.all(questions.map((question) => api.query(question)));
    await queue().toBe(1);
    release();
    for (const { errors } of await answers) expect(errors).toBeUndefined();
    // The places, then the number.
    expect(begun.filter((command) => command.includes('1.2'))).toHaveLength(2);
  });

  it('is not begun any more when who asked has gone', async () => {
    const release = heldTurns();
    await queue().toBe(0);
    const visit = new AbortController();
    const asked = fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ ${times(5, (n) => `a${n}: ${counted(1.5 + n / 100)}`)} }` }),
      signal: visit.signal,
    }).catch(() => 'gone');
    await queue().toBe(5);
    visit.abort();
    await queue().toBe(0);
    release();
    expect(await asked).toBe('gone');
    await api.query(`{ ${counted(1.9)} }`);
    expect(begun.filter((command) => command.includes('1.5'))).toEqual([]);
  });

  it('does not wait for a turn where the answer is known, nor where it comes from an index', async () => {
    const summary = '{ fleet { coverage { cars } } }';
    const known = await api.query(summary);
    const release = heldTurns();
    const again = await api.query(summary);
    const page = await api.query('{ cars(first: 2) { nodes { id } } }');
    const named = await api.query('{ car(id: "car-7") { id } }');
    release();
    expect(again).toEqual(known);
    expect(page.data).toEqual({ cars: { nodes: [{ id: 'car-0' }, { id: 'car-1' }] } });
    expect(named.data).toEqual({ car: { id: 'car-7' } });
  });

  it('is refused as BUSY where its turn does not come', async () => {
    const release = heldTurns();
    const { errors, data } = await api.query<{ cars: object | null }>(`{ ${counted(1.7)} car(id: "car-7") { id } }`);
    release();
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BUSY']);
    expect(data).toBeNull();
    const after = await api.query(`{ ${counted(1.7)} }`);
    expect(after.data).toEqual({ cars: { totalCount: 30 } });
  });

  it('goes on a few at a time, whoever asks, and everybody is answered', async () => {
    const subscribers = [0.1, 0.2].map(
      (part) =>
        new Subscriber<{ groupBy: { groups: object[] } }>(
          api.url,
          `subscription { fleetUpdates(every: 1) { groupBy(by: [MODEL], measure: speed, percentiles: [${part}]) { groups { cars } } } }`,
        ),
    );
    const answers = await Promise.all([
      ...[1, 2, 3, 4].map(() => api.query(DASHBOARD)),
      api.query(`{ ${times(20, (n) => `a${n}: ${counted(n / 32)}`)} }`),
      api.query(
        `{ fleet { ${times(10, (n) => `a${n}: groupBy(by: [MODEL], measure: speed, percentiles: [0.0${n}]) { more }`)} } }`,
      ),
      api.query(
        `{ ${times(5, (n) => `a${n}: compareFleets(left: { filter: { score: { min: 0.${n} } } }, right: {}, measures: [SCORE]) { coverage { cars } }`)} }`,
      ),
      api.query(
        `{ ${times(5, (n) => `a${n}: cars(first: 1, filter: { score: { min: 0.${n} } }, orderBy: { field: SCORE }) { nodes { id } }`)} }`,
      ),
    ]);
    for (const { errors, data } of answers) expect([errors, data === null]).toEqual([undefined, false]);
    for (const subscriber of subscribers) {
      await subscriber.until(({ items }) => items.length >= 2);
      expect(subscriber.items.at(-1)?.groupBy.groups).toHaveLength(7);
      await subscriber.close();
    }
    expect(begun.length).toBeGreaterThan(50);
    expect(most).toBe(TURNS);
  });
});

it('goes round the clients: who asks little does not wait for who asks much', async () => {
  const keyed = await startApi({ database: `gql_scan_keys_${process.pid}`, env: { ...authEnv(), LIMIT_SCANS: '1' } });
  try {
    const turns = keyed.app.get<Turns>(SCANS);
    const release = heldTurns(turns, 1);
    const answered: string[] = [];
    const ask = async (client: 'admin' | 'viewer', questions: number[]) => {
      const question = `{ ${questions.map((n) => `a${n}: ${counted(n / 100)}`).join(' ')} }`;
      const { errors } = await keyed.query(question, {}, as(client));
      expect(errors).toBeUndefined();
      answered.push(client);
    };
    const waiting = (works: number) => expect.poll(() => turns.queue, { timeout: 10_000 }).toBe(works);
    const much = ask('admin', [...Array(20).keys()]);
    await waiting(20);
    const little = ask('viewer', [50]);
    await waiting(21);
    release();
    await Promise.all([much, little]);
    expect(answered).toEqual(['viewer', 'admin']);
  } finally {
    await keyed.stop();
  }
});
