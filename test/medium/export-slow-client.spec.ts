import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { someReading } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

/** A car whose rows are so long, bytes, even deflated, that they do not all fit between the service and a client that does not read. */
const WIDE = { car: 'wide-1', rows: 4_000, row: 10_000 };
const SHORT = { car: 'short-1', rows: 60 };
/** Rows of one answer of MongoDB, see `exportRows`. */
const BATCH = 200;
/** Batches of WIDE and the empty one at its end. */
const ALL = WIDE.rows / BATCH + 1;
/** s; more than an answer of a slow MongoDB takes. */
const STALL = 3;

let api: Api;
/** Cuts a client that has not read for STALL. */
let hasty: Api;
/** Commands that read readings for `api`. */
let finds = 0;
const answers: IncomingMessage[] = [];

// Forty megabytes several times over: a slow server takes its time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

beforeAll(async () => {
  const database = `export_slow_client_${process.pid}`;
  const env = { ...authEnv(), LIMIT_EXPORTS: '2' };
  api = await startApi({ database, env, monitorCommands: true });
  hasty = await startApi({ database, keep: true, env: { ...env, LIMIT_EXPORTS: '1', LIMIT_EXPORT_STALL: `${STALL}` } });
  await seed(WIDE.car, WIDE.rows, noise);
  await seed(SHORT.car, SHORT.rows, () => '');
  api.database.client.on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'getMore' ? command['collection'] === 'readings' : command['find'] === 'readings') finds += 1;
  });
});
afterEach(() => {
  for (const answer of answers.splice(0)) answer.destroy();
});
afterAll(async () => {
  await hasty.app.close();
  await api.stop();
});

/** A text that cannot be deflated to less than three quarters, another for each row. */
function noise(row: number): string {
  const bytes = createHash('shake256', { outputLength: (WIDE.row / 4) * 3 }).update(String(row));
  return bytes.digest('base64');
}

async function seed(car: string, rows: number, unscored: (row: number) => string): Promise<void> {
  const { twins, readings } = api.database.collections;
  await twins.insertOne(someTwin({ _id: car, counters: { ...someTwin().counters, readings: rows } }));
  const first = car === WIDE.car ? 0 : WIDE.rows;
  for (let from = 0; from < rows; from += 500)
    await readings.insertMany(
      Array.from({ length: Math.min(500, rows - from) }, (_, n) =>
        someReading(first + from + n, { car, unscored: unscored(from + n) }),
      ),
    );
}

/** An answer of which nothing is taken until it is read. */
async function ask({ url }: Api, { car }: { car: string }, format = 'ndjson'): Promise<IncomingMessage> {
  const request = get(`${url}/export/history.${format}?car=${car}`, { headers: as('admin') });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  answers.push(response);
  return response;
}

/** Takes as many bytes and leaves the rest. @returns what it took */
async function take(response: IncomingMessage, bytes: number): Promise<number> {
  let read = 0;
  while (read < bytes) {
    const chunk = response.read() as Buffer | null;
    if (chunk) read += chunk.length;
    else if (response.readableEnded) throw new Error(`it ended after ${read} bytes`);
    else await once(response, 'readable');
  }
  return read;
}

/** The bytes up to the end, a breath after each megabyte; rejects when the answer is cut. */
async function readSlowly(response: IncomingMessage, breath: number): Promise<number> {
  let [read, next] = [0, 1_000_000];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    read += chunk.length;
    if (read < next) continue;
    next += 1_000_000;
    await delay(breath);
  }
  return read;
}

/** Until nothing is asked of MongoDB any more. */
async function quiet(): Promise<number> {
  for (let last = -1; last !== finds; await delay(1_000)) last = finds;
  return finds;
}

describe('a client that does not read', () => {
  it('holds the reading up, may have no more exports than the limit, and ends them by going away', async () => {
    const before = await quiet();
    const unread = [await ask(api, WIDE), await ask(api, WIDE)];
    expect(unread.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    const held = (await quiet()) - before;
    expect(held).toBeLessThan(1.4 * ALL);
    const refused = await ask(api, SHORT);
    expect(refused.resume().statusCode).toBe(429);
    for (const response of unread) response.destroy();
    expect((await quiet()) - before).toBeLessThan(held + 3);
    expect((await ask(api, SHORT)).resume().statusCode).toBe(200);
  });

  it.each(['csv', 'ndjson', 'avro'])('of %s has rows read for it only a little beyond where it is', async (format) => {
    const before = await quiet();
    const response = await ask(api, WIDE, format);
    const reached = (await quiet()) - before;
    expect(reached).toBeLessThan(ALL / 2);
    await take(response, 10_000_000);
    const after = (await quiet()) - before;
    expect(after).toBeGreaterThan(reached);
    // Ten of forty megabytes; those of Avro are deflated to three quarters.
    expect(after - reached).toBeLessThan(ALL / 2);
  });

  it('is cut when it has not read for the time of the setting, and its place is free again', async () => {
    const server: Server = hasty.app.getHttpServer();
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const begun = performance.now();
    const unread = await ask(hasty, WIDE);
    const [socket] = await connected;
    expect((await ask(hasty, SHORT)).resume().statusCode).toBe(429);
    await once(socket, 'close', { signal: AbortSignal.timeout(10_000 * STALL) });
    expect(performance.now() - begun).toBeGreaterThan(STALL * 1_000);
    await expect(readSlowly(unread, 0)).rejects.toThrow('aborted');
    expect((await ask(hasty, SHORT)).resume().statusCode).toBe(200);
  });
});

describe('a client that reads slowly', () => {
  it('gets all of it, however much longer than the setting that takes', async () => {
    const begun = performance.now();
    expect(await readSlowly(await ask(hasty, WIDE), 150)).toBeGreaterThan(WIDE.rows * WIDE.row);
    expect(performance.now() - begun).toBeGreaterThan(1.5 * STALL * 1_000);
  });
});
