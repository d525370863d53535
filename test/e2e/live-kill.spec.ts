import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, openDatabase, prepareDatabase } from '../../src/twin/database.js';
import { EventWriter } from '../builders/event-writer.js';
import { Subscriber } from '../builders/subscriber.js';
import { ServiceProcess } from './world.js';

const EVENTS = 10_000;
const PARTITIONS = 5;
const BATCH = 40;
/** How many have come when the API is killed. */
const KILLS = [500, 4_000, 4_100];

const ANOMALIES = `subscription ($after: String) {
  anomalies(after: $after) {
    ... on AnomalyEvent { id cursor partition sequence }
    ... on ResyncRequired { reason cursor }
  }
}`;
interface Item {
  readonly id: string;
  readonly cursor: string;
  readonly reason?: string;
  readonly partition: string;
  readonly sequence: number;
}

const NAME = `live-kill-${process.pid}`;
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'main.js');

let database: Database;
const open: Subscriber<Item>[] = [];
const processes: ServiceProcess[] = [];
beforeEach(async () => {
  database = openDatabase(process.env['MONGODB_URI'] ?? '', NAME, 'e2e');
  await prepareDatabase(database, 0);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await Promise.all(processes.splice(0).map((one) => one.end('SIGKILL')));
  await database.db.dropDatabase();
  await database.client.close();
});

/** The API by itself, as a process that can be killed. */
function started(): ServiceProcess {
  // The events are of a day long past: their retention would take them out under the reader.
  const own = { ROLES: 'api', MONGODB_DATABASE: NAME, HTTP_PORT: '0', LOG_LEVEL: 'info', HISTORY_RETENTION: '0' };
  const env = { ...process.env, ...own };
  const running = new ServiceProcess(spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'inherit', 'pipe'] }));
  processes.push(running);
  return running;
}

it('gives each of 10,000 events once to a client that remembers its cursor, while the API is killed and killed again', async () => {
  let api = started();
  let url = await api.url;
  const { data } = (await (await post(url, '{ liveCursor }')).json()) as { data: { liveCursor: string } };
  let { liveCursor: cursor } = data;

  const written: string[] = [];
  const writing = (async () => {
    const writer = new EventWriter(database);
    for (let n = 0; written.length < EVENTS; n += 1) written.push(...(await writer.write(n % PARTITIONS, BATCH)));
  })();

  const received: Item[] = [];
  const kills = [...KILLS];
  while (received.length < EVENTS) {
    const subscriber = new Subscriber<Item>(url, ANOMALIES, { after: cursor });
    open.push(subscriber);
    const enough = Math.min(kills[0] ?? EVENTS, EVENTS) - received.length;
    await subscriber.until(({ items, ended }) => ended || items.length >= enough, 120_000);
    const killed = kills.shift() !== undefined;
    if (killed) await api.end('SIGKILL');
    await subscriber.until(({ ended }) => ended || !killed);
    // What had come when the socket broke counts: the client has it, with its cursor.
    received.push(...subscriber.items);
    cursor = received.at(-1)?.cursor ?? cursor;
    await subscriber.close();
    if (!killed) continue;
    api = started();
    url = await api.url;
  }
  await writing;

  expect(kills).toEqual([]);
  expect(received.filter(({ reason }) => reason)).toEqual([]);
  expect(received.map(({ id }) => id).toSorted()).toEqual(written.toSorted());
  const last = new Map<string, number>();
  for (const { partition, sequence } of received) {
    expect(sequence).toBe((last.get(partition) ?? 0) + 1);
    last.set(partition, sequence);
  }
}, 300_000);

function post(url: string, query: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
}
