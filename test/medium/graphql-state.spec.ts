import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../builders/api.js';
import { someEpisode } from '../builders/episode.js';
import { SOME_INSTANT, someReading, someSignals } from '../builders/reading.js';
import { someScore, someTwin } from '../builders/twin.js';

const NOW = SOME_INSTANT + 30_000;
let now = NOW;
let api: Api;

beforeAll(async () => {
  api = await startApi({ database: `gql_state_${process.pid}`, clock: () => now });
});
afterAll(() => api.stop());

beforeEach(async () => {
  const { twins, readings, anomalies } = api.database.collections;
  await Promise.all([twins.deleteMany({}), readings.deleteMany({}), anomalies.deleteMany({})]);
  now += 10_000;
});

describe('car', () => {
  it('gives the whole twin', async () => {
    const episode = someEpisode({ car: 'car-7' });
    await api.database.collections.anomalies.insertOne(episode);
    await api.database.collections.twins.insertOne(
      someTwin({
        _id: 'car-7',
        status: 'ANOMALOUS',
        score: someScore(2),
        source: { topic: 'sensor-data', partition: 3, offset: 5_000_000_000 },
        lastSeenAt: new Date(now - 61_000),
        openEpisodes: {
          TIRE: {
            id: episode._id,
            severity: 'MINOR',
            severityAt: episode.openedAt,
            entries: 1,
            calm: 0,
            readings: 3,
            peakRatio: 2,
          },
        },
      }),
    );
    const { data, errors } = await api.query(`{
      car(id: "car-7") {
        id status freshness revision firstSeenAt reportedAt receivedAt
        signals { speed coolantTemp tirePressure11 batteryVoltage }
        score { ratio anomalous model topSignals { signal share } }
        counters { readings late duplicate expired rejected }
        source { topic partition offset }
        openEpisodes { kind severity car { id } }
      }
    }`);
    expect(errors).toBeUndefined();
    expect(data['car']).toEqual({
      id: 'car-7',
      status: 'ANOMALOUS',
      freshness: 'STALE',
      revision: 1,
      firstSeenAt: '2026-03-01T12:00:00.000Z',
      reportedAt: '2026-03-01T12:00:00.000Z',
      receivedAt: '2026-03-01T12:00:00.050Z',
      signals: { speed: 20, coolantTemp: 60, tirePressure11: 32, batteryVoltage: null },
      score: { ratio: 2, anomalous: true, model: 'default@1', topSignals: [{ signal: 'tirePressure11', share: 0.7 }] },
      counters: { readings: 1, late: 0, duplicate: 0, expired: 0, rejected: 0 },
      source: { topic: 'sensor-data', partition: 3, offset: 5_000_000_000 },
      openEpisodes: [{ kind: 'TIRE', severity: 'MINOR', car: { id: 'car-7' } }],
    });
  });

  it.each(['nobody', '', 'not a car id', '{"$gt":""}'])('is null for %j', async (id) => {
    expect(await api.query('query ($id: ID!) { car(id: $id) { id } }', { id })).toEqual({
      status: 200,
      data: { car: null },
    });
  });

  it('answers the same when the operation has been compiled', async () => {
    await api.database.collections.twins.insertOne(someTwin());
    const ask = () => api.query('{ car(id: "car-1") { id lastSeenAt signals { speed } counters { late } } }');
    const first = await ask();
    expect(first.errors).toBeUndefined();
    expect(await ask()).toEqual(first);
    expect(await ask()).toEqual(first);
  });
});

describe('history', () => {
  const HISTORY = `query ($from: DateTime, $to: DateTime, $first: Int, $after: String, $last: Int, $before: String) {
    car(id: "car-1") {
      history(from: $from, to: $to, first: $first, after: $after, last: $last, before: $before) {
        nodes { id at signals { speed } score { ratio } failureOccurred late source { offset } }
        edges { cursor }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }`;
  interface Page {
    nodes: { id: string; source: { offset: number } }[];
    edges: { cursor: string }[];
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  }
  const ask = async (variables: Record<string, unknown>) => {
    const { data, errors } = await api.query<{ car: { history: Page } }>(HISTORY, variables);
    expect(errors).toBeUndefined();
    return data.car.history;
  };
  const offsets = (page: Page) => page.nodes.map(({ source }) => source.offset);

  beforeEach(async () => {
    await api.database.collections.twins.insertOne(someTwin());
    // Offsets 4 to 7 share one instant: pages break inside it.
    const at = (n: number) => new Date(SOME_INSTANT + (n >= 4 && n <= 7 ? 4 : n) * 1_000);
    await api.database.collections.readings.insertMany([
      ...Array.from({ length: 10 }, (_, n) =>
        someReading(n, { at: at(n), signals: someSignals({ speed: n }), ...(n === 3 && { label: true, late: true }) }),
      ),
      someReading(50, { car: 'car-2' }),
    ]);
  });

  it('walks forwards in pages of three, each reading once, in order', async () => {
    const seen: number[] = [];
    let after: string | null = null;
    for (let more = true; more; ) {
      const page: Page = await ask({ first: 3, after });
      seen.push(...offsets(page));
      ({ endCursor: after, hasNextPage: more } = page.pageInfo);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('walks backwards in pages of three', async () => {
    const seen: number[][] = [];
    let before: string | null = null;
    for (let more = true; more; ) {
      const page: Page = await ask({ last: 3, before });
      seen.push(offsets(page));
      ({ startCursor: before, hasPreviousPage: more } = page.pageInfo);
    }
    expect(seen).toEqual([[7, 8, 9], [4, 5, 6], [1, 2, 3], [0]]);
  });

  it('includes from and not to', async () => {
    const page = await ask({ from: '2026-03-01T12:00:01.000Z', to: '2026-03-01T12:00:08+00:00' });
    expect(offsets(page)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('carries label, lateness and score', async () => {
    const page = await ask({ from: '2026-03-01T12:00:03Z', first: 1 });
    expect(page.nodes[0]).toMatchObject({ failureOccurred: true, late: true, score: { ratio: 0.5 } });
    expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  });

  it.each([
    ['BAD_RANGE', { from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' }],
    ['PAGE_TOO_LARGE', { first: 501 }],
    ['BAD_ARGUMENT', { first: -1 }],
    ['BAD_ARGUMENT', { first: 1, last: 1 }],
    ['BAD_CURSOR', { after: 'nonsense' }],
    ['BAD_CURSOR', { after: Buffer.from('["history",{"$gt":0},"x"]').toString('base64url') }],
    ['BAD_CURSOR', { after: Buffer.from('["cars","ID","ASC",null,"x"]').toString('base64url') }],
    ['BAD_REQUEST', { from: 'yesterday' }],
  ])('%s for %j', async (code, variables) => {
    const { errors } = await api.query(HISTORY, variables);
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code }]);
  });
});
