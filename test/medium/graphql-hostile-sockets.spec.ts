import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { type Api, startApi } from '../builders/api.js';
import { as, aToken, authEnv, bearer } from '../builders/keys.js';
import { sendRaw } from '../builders/raw-http.js';
import { RawSocket } from '../builders/raw-socket.js';
import { AFTERWARDS, seedSmallFleet } from '../builders/small-fleet.js';

let api: Api;
const open: RawSocket[] = [];
beforeAll(async () => {
  const env = { ...authEnv(), LIMIT_SOCKETS: '50', INTROSPECTION: 'off', MASKED_FIELDS: 'viewer:CarAttributes.plate' };
  api = await startApi({ database: `gql_sockets_${process.pid}`, clock: () => AFTERWARDS, env });
  await seedSmallFleet(api.database);
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  // Nothing of those who left stays behind, and the service still answers.
  await expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 20_000 }).toBe(0);
  expect((await api.query('{ __typename }', {}, as('admin'))).data).toEqual({ __typename: 'Query' });
});
afterAll(() => api.stop());

const INIT = { type: 'connection_init', payload: as('admin') };
const UPDATES = 'subscription { carUpdates { ... on CarUpdate { car { id } } } }';
const subscribe = (id: unknown, payload: unknown = { query: UPDATES }) => ({ id, type: 'subscribe', payload });

async function opened(headers?: Record<string, string>): Promise<RawSocket> {
  const socket = await RawSocket.open(api.url, headers);
  if (typeof socket === 'number') throw new Error(`refused: ${socket}`);
  open.push(socket);
  return socket;
}

async function ready(): Promise<RawSocket> {
  const socket = (await opened()).say(INIT);
  await socket.until(({ frames }) => frames[0]?.type === 'connection_ack');
  return socket;
}

