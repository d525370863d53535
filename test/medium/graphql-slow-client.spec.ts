import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LONGEST_QUEUE } from '../../src/graphql/live/anomaly-subscription.js';
import { LiveFeeds } from '../../src/graphql/live/live-feeds.js';
import { type Api, startApi } from '../builders/api.js';
import { EventWriter } from '../builders/event-writer.js';
import { Subscriber } from '../builders/subscriber.js';

/** So long an event that not even the buffers of a connection hold many. */
const model = 'x'.repeat(20_000);
const EVENTS = LONGEST_QUEUE + 800;

const ANOMALIES = `subscription ($after: String) {
  anomalies(after: $after) { ... on AnomalyEvent { id cursor model } ... on ResyncRequired { reason } }
}`;
interface Item {
  readonly id: string;
  readonly cursor: string;
  readonly reason?: string;
}
interface Result {
  readonly data?: { readonly anomalies: Item } | null;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

/** A client that can leave its socket unread. */
interface Client {
  readonly results: Result[];
  readonly ended: () => boolean;
  readonly socket: { pause(): unknown; resume(): unknown };
  readonly close: () => void;
}

function overWebSocket(url: string): Client {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const results: Result[] = [];
  let ended = false;
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (data: Buffer) => {
    const { type, payload } = JSON.parse(data.toString()) as { type: string; payload: unknown };
    if (type === 'connection_ack')
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: ANOMALIES } }));
    if (type === 'next') results.push(payload as Result);
    if (type === 'error') results.push({ errors: payload as Result['errors'] & object });
    ended ||= type === 'error' || type === 'complete';
  });
  return { results, ended: () => ended, socket, close: () => socket.terminate() };
}

function asEventStream(url: string): Client {
  const results: Result[] = [];
  let [ended, text] = [false, ''];
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  const asked = request(`${url}/graphql/stream`, { method: 'POST', headers, agent: false });
  asked.on('response', (response) => {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data) results.push(JSON.parse(data) as Result);
        ended ||= block.startsWith('event: complete');
      }
    });
    response.on('error', () => undefined);
  });
  asked.on('error', () => undefined);
  asked.end(JSON.stringify({ query: ANOMALIES }));
  const socket = { pause: () => asked.socket?.pause(), resume: () => asked.socket?.resume() };
  return { results, ended: () => ended, socket, close: () => asked.destroy() };
}

let api: Api;
const open: { close(): unknown }[] = [];
beforeAll(async () => {
  api = await startApi({ database: `gql_slow_${process.pid}` });
});
afterAll(() => api.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await expect.poll(() => api.app.get(LiveFeeds).subscribers, { timeout: 20_000 }).toBe(0);
});

describe('a client that stops reading its socket', () => {
  it.each([
    ['a WebSocket', 6, overWebSocket],
    ['server-sent events', 7, asEventStream],
  ])(
    'over %s is told TOO_SLOW once it reads again, and has all by its last cursor',
    async (_what, partition, connect) => {
      const feeds = api.app.get(LiveFeeds);
      const writer = new EventWriter(api.database);
      const slow = connect(api.url);
      open.push(slow);
      await expect.poll(() => feeds.subscribers, { timeout: 20_000 }).toBe(1);
      const written = await writer.write(partition, 1);
      await expect.poll(() => slow.results.length, { timeout: 20_000 }).toBe(1);
      slow.socket.pause();
      const witness = new Subscriber<Item>(api.url, ANOMALIES, { after: slow.results[0]?.data?.anomalies.cursor });
      open.push(witness);
      while (written.length <= EVENTS) written.push(...(await writer.write(partition, 100, { model })));
      await witness.until(({ items }) => items.length === written.length - 1, 120_000);
      slow.socket.resume();
      await expect.poll(() => slow.ended(), { timeout: 30_000 }).toBe(true);
      expect(slow.results.at(-1)?.errors?.[0]?.extensions.code).toBe('TOO_SLOW');
      const got = slow.results.flatMap(({ data }) => (data ? [data.anomalies] : []));
      expect(got.length).toBeLessThan(written.length - LONGEST_QUEUE + 1);
      expect(slow.results).toHaveLength(got.length + 1);
      const resumed = new Subscriber<Item>(api.url, ANOMALIES, { after: got.at(-1)?.cursor });
      open.push(resumed);
      await resumed.until(({ items }) => items.length >= written.length - got.length, 60_000);
      expect([...got, ...resumed.items].map(({ id, reason }) => reason ?? id)).toEqual(written);
    },
  );
});
