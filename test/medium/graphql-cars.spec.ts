import type { CommandStartedEvent } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Twin } from '../../src/twin/documents.js';
import { type Api, startApi } from '../builders/api.js';
import { someEpisode } from '../builders/episode.js';
import { SOME_INSTANT, someReading } from '../builders/reading.js';
import { someScore, someTwin } from '../builders/twin.js';

const CARS = 4_000;
const NOW = SOME_INSTANT + 3_600_000;
const commands: CommandStartedEvent[] = [];
let api: Api;

/** Car n: ratios repeat every 100 cars, every 50th is ANOMALOUS, every 997th has no score; n seconds since it was seen. */
function car(n: number): Twin {
  return someTwin({
    _id: `car-${String(n).padStart(5, '0')}`,
    status: n % 50 === 0 ? 'ANOMALOUS' : n % 40 === 0 ? 'SUSPECT' : 'NORMAL',
    score: n % 997 === 0 ? null : someScore((n % 100) / 50),
    lastSeenAt: new Date(NOW - n * 1_000),
  });
}
const TWINS = Array.from({ length: CARS }, (_, n) => car(n));

beforeAll(async () => {
  api = await startApi({ database: `gql_cars_${process.pid}`, clock: () => NOW, monitorCommands: true });
  for (let start = 0; start < CARS; start += 1_000)
    await api.database.collections.twins.insertMany(TWINS.slice(start, start + 1_000));
  // The API's own rounds over commands to cars that expire are no part of any answer.
  api.database.client.on('commandStarted', (event) => {
    if (event.command['update'] !== 'commands') commands.push(event);
  });
});
afterAll(() => api.stop());

interface Page {
  nodes: { id: string; status: string; freshness: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount?: number;
}

const PAGE = `query ($filter: CarFilterInput, $orderBy: CarOrderInput, $first: Int, $after: String) {
  cars(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id status freshness }
    pageInfo { hasNextPage endCursor }
  }
}`;

async function page(variables: Record<string, unknown>): Promise<Page> {
  const { data, errors } = await api.query<{ cars: Page }>(PAGE, variables);
  expect(errors).toBeUndefined();
  return data.cars;
}

async function walk(variables: Record<string, unknown>): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  for (let more = true; more; ) {
    const { nodes, pageInfo }: Page = await page({ first: 500, ...variables, after });
    seen.push(...nodes.map(({ id }) => id));
    ({ endCursor: after, hasNextPage: more } = pageInfo);
  }
  return seen;
}

/** What MongoDB's order says: null lowest, ids rising within equal values. */
function expected(value: (twin: Twin) => number | null, falling: boolean, among = TWINS): string[] {
  const key = (twin: Twin) => value(twin) ?? Number.NEGATIVE_INFINITY;
  const sorted = among.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left !== right) return left < right === falling ? 1 : -1;
    return a._id < b._id ? -1 : 1;
  });
  return sorted.map(({ _id }) => _id);
}

describe('cars', () => {
  it.each([
    ['SCORE', 'DESC', (twin: Twin) => twin.score?.ratio ?? null],
    ['SCORE', 'ASC', (twin: Twin) => twin.score?.ratio ?? null],
    ['LAST_SEEN', 'DESC', (twin: Twin) => twin.lastSeenAt.getTime()],
    ['LAST_SEEN', 'ASC', (twin: Twin) => twin.lastSeenAt.getTime()],
  ] as const)('walks thousands by %s %s, each once, in order', async (field, direction, value) => {
    expect(await walk({ orderBy: { field, direction } })).toEqual(expected(value, direction === 'DESC'));
  });

  it.each(['ASC', 'DESC'] as const)('walks them by id %s', async (direction) => {
    const ids = TWINS.map(({ _id }) => _id);
    const seen = await walk({ orderBy: { field: 'ID', direction } });
    expect(seen).toEqual(direction === 'ASC' ? ids : ids.toReversed());
  });

  it('reads one block of places for many pages', async () => {
    commands.length = 0;
    await walk({ orderBy: { field: 'SCORE', direction: 'DESC' }, filter: { freshness: ['LIVE', 'STALE', 'OFFLINE'] } });
    const scans = commands.filter(({ command }) => command['sort'] !== undefined);
    expect(scans.length).toBeLessThanOrEqual(4);
  });

  it('goes on behind a page whose cars are gone since the ranking was made', async () => {
    const query = { filter: { ids: ['car-00001', 'car-00002', 'car-00003'] }, first: 1 };
    const { pageInfo } = await page(query);
    await api.database.collections.twins.deleteOne({ _id: 'car-00002' });
    const empty = await page({ ...query, after: pageInfo.endCursor });
    await api.database.collections.twins.insertOne(car(2));
    expect(empty).toMatchObject({
      nodes: [],
      pageInfo: { hasNextPage: true, endCursor: expect.any(String) as string },
    });
    const last = await page({ ...query, after: empty.pageInfo.endCursor });
    expect(last.nodes.map(({ id }) => id)).toEqual(['car-00003']);
  });

  it('filters by status and freshness', async () => {
    const stale = TWINS.filter(({ _id }) => Number(_id.slice(4)) >= 60 && Number(_id.slice(4)) < 600);
    expect(await walk({ filter: { freshness: 'STALE' } })).toEqual(stale.map(({ _id }) => _id));
    const seen = await walk({
      filter: { status: ['ANOMALOUS', 'SUSPECT'], freshness: ['LIVE', 'OFFLINE'] },
      orderBy: { field: 'SCORE', direction: 'DESC' },
      first: 37,
    });
    const wanted = TWINS.filter((twin) => twin.status !== 'NORMAL' && !stale.includes(twin));
    expect(seen).toEqual(expected((twin) => twin.score?.ratio ?? null, true, wanted));
  });

  it('counts only when asked', async () => {
    const query =
      '{ cars(filter: { status: ANOMALOUS }, first: 0) { totalCount nodes { id } pageInfo { hasNextPage } } }';
    const { data } = await api.query<{ cars: Page }>(query);
    expect(data.cars).toEqual({ totalCount: 80, nodes: [], pageInfo: { hasNextPage: true } });
  });

  it.each([
    ['BAD_CURSOR', { after: 'x' }],
    ['BAD_CURSOR', { after: Buffer.from('["cars","SCORE","DESC",{"$gt":0},"a"]').toString('base64url') }],
    ['BAD_CURSOR', { after: Buffer.from('["cars","SCORE","DESC",1,"a"]').toString('base64url') }],
    ['PAGE_TOO_LARGE', { first: 501 }],
    ['BAD_REQUEST', { filter: { status: { $ne: 'NORMAL' } } }],
    ['BAD_REQUEST', { orderBy: { field: '$where' } }],
    ['UNKNOWN_SIGNAL', { filter: { signals: [{ signal: 'sped' }] } }],
    ['UNKNOWN_SIGNAL', { filter: { signals: [{ signal: '__proto__' }] } }],
    ['BAD_RANGE', { filter: { score: { min: 2, max: 1 } } }],
    ['BAD_ARGUMENT', { filter: { ids: ['no car id'] } }],
    ['BAD_ARGUMENT', { filter: { firmware: Array(501).fill(1) } }],
    ['BAD_REQUEST', { filter: { within: ['north'] } }],
  ])('%s for %j before MongoDB is asked', async (code, variables) => {
    commands.length = 0;
    const { errors } = await api.query(PAGE, variables);
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code }]);
    expect(commands).toEqual([]);
  });
});

