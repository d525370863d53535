import { setTimeout as delay } from 'node:timers/promises';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { type Api, startApi } from '../builders/api.js';
import { as, aToken, AUDIENCE, authEnv, bearer, ISSUER, KEYS } from '../builders/keys.js';
import { AFTERWARDS, seedSmallFleet } from '../builders/small-fleet.js';
import { Subscriber } from '../builders/subscriber.js';

type Told = { extensions?: { code?: string } } | readonly { extensions?: { code?: string } }[];

let api: Api;
beforeAll(async () => {
  const env = { ...authEnv(), MASKED_FIELDS: 'viewer:CarAttributes.plate', LIMIT_SUBSCRIPTIONS: '3' };
  api = await startApi({ database: `gql_access_${process.pid}`, clock: () => AFTERWARDS, env });
  await seedSmallFleet(api.database);
});
afterAll(() => api.stop());

const IDS = '{ cars { nodes { id } totalCount } }';
const code = async (query: string, headers: Record<string, string>) => {
  const { status, errors } = await api.query(query, {}, headers);
  return [status, errors?.[0]?.extensions.code];
};

describe('who asks', () => {
  it('has to say so with a token or a key', async () => {
    expect(await code(IDS, {})).toEqual([401, 'UNAUTHENTICATED']);
    expect(await code(IDS, bearer('another key'))).toEqual([401, 'UNAUTHENTICATED']);
    expect(await code(IDS, { authorization: `Basic ${KEYS.admin}` })).toEqual([401, 'UNAUTHENTICATED']);
    expect((await api.query(IDS, {}, as('admin'))).data).toMatchObject({ cars: { totalCount: 5 } });
  });

  it.each([
    ['is signed with another key', () => aToken({ secret: 'another shared key, just as long as the first one' })],
    ['is for somebody else', () => aToken({ aud: 'another service' })],
    ['comes from somebody else', () => aToken({ iss: 'https://another.example' })],
    ['has expired', () => aToken({ expiresIn: -1 })],
    ['is signed by an algorithm that is not taken', () => aToken({ algorithm: 'HS512' })],
    ['names a role that there is not', () => aToken({ claims: { role: 'root', fleets: '*' } })],
    ['has fleets that are no list', () => aToken({ claims: { role: 'viewer', fleets: { $ne: null } } })],
    [
      'is not signed at all',
      () =>
        new UnsecuredJWT({ role: 'admin', fleets: '*' })
          .setSubject('eve')
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setExpirationTime('1h')
          .encode(),
    ],
    ['is none', () => 'a.b.c'],
  ])('is refused where the token %s', async (_what, make) => {
    expect(await code(IDS, bearer(await make()))).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('sees the fleets of the token, none without that claim, and every car with *', async () => {
    const seen = async (claims: Record<string, unknown>) => {
      const { data } = await api.query<{ cars: { totalCount: number } }>(IDS, {}, bearer(await aToken({ claims })));
      return data.cars.totalCount;
    };
    expect(await seen({ fleets: ['north'] })).toBe(2);
    expect(await seen({ fleets: ['north', 'south'] })).toBe(4);
    expect(await seen({ fleets: '*' })).toBe(5);
    expect(await seen({})).toBe(0);
  });
});

describe('a role', () => {
  const ack = 'mutation { acknowledgeAnomaly(id: "car-4/TIRE/2026-06-01T12:08:40.000Z", by: "x") { id } }';
  const activate = 'mutation { activateModel(model: "none@1", by: "x") { revision } }';
  const set = 'mutation { setAttributes(car: "car-4", values: { fleet: "south" }) { version } }';
  const erase = 'mutation { eraseCar(id: "nobody") { carId } }';

  it.each([
    ['viewer', ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']],
    ['modeller', ['FORBIDDEN', 'UNKNOWN_MODEL', 'FORBIDDEN', 'FORBIDDEN']],
    ['operator', [undefined, 'FORBIDDEN', undefined, 'FORBIDDEN']],
    ['northOperator', ['NOT_FOUND', 'FORBIDDEN', 'NOT_FOUND', 'FORBIDDEN']],
    ['admin', [undefined, 'UNKNOWN_MODEL', undefined, undefined]],
  ] as const)('%s may do its own', async (name, expected) => {
    const codes = [];
    for (const query of [ack, activate, set, erase]) codes.push((await code(query, as(name)))[1]);
    expect(codes).toEqual(expected);
  });

  it('does not see what is masked for it, by whatever way it asks', async () => {
    const plate = '{ car(id: "car-1") { attributes { plate } } }';
    const values = '{ cars { nodes { ...c } } } fragment c on Car { a: attributes { values } }';
    expect(await code(plate, as('viewer'))).toEqual([400, 'FORBIDDEN']);
    expect(await code(values, as('viewer'))).toEqual([400, 'FORBIDDEN']);
    expect((await api.query(plate, {}, as('operator'))).data).toEqual({ car: { attributes: { plate: 'N 1' } } });
  });

  it('of admin reads who wanted to change what, and how that ended', async () => {
    const query = '{ auditLog(first: 500) { nodes { viewer role operation args outcome address } } }';
    expect(await code(query, as('operator'))).toEqual([200, 'FORBIDDEN']);
    const { data } = await api.query<{ auditLog: { nodes: Record<string, unknown>[] } }>(query, {}, as('admin'));
    const rows = data.auditLog.nodes.filter(({ operation }) => operation === 'setAttributes');
    expect(rows.map(({ viewer, outcome }) => [viewer, outcome])).toEqual([
      ['admin', 'OK'],
      ['northOperator', 'NOT_FOUND'],
      ['operator', 'OK'],
      ['modeller', 'FORBIDDEN'],
      ['viewer', 'FORBIDDEN'],
    ]);
    expect(rows[0]).toMatchObject({ role: 'admin', args: { car: 'car-4', values: { fleet: 'south' } } });
  });
});

describe('a WebSocket', () => {
  const query = 'subscription { carUpdates { ... on CarUpdate { car { id } } } }';

  it('says who it is in its first message or in a header', async () => {
    for (const connection of [{ params: as('viewer') }, { headers: as('viewer') }]) {
      const subscriber = new Subscriber(api.url, query, {}, connection);
      await delay(500);
      expect([subscriber.errors, subscriber.ended]).toEqual([null, false]);
      await subscriber.close();
    }
  });

  it('is closed where it says nothing that holds', async () => {
    for (const params of [undefined, bearer('another'), bearer(await aToken({ expiresIn: -5 }))]) {
      const subscriber = new Subscriber(api.url, query, {}, { params });
      await subscriber.until(({ ended }) => ended);
      expect(subscriber.closed).toBe(4_401);
      await subscriber.close();
    }
  });

  it('ends its subscriptions when its token expires', async () => {
    const params = bearer(await aToken({ expiresIn: 2 }));
    const subscriber = new Subscriber(api.url, query, {}, { params });
    await delay(500);
    expect(subscriber.ended).toBe(false);
    await subscriber.until(({ ended }) => ended);
    expect(subscriber.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    await subscriber.close();
  });

  it('has no more subscriptions than one client may have', async () => {
    const many = Array.from({ length: 4 }, () => new Subscriber(api.url, query, {}, { params: as('northViewer') }));
    await Promise.race(many.map((one) => one.until(({ ended }) => ended)));
    expect(many.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions?.code) ?? [])).toEqual([
      'TOO_MANY_SUBSCRIPTIONS',
    ]);
    for (const one of many) await one.close();
  });

  it('has no more of them by asking for many at once, and has them again once they have ended', async () => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: as('northOperator'),
    });
    const codes: unknown[] = [];
    const ended = (some: number) => expect.poll(() => codes.length, { timeout: 20_000 }).toBe(some);
    const send = (message: unknown) => socket.send(JSON.stringify(message));
    socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString()) as { type: string; payload: Told };
      if (type === 'connection_ack') for (let id = 0; id < 100; id += 1) subscribe(id, query);
      if (type === 'next' || type === 'error') codes.push([payload].flat()[0]?.extensions?.code);
    });
    const subscribe = (id: number, text: string) =>
      send({ id: String(id), type: 'subscribe', payload: { query: text } });
    socket.once('open', () => send({ type: 'connection_init' }));
    await ended(97);
    expect(new Set(codes)).toEqual(new Set(['TOO_MANY_SUBSCRIPTIONS']));
    for (let id = 0; id < 100; id += 1) send({ id: String(id), type: 'complete' });
    await expect.poll(() => api.app.get(LiveFeeds).subscribers).toBe(0);
    for (let id = 300; id < 303; id += 1) subscribe(id, query);
    await expect.poll(() => api.app.get(LiveFeeds).subscribers).toBe(3);
    expect(codes.length).toBe(97);
    socket.terminate();
  });

  it('from a page of another origin is not opened', async () => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: { origin: 'https://evil.example', ...as('admin') },
    });
    const status = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('open', () => resolve('open'));
    });
    socket.on('error', () => undefined);
    expect(status).toBe(403);
    socket.terminate();
  });
});
