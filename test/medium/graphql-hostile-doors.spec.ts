import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
