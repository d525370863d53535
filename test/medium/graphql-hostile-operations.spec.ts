import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../src/score/garbage.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { rawPost, sendRaw } from '../builders/raw-http.js';
import { AFTERWARDS, seedSmallFleet } from '../builders/small-fleet.js';

let api: Api;
beforeAll(async () => {
  const env = { ...authEnv(), INTROSPECTION: 'off' };
  api = await startApi({ database: `gql_hostile_${process.pid}`, clock: () => AFTERWARDS, env });
  await seedSmallFleet(api.database);
});
afterAll(async () => {
  // Whatever was done to it, it still answers.
  const { data } = await api.query('{ cars { totalCount } }', {}, as('admin'));
  await api.stop();
  expect(data).toEqual({ cars: { totalCount: 5 } });
});

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ');
const told = async (query: string, variables?: Record<string, unknown>) => {
  const { errors = [], data } = await api.query(query, variables, as('admin'));
  return { code: errors[0]?.extensions.code, message: errors[0]?.message, data };
};
const LIVE = 'subscription { anomalies { __typename } }';
const NEST = '{ openEpisodes { car '.repeat(20) + '{ id }' + ' } }'.repeat(20);
const FRAGMENTS = times(
  30,
  (n) => `fragment f${n} on Car { ...f${n + 1} ...f${n + 1} openEpisodes { car { ...f${n + 1} } } }`,
);

describe('an operation that is too much', () => {
  it.each([
    ['deep', `{ car(id: "car-1") ${NEST} }`, 'TOO_DEEP'],
    [
      'deep by fragments that double',
      `{ car(id: "car-1") { ...f0 } } ${FRAGMENTS} fragment f30 on Car { id }`,
      'TOO_DEEP',
    ],
    ['a fragment within itself', '{ car(id: "car-1") { ...f } } fragment f on Car { ...f }', 'BAD_REQUEST'],
    [
      'wide: pages within pages',
      '{ cars(first: 500) { nodes { history(first: 500) { nodes { id } } } } }',
      'TOO_COSTLY',
    ],
    [
      'wide by a default of a variable',
      'query ($n: Int = 500) { cars(first: $n) { nodes { history(first: $n) { nodes { id } } } } }',
      'TOO_COSTLY',
    ],
    [
      'wide: buckets of a page of cars',
      '{ cars(first: 500) { nodes { aggregate(signals: [speed, coolantTemp], from: "2026-06-01T00:00:00Z", to: "2026-06-01T02:00:00Z", step: "PT1S", fill: NULL) { step } } } }',
      'TOO_COSTLY',
    ],
    [
      'wide: the past of a page of cars',
      '{ cars(first: 500) { nodes { diff(from: "2026-06-01T00:00:00Z") { from } } } }',
      'TOO_COSTLY',
    ],
    ['aliased', `{ ${times(51, (n) => `a${n}: car(id: "car-1") { id }`)} }`, 'TOO_MANY_ALIASES'],
    [
      'aliased in fragments',
      `{ car(id: "car-1") { ...a ...b } } ${['a', 'b'].map((f) => `fragment ${f} on Car { ${times(26, (n) => `${f}${n}: id`)} }`).join(' ')}`,
      'TOO_MANY_ALIASES',
    ],
    ['long: tokens', `{ ${times(5_001, () => 'x')} }`, 'BAD_REQUEST'],
    ['one field again and again', `{ car(id: "car-1") { ${times(101, () => 'id')} } }`, 'BAD_REQUEST'],
    ['one object again and again', `{ ${times(380, () => 'car(id: "car-1") { signals { speed } }')} }`, 'BAD_REQUEST'],
    [
      'inline fragments again and again',
      `{ car(id: "car-1") { ${times(200, () => '... on Car { id }')} } }`,
      'BAD_REQUEST',
    ],
    [
      'directives again and again',
      `{ car(id: "car-1") { id ${times(700, () => '@skip(if: false)')} } }`,
      'BAD_REQUEST',
    ],
    ['several operations', 'query A { __typename } mutation B { eraseCar(id: "car-1") { carId } }', 'BAD_REQUEST'],
    ['none', 'fragment f on Car { id }', 'BAD_REQUEST'],
    ['empty', '', 'BAD_REQUEST'],
    ['a subscription where nothing can be sent', LIVE, 'BAD_REQUEST'],
    ['introspection where it is off', '{ __schema { types { name } } }', 'FORBIDDEN'],
    ['introspection in a fragment', '{ ...f } fragment f on Query { __type(name: "Car") { name } }', 'FORBIDDEN'],
  ])('%s: is refused', async (_what, query, code) => {
    expect(await told(query)).toMatchObject({ code });
  });

  it('is refused by the size that a variable gives', async () => {
    const query = 'query ($n: Int) { cars(first: $n) { nodes { history(first: $n) { nodes { id } } } } }';
    expect(await told(query, { n: 500 })).toMatchObject({ code: 'TOO_COSTLY' });
    expect((await told(query, { n: 3 })).code).toBeUndefined();
    expect(await told(query, { n: 500 })).toMatchObject({ code: 'TOO_COSTLY' });
  });

  it('is not helped to the names of the schema by its mistakes', async () => {
    for (const query of [
      '{ carz { id } }',
      '{ car(idd: "x") { id } }',
      '{ car(id: "x") { statuss } }',
      '{ ...f } fragment f on Carr { id }',
    ]) {
      const { message } = await told(query);
      expect(message).not.toMatch(/did you mean/i);
    }
  });
});

