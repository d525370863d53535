import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { type Api, startApi } from '../builders/api.js';
import { EventWriter } from '../builders/event-writer.js';
import { as, authEnv } from '../builders/keys.js';

const ANOMALIES = `subscription ($after: String) {
  anomalies(after: $after) { ... on AnomalyEvent { id cursor } ... on ResyncRequired { reason } }
}`;

let api: Api;
let writer: EventWriter;
beforeAll(async () => {
  api = await startApi({ database: `gql_sse_${process.pid}`, env: authEnv() });
  writer = new EventWriter(api.database);
});
afterAll(() => api.stop());

function post(body: unknown, headers: Record<string, string> = as('admin')): Promise<Response> {
  return fetch(`${api.url}/graphql/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify(body),
  });
}

/** Reads until `enough` holds for the text so far, then goes away. */
async function readUntil(response: Response, enough: (text: string) => boolean): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!enough(text)) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) break;
    text += value;
  }
  await reader?.cancel();
  return text;
}

const subscribers = () => expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 10_000 });

describe('/graphql/stream', () => {
  it('gives a client of graphql-sse what comes', async () => {
    const client = createClient({ url: `${api.url}/graphql/stream`, headers: as('admin') });
    const items = client.iterate<{ anomalies: { id: string } }>({ query: ANOMALIES });
    const first = items.next();
    await subscribers().toBe(1);
    const [id] = await writer.write(1, 1);
    expect((await first).value).toMatchObject({ data: { anomalies: { id } } });
    await items.return?.();
    client.dispose();
    await subscribers().toBe(0);
  });

  it('goes on behind the last event that the client names', async () => {
    const { data } = await api.query<{ liveCursor: string }>('{ liveCursor }', {}, as('admin'));
    const written = await writer.write(2, 4);
    const idsIn = (text: string) => [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id);
    const body = { query: ANOMALIES, variables: { after: data.liveCursor } };
    const first = await readUntil(await post(body), (text) => idsIn(text).length >= 2);
    const [, cursor = ''] = /id: (\S+)\n/.exec(first) ?? [];
    const second = await readUntil(
      await post(body, { ...as('admin'), 'last-event-id': cursor }),
      (text) => idsIn(text).length >= 3,
    );
    expect(idsIn(second)).toEqual(written.slice(1));
    await subscribers().toBe(0);
  });

  it.each([
    ['UNAUTHENTICATED', { query: ANOMALIES }, {}, 401],
    ['BAD_CURSOR', { query: ANOMALIES, variables: { after: 'x' } }, as('admin'), 400],
    ['BAD_REQUEST', { query: '{ liveCursor }' }, as('admin'), 400],
    ['BAD_REQUEST', { query: 'subscription { anomalies {' }, as('admin'), 400],
    ['BAD_REQUEST', { query: 'subscription { nothing }' }, as('admin'), 400],
    ['BAD_REQUEST', { query: 7 }, as('admin'), 400],
    ['BAD_REQUEST', { query: ANOMALIES, variables: [1] }, as('admin'), 400],
    ['FORBIDDEN', { query: ANOMALIES }, { ...as('admin'), origin: 'https://elsewhere.example' }, 400],
    [
      'TOO_DEEP',
      {
        query: `subscription { anomalies { ...on AnomalyEvent { ${'car { openEpisodes { '.repeat(8)} id ${'} }'.repeat(8)} } } }`,
      },
      as('admin'),
      400,
    ],
  ])('%s for %j', async (code, body, headers, status) => {
    const response = await post(body, headers);
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect(errors[0]?.extensions.code).toBe(code);
    if (code !== 'FORBIDDEN') expect(response.status).toBe(status);
  });

  it('completes when the feeds end', async () => {
    const feeds = api.app.get(LiveFeeds);
    const response = await post({ query: ANOMALIES });
    await subscribers().toBe(1);
    await feeds.onModuleDestroy();
    expect(await response.text()).toMatch(/event: complete\ndata:\n\n$/);
  });
});