describe('a WebSocket that keeps to no protocol', () => {
  it.each<[string, unknown[], number]>([
    ['no JSON', ['hello'], 4_400],
    ['null', ['null'], 4_400],
    ['a list', ['[]'], 4_400],
    ['bytes', [Buffer.from([0, 1, 2])], 4_400],
    ['an unknown type', [{ type: 'start', id: '1' }], 4_400],
    ['a subscription before it is let in', [subscribe('1')], 4_401],
    ['a first message that is a text', [{ type: 'connection_init', payload: 'x'.repeat(50_000) }], 4_400],
    [
      'a first message of many entries',
      [{ type: 'connection_init', payload: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [n, 'x'])) }],
      4_400,
    ],
    ['a first message with a prototype', ['{"type":"connection_init","payload":{"__proto__":{"viewer":1}}}'], 4_400],
    ['a prototype in escapes', ['{"type":"connection_init","payload":{"\\u005f_proto__":{"viewer":1}}}'], 4_400],
    ['more than fits', [' '.repeat(200_000)], 1_009],
    ['more than a frame may have', [' '.repeat(2_000_000)], 1_009],
  ])('%s: is closed', async (_what, frames, code) => {
    const socket = (await opened()).say(...frames);
    await socket.until(({ closed }) => closed !== null);
    expect(socket.closed).toBe(code);
  });

  it.each<[string, unknown[], number]>([
    ['a second first message', [INIT], 4_429],
    ['an id that is taken', [subscribe('1'), subscribe('1')], 4_409],
    ['no id', [subscribe(undefined)], 4_400],
    ['an id that is an object', [subscribe({ $ne: 1 })], 4_400],
    ['an endless id', [subscribe('x'.repeat(201))], 4_400],
    ['no payload', [{ id: '1', type: 'subscribe' }], 4_400],
    ['somebody else in an extension', [{ ...subscribe('1'), extensions: [{ type: 'connectionInit' }] }], 4_400],
    ['messages without end', Array.from({ length: 6_000 }, () => ({ type: 'ping' })), 4_429],
  ])('%s: is closed, once it was let in', async (_what, frames, code) => {
    const socket = (await ready()).say(...frames);
    await socket.until(({ closed }) => closed !== null);
    expect(socket.closed).toBe(code);
  });

  it.each([
    ['a parsed operation', { kind: 'Document', definitions: [] }, 'BAD_REQUEST'],
    ['none', null, 'BAD_REQUEST'],
    ['no GraphQL', 'subscription {', 'BAD_REQUEST'],
    ['a query', '{ __typename }', 'BAD_REQUEST'],
    ['a mutation', 'mutation { eraseCar(id: "car-1") { carId } }', 'BAD_REQUEST'],
    ['several operations', `${UPDATES.replace('{', 'A {')} query B { __typename }`, 'BAD_REQUEST'],
    ['too many tokens', `subscription { ${'carUpdates { __typename } '.repeat(2_000)} }`, 'BAD_REQUEST'],
    ['a field again and again', `subscription { carUpdates { ${'__typename '.repeat(200)} } }`, 'BAD_REQUEST'],
    [
      'too deep',
      `subscription { carUpdates { ... on CarUpdate { car { ${'openEpisodes { car { '.repeat(8)} id ${'} } '.repeat(8)} } } } }`,
      'TOO_DEEP',
    ],
    [
      'too many aliases',
      `subscription { carUpdates { ... on CarUpdate { ${Array.from({ length: 51 }, (_, n) => `a${n}: cursor`).join(' ')} } } }`,
      'TOO_MANY_ALIASES',
    ],
    [
      'too costly',
      'subscription { carUpdates { ... on CarUpdate { car { history(first: 500) { nodes { score { topSignals { signal } } } } openEpisodes { car { history(first: 500) { nodes { score { topSignals { signal } } } } openEpisodes { car { history(first: 500) { nodes { score { topSignals { signal } } } } } } } } } } } }',
      'TOO_COSTLY',
    ],
    [
      'too costly by a variable',
      'subscription ($n: Int) { carUpdates { ... on CarUpdate { car { history(first: $n) { nodes { score { topSignals { signal } } } } openEpisodes { car { history(first: $n) { nodes { score { topSignals { signal } } } } openEpisodes { car { history(first: $n) { nodes { score { topSignals { signal } } } } } } } } } } } }',
      'TOO_COSTLY',
    ],
    ['a name that there is not', 'subscription { carUpdate { __typename } }', 'BAD_REQUEST'],
    ['the schema where it is not told', 'subscription { __schema { types { name } } }', 'BAD_REQUEST'],
  ])('is told that it asked for %s', async (_what, query, code) => {
    const socket = (await ready()).say(subscribe('1', { query, variables: { n: 1 } }));
    const failed = () => socket.frames.find(({ type }) => type === 'error');
    await socket.until(() => failed() !== undefined);
    const [error] = (failed()?.payload ?? []) as { message: string; extensions: { code: string } }[];
    expect([failed()?.id, error?.extensions.code]).toEqual(['1', code]);
    expect(error?.message).not.toMatch(/did you mean/i);
    // The socket goes on, and the id is free again.
    socket.say(subscribe('1'));
    await expect.poll(() => api.app.get(LiveFeeds).subscribers).toBe(1);
  });
});

describe('what is masked for a role', () => {
  it.each(['attributes { plate }', 'a: attributes { b: values }', '... on Car { ...f }'])(
    'is not told over a WebSocket either: %s',
    async (fields) => {
      const socket = (await opened()).say({ ...INIT, payload: as('viewer') });
      await socket.until(({ frames }) => frames[0]?.type === 'connection_ack');
      const fragment = fields.includes('...f') ? 'fragment f on Car { attributes { plate } }' : '';
      const query = `subscription { carUpdates { ... on CarUpdate { car { ${fields} } } } } ${fragment}`;
      socket.say(subscribe('1', { query }));
      await socket.until(({ frames }) => frames.some(({ type }) => type === 'error'));
      expect(JSON.stringify(socket.frames)).toContain('"code":"FORBIDDEN"');
    },
  );
});