describe('a body that is none', () => {
  const post = async (body: string, headers: Record<string, string> = {}, path = '/graphql') => {
    const response = await fetch(`${api.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...as('admin'), ...headers },
      body,
    });
    const answer = (await response.json()) as { errors?: { extensions?: { code?: string } }[] };
    return [response.status, answer.errors?.[0]?.extensions?.code];
  };

  it.each([
    ['nothing', ''],
    ['no JSON', '{ "query": '],
    ['a number', '7'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a batch', '[{ "query": "{ __typename }" }, { "query": "{ __typename }" }]'],
    ['no query', '{}'],
    ['a query that is an object', '{ "query": { "kind": "Document", "definitions": [] } }'],
    ['a parsed operation as text', JSON.stringify({ query: JSON.stringify({ kind: 'Document', definitions: [] }) })],
    ['null as text', '{ "query": "null" }'],
    ['a number as text', '{ "query": "7" }'],
    ['variables that are a list', '{ "query": "{ __typename }", "variables": [1] }'],
    ['a prototype', '{ "query": "{ __typename }", "__proto__": { "viewer": null } }'],
    ['a constructor', '{ "query": "{ __typename }", "constructor": { "prototype": { "viewer": null } } }'],
    [
      'a prototype among variables',
      '{ "query": "query ($v: JSON!) { __typename }", "variables": { "v": { "__proto__": { "x": 1 } } } }',
    ],
    ['lists in lists', `{ "query": "{ __typename }", "variables": ${'['.repeat(20_000)}${']'.repeat(20_000)} }`],
    ['objects in objects', `{ "query": "{ __typename }", "variables": ${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ])('%s: is refused', async (_what, body) => {
    expect(await post(body)).toEqual([400, 'BAD_REQUEST']);
  });

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/graphql'],
    [''],
  ])('of the type "%s" is refused: a page could send it unasked', async (type) => {
    expect(await post('{ "query": "{ __typename }" }', { 'content-type': type })).toEqual([400, 'BAD_REQUEST']);
  });

  it.each([
    ['/graphql', JSON.stringify({ query: `{ __typename } #${'x'.repeat(200_000)}` })],
    ['/graphql/stream', JSON.stringify({ query: LIVE, variables: { unused: 'x'.repeat(200_000) } })],
  ])('of more bytes than allowed is refused at %s, said or not', async (path, large) => {
    expect(await post(large, {}, path)).toEqual([413, 'BODY_TOO_LARGE']);
    const chunked = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: ${as('admin').authorization}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;
    const { text, status } = await sendRaw(api.url, chunked);
    expect(text).toContain('BODY_TOO_LARGE');
    expect(status).toBe(413);
  });

  it('that never ends is not waited for without end', () => {
    const { headersTimeout, requestTimeout } = api.app.getHttpServer() as {
      headersTimeout: number;
      requestTimeout: number;
    };
    expect([headersTimeout, requestTimeout]).toEqual([30_000, 30_000]);
  });
});