const READ_BY_LISTS = new Set(['twins', 'cars', 'anomalies', 'readings']);

describe('a list', () => {
  it('asks MongoDB as often for 50 cars as for 5, and a few times more for up to 4', async () => {
    const ids = TWINS.slice(0, 50).map(({ _id }) => _id);
    const episodes = ids.map((id) => someEpisode({ car: id }));
    await api.database.collections.anomalies.insertMany(episodes);
    const attributes = { values: { fleet: 'north' }, version: 1, at: new Date(NOW), by: 'ann' };
    await api.database.collections.cars.insertMany(ids.map((id) => ({ _id: id, attributes })));
    await api.database.collections.readings.insertMany(ids.map((id, n) => someReading(n, { car: id })));
    for (const { _id, car } of episodes) {
      const open = {
        id: _id,
        severity: 'MINOR' as const,
        severityAt: new Date(NOW),
        calm: 0,
        readings: 3,
        peakRatio: 2,
        entries: 1,
      };
      await api.database.collections.twins.updateOne({ _id: car }, { $set: { openEpisodes: { TIRE: open } } });
    }
    const query = `query ($first: Int) { cars(first: $first) { nodes {
      id attributes { fleet version } formerAttributes { version }
      openEpisodes { id car { id attributes { model } openEpisodes { id } } } history(last: 5) { nodes { at score { ratio } } }
    } } }`;
    const count = async (first: number) => {
      commands.length = 0;
      const { data, errors } = await api.query<{ cars: { nodes: { openEpisodes: unknown[] }[] } }>(query, { first });
      expect(errors).toBeUndefined();
      expect(data.cars.nodes.map(({ openEpisodes }) => openEpisodes.length)).toEqual(Array(first).fill(1));
      expect(data.cars.nodes[first - 1]).toMatchObject({
        attributes: { fleet: 'north', version: 1 },
        formerAttributes: [],
        history: { nodes: [{ score: { ratio: 0.5 } }] },
      });
      const asked = commands.map(({ commandName, command }) => [commandName, String(command[commandName])] as const);
      return asked.flatMap(([name, of]) => (READ_BY_LISTS.has(of) ? [name] : [])).sort();
    };
    // The ranking is read with the first page.
    await count(5);
    const many = ['aggregate', ...Array(6).fill('find')];
    expect(await count(5)).toEqual(many);
    expect(await count(50)).toEqual(many);
    expect(await count(50)).toEqual(many);
    // The histories of up to four are read side by side.
    for (const few of [1, 2, 4]) expect(await count(few)).toEqual(Array(6 + few).fill('find'));
  });
});

describe('fleet', () => {
  it('counts by status and freshness, gives percentiles and the top, and says what they rest on', async () => {
    const { data, errors } = await api.query(`{ fleet {
      byStatus { status cars } byFreshness { freshness cars }
      score { p50 p90 p95 p99 } coverage { cars measured asOf }
      top(first: 3) { id score { ratio } }
    } }`);
    expect(errors).toBeUndefined();
    expect(data['fleet']).toMatchObject({
      byStatus: [
        { status: 'NORMAL', cars: 3_840 },
        { status: 'SUSPECT', cars: 80 },
        { status: 'ANOMALOUS', cars: 80 },
      ],
      byFreshness: [
        { freshness: 'LIVE', cars: 60 },
        { freshness: 'STALE', cars: 540 },
        { freshness: 'OFFLINE', cars: 3_400 },
      ],
      coverage: { cars: CARS, measured: 3_995, asOf: new Date(NOW).toISOString() },
      top: [{ id: 'car-00099' }, { id: 'car-00199' }, { id: 'car-00299' }],
    });
    const { score } = data['fleet'] as { score: Record<string, number> };
    for (const [name, percentile] of [
      ['p50', 1],
      ['p90', 1.8],
      ['p95', 1.9],
      ['p99', 1.98],
    ] as const)
      expect(score[name]).toBeCloseTo(percentile, 1);
  });
});
