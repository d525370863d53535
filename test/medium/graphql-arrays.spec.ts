import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArrayReadingDocument } from '../../src/twin/array-documents.js';
import { arrayReadingId } from '../../src/twin/ids.js';
import { storeArrays } from '../../src/twin/store-arrays.js';
import { type Api, startApi } from '../builders/api.js';

const NOON = Date.UTC(2026, 5, 1, 12);

let api: Api;

function anArray(offset: number, overrides: Partial<ArrayReadingDocument> = {}): ArrayReadingDocument {
  // Five of one instant, so that pages break inside one.
  const at = NOON + Math.floor(offset / 5) * 1_000;
  const errors = { raw: offset, standardised: offset / 10 };
  return {
    _id: arrayReadingId('ecg', offset % 3, offset, at),
    topic: 'ecg',
    sender: `heart-${offset % 4}`,
    at: new Date(at),
    values: [offset, 1.5, -2],
    score: { value: offset, threshold: 20, anomalous: offset > 20, errors, model: 'ecg@1' },
    ...overrides,
  };
}

const ARRAYS = Array.from({ length: 30 }, (_, offset) => anArray(offset));
const UNSCORED = anArray(100, {
  _id: arrayReadingId('other', 0, 100, NOON),
  topic: 'other',
  score: null,
  unscored: 'why',
});

beforeAll(async () => {
  api = await startApi({ database: `gql_arrays_${process.pid}` });
  await storeArrays(api.database, [...ARRAYS, UNSCORED]);
});
afterAll(() => api.stop());

interface Page {
  nodes: { id: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
}

const PAGE = `query ($topic: String!, $sender: ID, $from: DateTime, $to: DateTime, $first: Int, $after: String) {
  arrayReadings(topic: $topic, sender: $sender, from: $from, to: $to, first: $first, after: $after) {
    nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;

async function walk(variables: Record<string, unknown>): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  for (let more = true; more; ) {
    const answer: { data: { arrayReadings: Page }; errors?: unknown } = await api.query(PAGE, {
      first: 4,
      ...variables,
      after,
    });
    expect(answer.errors).toBeUndefined();
    const { nodes, pageInfo } = answer.data.arrayReadings;
    expect(pageInfo.hasPreviousPage).toBe(after !== null);
    seen.push(...nodes.map(({ id }) => id));
    ({ endCursor: after, hasNextPage: more } = pageInfo);
  }
  return seen;
}

const inOrder = (wanted: (row: ArrayReadingDocument) => boolean) =>
  ARRAYS.filter(wanted)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime() || (a._id < b._id ? -1 : 1))
    .map(({ _id }) => _id);

describe('arrayReadings', () => {
  it('gives every array of the topic once, oldest first, page by page', async () => {
    expect(await walk({ topic: 'ecg' })).toEqual(inOrder(() => true));
  });

  it('gives those of one sender and of a time', async () => {
    expect(await walk({ topic: 'ecg', sender: 'heart-1' })).toEqual(inOrder(({ sender }) => sender === 'heart-1'));
    const [from, to] = [new Date(NOON + 1_000), new Date(NOON + 4_000)];
    expect(await walk({ topic: 'ecg', from, to })).toEqual(inOrder(({ at }) => at >= from && at < to));
    expect(await walk({ topic: 'none' })).toEqual([]);
  });

  it('gives an array by its id, with all that is known of it', async () => {
    const fields = `id ... on ArrayReading { sender at values unscored source { topic partition offset }
      score { value threshold anomalous model errors { raw standardised } } }`;
    const ask = (id: string) => api.query(`query ($id: ID!) { node(id: $id) { ${fields} } }`, { id });
    const { data } = await ask(anArray(25)._id);
    expect(data['node']).toEqual({
      id: anArray(25)._id,
      sender: 'heart-1',
      at: new Date(NOON + 5_000).toISOString(),
      values: [25, 1.5, -2],
      unscored: null,
      source: { topic: 'ecg', partition: 1, offset: 25 },
      score: { value: 25, threshold: 20, anomalous: true, model: 'ecg@1', errors: { raw: 25, standardised: 2.5 } },
    });
    expect((await ask(UNSCORED._id)).data['node']).toMatchObject({ score: null, unscored: 'why' });
    expect((await ask('array/a/b/c/d')).data['node']).toBeNull();
  });

  it.each([
    [{ topic: 'ecg', first: 501 }, 'PAGE_TOO_LARGE'],
    [{ topic: 'ecg', after: 'x' }, 'BAD_CURSOR'],
    [{ topic: 'ecg', from: new Date(NOON), to: new Date(NOON - 1) }, 'BAD_RANGE'],
  ])('refuses %j', async (variables, code) => {
    expect((await api.query(PAGE, variables)).errors?.[0]?.extensions.code).toBe(code);
  });
});

describe('storeArrays', () => {
  it('stores again what is there already as it was, and tells how many', async () => {
    const [one, two] = [anArray(3, { values: [9, 9, 9] }), anArray(200)];
    const { rows, duplicate, refused } = await storeArrays(api.database, [one, two]);
    expect({ duplicate, refused }).toEqual({ duplicate: 1, refused: [] });
    expect(rows.map(({ values }) => values)).toEqual([
      [3, 1.5, -2],
      [200, 1.5, -2],
    ]);
    await api.database.collections.arrayReadings.deleteOne({ _id: two._id });
  });

  it('refuses what can never be stored, alone', async () => {
    const huge = anArray(201, { values: Array.from({ length: 1_600_000 }, (_, i) => i + 0.5) });
    const { rows, refused } = await storeArrays(api.database, [anArray(202), huge, anArray(203)]);
    expect(refused.map(({ _id, code }) => [_id, code])).toEqual([[huge._id, 'STORE_REFUSED_DOCUMENT']]);
    expect(rows.map(({ _id }) => _id)).toEqual([anArray(202)._id, anArray(203)._id]);
    await api.database.collections.arrayReadings.deleteMany({ _id: { $in: rows.map(({ _id }) => _id) } });
  });
});
