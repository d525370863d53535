import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/settings/settings.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { rawGet, rawPost, sendRaw } from '../builders/raw-http.js';
import { AFTERWARDS, seedSmallFleet } from '../builders/small-fleet.js';

const IDS = '{ cars { nodes { id } } }';

describe('nobody gets in without a key', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi({ database: `gql_doors_${process.pid}`, clock: () => AFTERWARDS, env: authEnv() });
    await seedSmallFleet(api.database);
  });
  afterAll(() => api.stop());

  it('as the test would see it if somebody did', async () => {
    const { status, text } = await sendRaw(api.url, rawPost('/graphql', IDS, as('admin')));
    expect([status, text.includes('car-4')]).toEqual([200, true]);
  });

  it.each([
    ['the plain way', '/graphql', {}],
    ['an address that is spelt otherwise', '/%67raphql', {}],
    ['every letter of it', '/%67%72%61%70%68%71%6c', {}],
    ['a whole URL as the target', 'http://127.0.0.1/graphql', {}],
    ['a fragment', '/graphql#x', {}],
    ['a query string', '/graphql?x=1', {}],
    ['a semicolon', '/graphql;x', {}],
    ['two slashes', '//graphql', {}],
    ['a slash behind it', '/graphql/', {}],
    ['a step back', '/health/../graphql', {}],
    ['capital letters', '/GRAPHQL', {}],
    ['an upgrade that is none', '/graphql', { upgrade: 'websocket' }],
    ['an upgrade of a POST', '/graphql', { upgrade: 'websocket', connection: 'upgrade' }],
    ['an upgrade to something else', '/graphql', { upgrade: 'h2c', connection: 'upgrade' }],
    ['a method in a header', '/graphql', { 'x-http-method-override': 'OPTIONS' }],
    ['an empty token', '/graphql', { authorization: 'Bearer ' }],
    ['two tokens', '/graphql', { authorization: 'Bearer a, Bearer b' }],
  ])('by %s', async (_what, target, headers) => {
    const { status, text } = await sendRaw(api.url, rawPost(target, IDS, headers));
    expect(text).not.toContain('car-');
    expect(status, text).not.toBe(200);
  });

  it.each([
    ['a GET', `/graphql?query=${encodeURIComponent(IDS)}`, {}],
    ['a GET that claims to be an upgrade', `/graphql?query=${encodeURIComponent(IDS)}`, { upgrade: 'websocket' }],
    ['a GET that is spelt otherwise', `/%67raphql?query=${encodeURIComponent(IDS)}`, {}],
    ['a GET with the key of an admin', `/graphql?query=${encodeURIComponent(IDS)}`, as('admin')],
  ])('by %s', async (_what, target, headers) => {
    const { status, text } = await sendRaw(api.url, rawGet(target, headers));
    expect(text).not.toContain('car-');
    expect(status, text).toBeGreaterThanOrEqual(400);
  });
});

describe('an API that asks nobody who they are', () => {
  let api: Api;
  beforeAll(async () => {
    const env = { ALLOWED_ORIGINS: 'https://dashboard.example', LIMIT_RATE: '1' };
    api = await startApi({ database: `gql_open_${process.pid}`, clock: () => AFTERWARDS, env });
    await seedSmallFleet(api.database);
  });
  afterAll(() => api.stop());

  const statusOf = async (headers: Record<string, string>) => {
    const { status, text } = await sendRaw(api.url, rawPost('/graphql', '{ __typename }', headers));
    return [status, /"code":"(\w+)"/.exec(text)?.[1]];
  };

  it.each([
    ['a name that leads here', { host: 'evil.example', origin: 'http://evil.example' }],
    ['such a name, unsaid by whom', { host: 'evil.example:3000' }],
    ['a name that begins as ours', { host: '127.0.0.1.evil.example' }],
    ['our name, from another page', { origin: 'https://evil.example' }],
    ['our name, from a page without one', { origin: 'null' }],
    ['our name, from another scheme', { origin: 'file://127.0.0.1' }],
  ])('is not reached by a page under %s', async (_what, headers) => {
    expect(await statusOf(headers)).toEqual([403, 'FORBIDDEN']);
  });

  it('is not reached for a file by a page under a name that leads here', async () => {
    const { status } = await sendRaw(api.url, rawGet('/graphql', { host: 'evil.example' }));
    expect(status).toBe(403);
  });

  it('tells a browser which pages may ask, and no others', async () => {
    const asked = async (origin: string) => {
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      };
      const response = await fetch(`${api.url}/graphql`, { method: 'OPTIONS', headers });
      return response.headers.get('access-control-allow-origin');
    };
    expect(await asked('https://dashboard.example')).toBe('https://dashboard.example');
    expect(await asked('https://evil.example')).toBeNull();
  });

  it('serves the pages that may ask, and counts what one client asks', async () => {
    const codes = [];
    for (let n = 0; n < 12; n += 1) codes.push((await statusOf({ origin: 'https://dashboard.example' }))[1]);
    expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => undefined));
    expect(codes[11]).toBe('RATE_LIMITED');
  });
});

describe('settings', () => {
  it.each([
    [{ HTTP_HOST: '0.0.0.0' }, /HTTP_HOST/],
    [{ HTTP_HOST: '::' }, /HTTP_HOST/],
    [{ HTTP_HOST: '192.168.1.5' }, /HTTP_HOST/],
    [{ HTTP_HOST: '127.0.0.1.evil.example' }, /HTTP_HOST/],
    [{ HTTP_HOST: '0.0.0.0', AUTH: 'required' }, /AUTH/],
    [{ API_KEYS_FILE: 'keys.json' }, /AUTH: is off/],
    [{ JWT_SECRET: 'x'.repeat(40), JWT_ISSUER: 'a', JWT_AUDIENCE: 'a' }, /AUTH: is off/],
    [{ AUTH: 'required', JWT_SECRET: 'too short' }, /JWT_SECRET/],
    [{ AUTH: 'required', JWT_SECRET: 'x'.repeat(40) }, /JWT_ISSUER/],
    [{ AUTH: 'required', JWT_SECRET: 'x'.repeat(40), JWT_ISSUER: 'a' }, /JWT_AUDIENCE/],
    [{ AUTH: 'required', JWT_JWKS_URL: 'file:///etc/passwd' }, /JWT_JWKS_URL/],
    [{ AUTH: 'required', JWT_ALGORITHMS: 'none', API_KEYS_FILE: 'x' }, /JWT_ALGORITHMS/],
  ])('%j do not start', (env, named) => {
    expect(() => readSettings({ MONGODB_URI: 'mongodb://127.0.0.1', ...(env as Record<string, string>) })).toThrow(
      named,
    );
  });

  it('with all that is needed do', () => {
    expect(readSettings({ ...authEnv(), HTTP_HOST: '0.0.0.0' }).HTTP_HOST).toBe('0.0.0.0');
    expect(readSettings({ HTTP_HOST: '127.0.0.1' }).AUTH).toBe('off');
  });
});