describe('an argument that means another thing to the database', () => {
  it.each([
    ['an operator as a car id', '{ car(id: "$where") { id } }', undefined],
    ['an object as a car id', '{ car(id: { $gt: "" }) { id } }', 'BAD_REQUEST'],
    [
      'a cursor of JSON',
      `{ cars(after: "${Buffer.from('{"$gt":""}').toString('base64url')}") { nodes { id } } }`,
      'BAD_CURSOR',
    ],
    ['an operator as an anomaly', '{ node(id: "a/$ne/b") { id } }', undefined],
    ['an operator as a topic', '{ arrayReadings(topic: "$gt") { nodes { id } } }', undefined],
  ])('%s', async (_what, query, code) => {
    const { code: given, data } = await told(query);
    expect(given).toBe(code);
    expect(JSON.stringify(data ?? null)).not.toContain('car-');
  });

  it.each([[{ $gt: '' }], [{ $where: 'sleep(1000)' }], [['car-1']], [{ toString: 'x' }], [true]])(
    'a variable %j where an id is wanted',
    async (id) => {
      const { code, data } = await told('query ($id: ID!) { car(id: $id) { id } }', { id });
      expect([code, data?.['car'] ?? null]).toEqual(['BAD_REQUEST', null]);
    },
  );

  it.each([
    ['an operator in a list', { ids: [{ $ne: null }] }],
    ['an operator for a list', { ids: { $ne: null } }],
    ['a key that there is not', { $where: 'true' }],
    ['another one', { 'attributes.fleet': 'south' }],
  ])('a filter with %s', async (_what, filter) => {
    const { code } = await told('query ($f: CarFilterInput) { cars(filter: $f) { nodes { id } } }', { f: filter });
    expect(code).toBe('BAD_REQUEST');
  });

  const deep = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
  const posted = async (query: string, values: string, role: 'admin' | 'viewer') => {
    const body = `{"query":${JSON.stringify(query)},"variables":{"v":${values}}}`;
    const headers = { 'content-type': 'application/json', ...as(role) };
    const answer = await fetch(`${api.url}/graphql`, { method: 'POST', headers, body });
    return /"code":"(\w+)"/.exec(await answer.text())?.[1];
  };
  it.each([
    ['an operator as a value', '{"fleet":{"$gt":""}}'],
    ['an operator', '{"$where":"true"}'],
    ['a path', '{"a.b":1}'],
    ['a key of every object', '{"constructor":"x"}'],
    ['an operator in a list', '{"fleet":"north","tags":[{"$ne":1}]}'],
    ['a key that ends early', '{"a\\u0000b":1}'],
    ['an object of the driver', '{"fleet":{"_bsontype":"ObjectId"}}'],
    ['500 levels', deep(500)],
    ['10,000 levels', deep(10_000)],
    ['a text', '"text"'],
    ['a list', '[]'],
  ])('attributes and desired values with %s, which are noted all the same', async (_what, values) => {
    for (const [mutation, refused] of [
      ['setAttributes', 'INVALID_ATTRIBUTES'],
      ['setDesired', 'INVALID_DESIRED'],
    ] as const) {
      const query = `mutation ($v: JSON!) { ${mutation}(car: "car-1", values: $v) { __typename } }`;
      expect(await posted(query, values, 'admin')).toBe(refused);
      const [noted] = await api.database.collections.audit.find().sort({ _id: -1 }).limit(1).toArray();
      expect(noted).toMatchObject({ operation: mutation, outcome: refused, args: { car: 'car-1' } });
      expect(await posted(query, values, 'viewer')).toBe('FORBIDDEN');
    }
    const car = await api.database.collections.cars.findOne({ _id: 'car-1' });
    expect(car?.attributes?.values).toEqual({ fleet: 'north', model: 'hatch', plate: 'N 1', tags: ['pool'] });
  });

  it('leaves what every object has as it was', () => {
    expect(({} as Record<string, unknown>)['viewer']).toBeUndefined();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('the audit log', () => {
  it('has the arguments however they were given, and does not say that what was skipped was done', async () => {
    await told('mutation ($id: ID! = "nobody") { eraseCar(id: $id) @skip(if: true) { carId } __typename }');
    await told(
      'mutation ($id: ID! = "nobody-2", $no: Boolean! = true) { a: eraseCar(id: $id) @skip(if: $no) { carId } }',
    );
    await told('mutation ($id: ID!) { b: eraseCar(id: $id) { carId } }', { id: 'no car' });
    const rows = await api.database.collections.audit.find({ operation: 'eraseCar' }).sort({ _id: 1 }).toArray();
    expect(rows.map(({ args, outcome }) => [args['id'], outcome])).toEqual([
      ['nobody', 'SKIPPED'],
      ['nobody-2', 'SKIPPED'],
      ['no car', 'BAD_ARGUMENT'],
    ]);
  });
});

describe('memory', () => {
  it('does not grow with operations that are all different', async () => {
    const heap = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    const flood = async (round: number) => {
      for (let n = 0; n < 300; n += 1) {
        const query = `{ car(id: "${round}-${n}") { ${times(90, () => 'id')} signals { ${times(90, () => 'speed')} } } }`;
        await api.query(query, {}, as('admin'));
        await api.query(`${query} x`, {}, as('admin'));
      }
      return heap();
    };
    const first = await flood(0);
    await flood(1);
    const third = await flood(2);
    expect(third - first).toBeLessThan(40);
  });
});

describe('persisted operations', () => {
  const text = readFileSync('docs/operations/cars-2-filter.graphql', 'utf8');
  const hash = createHash('sha256').update(text).digest('hex');
  let only: Api;
  beforeAll(async () => {
    const env = { PERSISTED_OPERATIONS: 'only' };
    only = await startApi({ database: `gql_only_${process.pid}`, clock: () => AFTERWARDS, env });
  });
  afterAll(() => only.stop());
  const ask = async (body: object) => {
    const { text: answer } = await sendRaw(
      only.url,
      rawPost('/graphql', '')
        .replace(/content-length: \d+/, `content-length: ${Buffer.byteLength(JSON.stringify(body))}`)
        .replace(/\r\n\r\n.*$/s, `\r\n\r\n${JSON.stringify(body)}`),
    );
    return /"code":"(\w+)"/.exec(answer)?.[1];
  };

  it('are run by their text or its hash, and nothing else is', async () => {
    const variables = JSON.parse(/^# variables: (.*)$/m.exec(text)?.[1] ?? '{}') as object;
    expect(await ask({ query: text, variables })).toBeUndefined();
    expect(await ask({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } }, variables })).toBeUndefined();
    expect(await ask({ extensions: { persistedQuery: { version: 1, sha256Hash: hash.toUpperCase() } } })).toBe(
      'UNKNOWN_OPERATION',
    );
    expect(await ask({ extensions: { persistedQuery: { sha256Hash: '__proto__' } } })).toBe('UNKNOWN_OPERATION');
    expect(await ask({ extensions: { persistedQuery: { sha256Hash: { $ne: 1 } } } })).toBe('UNKNOWN_OPERATION');
    expect(await ask({ query: '{ __typename }' })).toBe('UNKNOWN_OPERATION');
    expect(
      await ask({ query: '{ __typename }', extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
    ).toBe('UNKNOWN_OPERATION');
  });
});
