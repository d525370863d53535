/**
 * Memory of the API process with many idle subscribers, and the time from the write of an event in MongoDB to a client
 * while they are there.
 *
 *   npm run bench:live -- [--subscribers 10000] [--listeners 5] [--rate 1000] [--seconds 20]
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { startStack } from '../stack/stack.js';
import { openDatabase, prepareDatabase, type Database } from '../src/twin/database.js';
import type { EpisodeEventDocument } from '../src/twin/documents.js';
import { episodeId, eventId, positionId } from '../src/twin/ids.js';
import { ready, spawnService } from './service-process.js';

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '10000' },
    listeners: { type: 'string', default: '5' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
  },
});
const [subscribers, listeners, rate, seconds] = [values.subscribers, values.listeners, values.rate, values.seconds].map(
  Number,
) as [number, number, number, number];
/** Events in one transaction, and how many sockets are opened at a time. */
const BATCH = 50;
const OPENED_AT_ONCE = 100;

const stack = await startStack({ parts: ['mongodb'], say: (line) => void process.stderr.write(`${line}\n`) });
const name = `bench-live-${process.pid}`;
const database = openDatabase(stack.urls.mongodbUri, name, 'bench');
const sockets: WebSocket[] = [];
try {
  await prepareDatabase(database, 0);
  const api = await spawnService(stack.urls, name, 'api', { LIMIT_SUBSCRIPTIONS: '1000000', LIMIT_SOCKETS: '1000000' });
  try {
    await ready(api);
    const before = residentMemory(api.process.pid ?? 0);
    for (let n = 0; n < subscribers; n += OPENED_AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(OPENED_AT_ONCE, subscribers - n) }, (_, more) =>
          subscribe(api.url, `anomalies(filter: { car: "idle-${n + more}" })`, () => undefined),
        ),
      );
    await delay(5_000);
    const after = residentMemory(api.process.pid ?? 0);
    process.stdout.write(
      `${stack.parts.mongodb?.server ?? 'MongoDB'}: ${subscribers} idle subscribers, resident ${before} MiB before, ${after} MiB with them\n`,
    );
    const times: number[] = [];
    for (let n = 0; n < listeners; n += 1)
      await subscribe(api.url, 'anomalies', (recordedAt) => times.push(Date.now() - recordedAt));
    const written = await writeEvents(database);
    const expected = written * listeners;
    for (let waited = 0; times.length < expected && waited < 30; waited += 1) await delay(1_000);
    times.sort((one, other) => one - other);
    const at = (part: number) => times[Math.floor(part * (times.length - 1))] ?? Number.NaN;
    process.stdout.write(
      `${written} events at ${rate}/s to ${listeners} listeners: ${times.length} of ${expected} received, ` +
        `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms\n`,
    );
  } finally {
    for (const socket of sockets) socket.terminate();
    await api.stop();
  }
} finally {
  await database.db.dropDatabase();
  await database.client.close();
  await stack.stop();
}

/** Resolves when the subscription was sent over a socket that was acknowledged. */
function subscribe(url: string, field: string, told: (recordedAt: number) => void): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  sockets.push(socket);
  const query = `subscription { ${field} { ... on AnomalyEvent { id recordedAt } } }`;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      if (frame.type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
        resolve();
      } else if (frame.type === 'ping') socket.send('{"type":"pong"}');
      else if (frame.type === 'next') told(Date.parse(frame.payload?.data?.anomalies?.recordedAt ?? ''));
      else if (frame.type === 'error') reject(new Error(data.toString()));
    });
  });
}

interface Frame {
  readonly type: string;
  readonly payload?: { readonly data?: { readonly anomalies?: { readonly recordedAt?: string } } };
}

/** As ingest writes them: with the sequence of their partition, in one transaction. `recordedAt` is just before. */
async function writeEvents({ client, collections }: Database): Promise<number> {
  const partition = positionId('sensor-data', 0);
  const all = rate * seconds;
  const started = performance.now();
  for (let sequence = 0; sequence < all; ) {
    const due = Math.min(all, Math.floor(((performance.now() - started) / 1_000) * rate));
    const count = Math.min(BATCH, due - sequence);
    if (count <= 0) {
      await delay(5);
      continue;
    }
    const events = Array.from({ length: count }, (_, n) => anEvent(partition, sequence + n + 1));
    await client.withSession((session) =>
      session.withTransaction(async () => {
        const moved = { $set: { eventSequence: sequence + count } };
        await collections.positions.updateOne({ _id: partition }, moved, { upsert: true, session });
        await collections.events.insertMany(events, { session });
      }),
    );
    sequence += count;
  }
  return all;
}

function anEvent(partition: string, sequence: number): EpisodeEventDocument {
  const car = `car-${sequence % 1_000}`;
  const now = new Date();
  return {
    _id: eventId(partition, sequence),
    partition,
    sequence,
    offset: sequence,
    event: 'OPENED',
    episode: episodeId(car, 'TIRE', now),
    car,
    kind: 'TIRE',
    severity: 'MINOR',
    value: 2,
    ratio: 2,
    at: now,
    openedAt: now,
    topSignals: [],
    model: 'bench@1',
    recordedAt: now,
  };
}

/** MiB */
function residentMemory(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024);
}