describe('an upgrade', () => {
  it.each([
    ['in another protocol', ['graphql-ws'], 400],
    ['in another protocol first', ['graphql-ws', 'graphql-transport-ws'], 400],
  ])('%s is refused', async (_what, protocols, status) => {
    expect(await RawSocket.open(api.url, {}, protocols)).toBe(status);
  });

  it.each([
    ['the page of somebody else', { origin: 'https://evil.example' }, 403],
    ['a page that hides', { origin: 'null' }, 403],
    ['a page of the same name on another port', { origin: 'http://127.0.0.1:1' }, 403],
    ['a page whose name begins alike', { origin: 'http://127.0.0.1.evil.example' }, 403],
    ['a token that has expired', bearer('a.b.c'), 401],
  ])('by %s is refused', async (_what, headers, status) => {
    expect(await RawSocket.open(api.url, headers as Record<string, string>)).toBe(status);
  });

  it('with an expired token is refused before it is opened', async () => {
    expect(await RawSocket.open(api.url, bearer(await aToken({ expiresIn: -10 })))).toBe(401);
  });

  it('somewhere else is ended', async () => {
    for (const target of ['/health', '/nowhere', '/metrics', '/graphiql']) {
      const bytes = `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
      const began = performance.now();
      const { status } = await sendRaw(api.url, bytes, 10_000);
      expect(status).toBe(400);
      // The server ended it, not the test.
      expect(performance.now() - began).toBeLessThan(9_000);
    }
  });

  it('is refused where an address has as many sockets as it may, and taken again when some are gone', async () => {
    const sockets = await Promise.all(Array.from({ length: 60 }, () => RawSocket.open(api.url, as('admin'))));
    const taken = sockets.filter((one) => typeof one !== 'number');
    expect([taken.length, [...new Set(sockets.filter((one) => typeof one === 'number'))]]).toEqual([50, [429]]);
    for (const one of taken) one.close();
    await expect
      .poll(async () => {
        const again = await RawSocket.open(api.url, as('admin'));
        if (typeof again === 'number') return again;
        again.close();
        return 'open';
      })
      .toBe('open');
  });

  it('and a reset, a thousand times over, leaves nothing behind', async () => {
    const { hostname, port } = new URL(api.url);
    const upgrade = `GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
    const resetOne = (n: number) =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => {
          // Some before the request is whole, some at once, some when the answer comes.
          socket.write(n % 3 === 0 ? upgrade.slice(0, 60) : upgrade);
          if (n % 3 === 2) socket.once('data', () => socket.resetAndDestroy());
          else setImmediate(() => socket.resetAndDestroy());
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
      });
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 25; round += 1) await Promise.all(Array.from({ length: 40 }, (_, n) => resetOne(n)));
    // The places of all of them are free.
    const sockets = await Promise.all(Array.from({ length: 50 }, () => RawSocket.open(api.url, as('admin'))));
    expect(sockets.filter((one) => typeof one === 'number')).toEqual([]);
    for (const one of sockets) if (typeof one !== 'number') one.close();
    expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(100);
  });
});

describe('a client that subscribes and leaves', () => {
  it('at once, again and again, leaves no subscription behind', async () => {
    const socket = await ready();
    for (let n = 0; n < 300; n += 1) socket.say(subscribe(`s${n}`), { id: `s${n}`, type: 'complete' });
    socket.say(subscribe('last'));
    await expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 20_000 }).toBe(1);
  });

  it('by closing in the middle of it leaves no subscription behind', async () => {
    for (let n = 0; n < 30; n += 1) {
      const socket = await ready();
      socket.say(subscribe('1'), subscribe('2'));
      socket.close();
    }
    await expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 20_000 }).toBe(0);
  });
});
