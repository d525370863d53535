import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EpisodeDocument } from '../../src/twin/documents.js';
import { type Api, startApi } from '../builders/api.js';
import { someEpisode } from '../builders/episode.js';
import { SOME_INSTANT, someReading } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

let api: Api;

/** Thirty episodes; five open at each instant, so that pages break inside one. */
const EPISODES = Array.from({ length: 30 }, (_, n) =>
  someEpisode({
    car: `car-${n % 6}`,
    kind: n % 2 ? 'TIRE' : 'BATTERY',
    openedAt: new Date(SOME_INSTANT + Math.floor(n / 5) * 60_000),
    status: n % 3 ? 'CLEARED' : 'OPEN',
    severity: n % 4 ? 'MINOR' : 'CRITICAL',
    handling: { acknowledgedBy: 'somebody' },
  }),
);

beforeAll(async () => {
  api = await startApi({ database: `gql_anomalies_${process.pid}` });
  await api.database.collections.anomalies.insertMany(EPISODES);
  await api.database.collections.twins.insertOne(someTwin({ _id: 'car-1' }));
  await api.database.collections.readings.insertOne(someReading(7, { car: 'car-1' }));
});
afterAll(() => api.stop());

interface Page {
  totalCount: number;
  nodes: { id: string; car: { id: string } | null }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const ANOMALIES = `query ($filter: AnomalyFilterInput, $first: Int, $after: String) {
  anomalies(filter: $filter, first: $first, after: $after) {
    totalCount nodes { id car { id } } pageInfo { hasNextPage endCursor }
  }
}`;

async function walk(filter: Record<string, unknown>): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  for (let more = true; more; ) {
    const page: Page = await pageOf({ filter, first: 4, after });
    seen.push(...page.nodes.map(({ id }) => id));
    ({ endCursor: after, hasNextPage: more } = page.pageInfo);
  }
  return seen;
}

async function pageOf(variables: Record<string, unknown>): Promise<Page> {
  const { data, errors } = await api.query<{ anomalies: Page }>(ANOMALIES, variables);
  expect(errors).toBeUndefined();
  return data.anomalies;
}

const newestFirst = (wanted: (episode: EpisodeDocument) => boolean) =>
  EPISODES.filter(wanted)
    .toSorted((a, b) => b.openedAt.getTime() - a.openedAt.getTime() || (a._id < b._id ? 1 : -1))
    .map(({ _id }) => _id);

describe('anomalies', () => {
  it.each<[Record<string, unknown>, (episode: EpisodeDocument) => boolean]>([
    [{}, () => true],
    [{ car: 'car-2' }, ({ car }) => car === 'car-2'],
    [{ status: 'OPEN' }, ({ status }) => status === 'OPEN'],
    [{ kind: 'TIRE', severity: ['CRITICAL', 'MINOR'] }, ({ kind }) => kind === 'TIRE'],
    [{ status: 'CLEARED', severity: 'CRITICAL' }, (each) => each.status === 'CLEARED' && each.severity === 'CRITICAL'],
    [
      { from: '2026-03-01T12:01:00Z', to: '2026-03-01T12:03:00Z' },
      ({ openedAt }) => openedAt.getTime() >= SOME_INSTANT + 60_000 && openedAt.getTime() < SOME_INSTANT + 180_000,
    ],
  ])('are listed newest first, each once, for %j', async (filter, wanted) => {
    expect(await walk(filter)).toEqual(newestFirst(wanted));
  });

  it('are counted when asked, and lead to their cars', async () => {
    const page = await pageOf({ filter: { car: 'car-1' }, first: 1 });
    expect(page).toMatchObject({ totalCount: 5, nodes: [{ car: { id: 'car-1' } }] });
    expect((await pageOf({ filter: { car: 'car-2' }, first: 1 })).nodes[0]?.car).toBeNull();
  });

  it.each([
    ['BAD_ARGUMENT', { filter: { car: '{"$ne":1}' } }],
    ['BAD_RANGE', { filter: { from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' } }],
    ['BAD_CURSOR', { after: 'x' }],
    ['PAGE_TOO_LARGE', { first: 1_000 }],
    ['BAD_REQUEST', { filter: { kind: 'EVERYTHING' } }],
  ])('%s for %j', async (code, variables) => {
    const { errors } = await api.query(ANOMALIES, variables);
    expect(errors?.[0]?.extensions).toEqual({ code });
  });
});

describe('node', () => {
  const NODE = 'query ($id: ID!) { node(id: $id) { __typename id ... on Anomaly { kind } ... on Reading { carId } } }';

  it('finds a car, an anomaly and a reading by their ids, and nothing else', async () => {
    const [episode] = EPISODES;
    const ids = ['car-1', episode?._id, someReading(7)._id, 'nobody', 'a/b', 'a/b/c/d', ''];
    const nodes = await Promise.all(ids.map((id) => api.query(NODE, { id })));
    expect(nodes.map(({ data }) => data['node'])).toEqual([
      { __typename: 'Car', id: 'car-1' },
      { __typename: 'Anomaly', id: episode?._id, kind: 'BATTERY' },
      { __typename: 'Reading', id: someReading(7)._id, carId: 'car-1' },
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('a request', () => {
  it.each([
    ['BAD_REQUEST', '{ nothing }'],
    ['BAD_REQUEST', '{ car(id: "a") { id '],
    ['BAD_REQUEST', 'mutation { x }'],
    ['BAD_REQUEST', '{ car { id } }'],
    ['BAD_REQUEST', ''],
    ['BAD_REQUEST', 'subscription { anomalies { __typename } }'],
    ['TOO_DEEP', `{ car(id: "a") { ${'openEpisodes { car { '.repeat(7)} id ${'} }'.repeat(7)} } }`],
    ['BAD_REQUEST', `{ ${'a '.repeat(6_000)} }`],
  ])('that is refused as a whole says %s', async (code, query) => {
    const { status, errors } = await api.query(query);
    expect([status, errors?.[0]?.extensions]).toEqual([400, { code }]);
  });

  it('whose body is not JSON is refused with a code', async () => {
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });
});
