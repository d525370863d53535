import { Agent, get, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import avro from 'avsc';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { someReading } from '../builders/reading.js';
import { AFTERWARDS, READINGS, seedSmallFleet } from '../builders/small-fleet.js';
import { someTwin } from '../builders/twin.js';

type Row = Record<string, string | number | boolean | null> & { cursor: string; id: string; car: string; at: string };

let api: Api;
/** `find` on the readings, as MongoDB was given them. */
let finds = 0;
const env = { ...authEnv(), MASKED_FIELDS: 'viewer:Signals.speed,viewer:Reading.unscored', LIMIT_EXPORTS: '2' };

// Thousands of rows a dozen times over: a slow server takes its time.
vi.setConfig({ testTimeout: 900_000 });

/** More rows than one batch holds. */
const LONG = { car: 'long-1', rows: 4_000 };

async function seedLong({ car, rows }: typeof LONG): Promise<void> {
  const { twins, readings } = api.database.collections;
  const counters = { ...someTwin().counters, readings: rows };
  await twins.insertOne(someTwin({ _id: car, attributes: { fleet: 'long' }, counters }));
  for (let from = 0; from < rows; from += 500) {
    // Three rows share each instant: their order is that of their ids.
    const some = Array.from({ length: 500 }, (_, n) => {
      const { at } = someReading(Math.floor((from + n) / 3));
      return someReading(1_000_000 + from + n, { car, at });
    });
    await readings.insertMany(some);
  }
}

beforeAll(async () => {
  api = await startApi({
    database: `export_${process.pid}`,
    clock: () => AFTERWARDS,
    env,
    monitorCommands: true,
  });
  await seedSmallFleet(api.database);
  await seedLong(LONG);
  api.database.client.on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'getMore' ? command['collection'] === 'readings' : command['find'] === 'readings') finds += 1;
  });
});
afterAll(() => api.stop());

const address = (format: string, query = '') => `${api.url}/export/history.${format}${query}`;
const text = async (format: string, query = '', headers = as('admin')) =>
  (await fetch(address(format, query), { headers })).text();
const rowsOf = async (query = '', headers = as('admin')) => linesOf(await text('ndjson', query, headers));
const linesOf = (all: string) =>
  all
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
const codeOf = async (query: string, headers: Record<string, string> = as('admin')) => {
  const answer = await fetch(address('csv', query), { headers });
  const body = (await answer.json()) as { data: null; errors: { extensions: { code: string } }[] };
  return [answer.status, body.errors[0]?.extensions.code];
};

/** What comes until the client breaks off behind so many bytes; all when it ends before. */
function broken(query: string, bytes: number): Promise<{ text: string; whole: boolean }> {
  return new Promise((resolve, reject) => {
    get(address('ndjson', query), { headers: as('admin') }, (response) => {
      let read = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        read += chunk;
        if (read.length < bytes) return;
        response.destroy();
        resolve({ text: read.slice(0, bytes), whole: false });
      });
      response.on('end', () => resolve({ text: read, whole: true }));
      response.on('error', () => undefined);
    }).on('error', reject);
  });
}

describe('an export', () => {
  it('has every reading once, by car, instant and id, as the database has them', async () => {
    const rows = await rowsOf();
    const stored = await api.database.collections.readings.find().sort({ car: 1, at: 1, _id: 1 }).toArray();
    expect(rows).toHaveLength(5 * READINGS + LONG.rows);
    expect(rows.map(({ id, car, at }) => [id, car, at])).toEqual(
      stored.map(({ _id, car, at }) => [_id, car, at.toISOString()]),
    );
    expect(rows.map(({ speed }) => speed)).toEqual(stored.map(({ signals }) => signals.speed));
    expect(rows.map(({ score }) => score)).toEqual(stored.map(({ score }) => score?.value ?? null));
  });

  it('leaves out what is not asked for', async () => {
    const at = (step: number) => new Date(AFTERWARDS - (READINGS - step) * 10_000).toISOString();
    const rows = await rowsOf(`?car=car-2&car=car-4&car=nobody&from=${at(10)}&to=${at(12)}&signals=speed,coolantTemp`);
    expect(rows.map(({ car, at: when }) => [car, when])).toEqual(
      ['car-2', 'car-4'].flatMap((car) => [10, 11].map((step) => [car, at(step)])),
    );
    expect(Object.keys(rows[0] ?? {})).toEqual(expect.arrayContaining(['speed', 'coolantTemp']));
    expect(Object.keys(rows[0] ?? {})).not.toContain('batteryVoltage');
    expect(new Set((await rowsOf('?fleet=south')).map(({ car }) => car))).toEqual(new Set(['car-3', 'car-4']));
    expect(await rowsOf('?fleet=nowhere')).toEqual([]);
  });

  it('says the same in every format', async () => {
    const query = '?fleet=north';
    const rows = await rowsOf(query);
    const csv = parse(await text('csv', query));
    expect(csv[0]).toEqual(expect.arrayContaining(['at [UTC]', 'speed [m/s]', 'coolantTemp [°C]']));
    const names = csv[0]?.map((head) => head.split(' ')[0] as string) ?? [];
    expect(names).toEqual(Object.keys(rows[0] ?? {}));
    expect(csv.slice(1)).toEqual(rows.map((row) => names.map((name) => String(row[name] ?? ''))));
    const answer = await fetch(address('avro', query), { headers: as('admin') });
    const decoder = new avro.streams.BlockDecoder();
    const records: Row[] = [];
    for await (const record of Readable.from([Buffer.from(await answer.arrayBuffer())]).pipe(decoder))
      records.push({ ...(record as Row) });
    const times = new Set(['at', 'receivedAt', 'skewedAt']);
    const said = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, cell]) => [
          name,
          times.has(name) && cell !== null ? Date.parse(cell as string) : cell,
        ]),
      ),
    );
    expect(records).toEqual(said);
  });

  it('that is broken at any byte goes on by its last cursor, no row lost or repeated', async () => {
    const whole = await text('ndjson', '?signals=speed');
    let [got, breaks] = ['', 0];
    for (let ended = false; !ended; breaks += 1) {
      const last = linesOf(got).at(-1)?.cursor;
      const query = `?signals=speed${last === undefined ? '' : `&after=${last}`}`;
      const piece = await broken(query, breaks < 12 ? 1 + Math.floor((Math.random() * whole.length) / 3) : Infinity);
      // Half a row at the end is not taken.
      got += piece.text.slice(0, piece.text.lastIndexOf('\n') + 1);
      ended = piece.whole;
    }
    expect(breaks).toBeGreaterThan(3);
    expect(got === whole).toBe(true);
  });

  it('leaves its connection as any other answer does', async () => {
    const server: Server = api.app.getHttpServer();
    const sockets: Socket[] = [];
    const note = (socket: Socket) => sockets.push(socket);
    server.on('connection', note);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const left = [];
    for (const path of ['/health/live', '/export/history.csv?car=car-1', '/export/history.csv?car=car-2']) {
      await new Promise((resolve, reject) => {
        const answered = (response: IncomingMessage) => response.resume().once('end', resolve);
        get(`${api.url}${path}`, { headers: as('admin'), agent }, answered).on('error', reject);
      });
      await delay(50);
      left.push([sockets[0]?.timeout, sockets[0]?.listenerCount('timeout')]);
    }
    agent.destroy();
    server.off('connection', note);
    expect(sockets).toHaveLength(1);
    expect(left[0]?.[0]).toBeGreaterThanOrEqual(server.keepAliveTimeout);
    expect(left.slice(1)).toEqual([left[0], left[0]]);
  });

  it('in CSV goes on without a second header', async () => {
    const whole = await text('csv', '?fleet=south');
    const rows = await rowsOf('?fleet=south');
    const lines = whole.split('\r\n');
    expect(await text('csv', `?fleet=south&after=${rows[70]?.cursor}`)).toBe(lines.slice(72).join('\r\n'));
  });

  it('in CSV has no cell that is a formula', async () => {
    const { twins, readings } = api.database.collections;
    await twins.insertOne(someTwin({ _id: '-car', attributes: { fleet: 'odd' } }));
    const signals = { ...someReading(0).signals, speed: -3 };
    await readings.insertOne(someReading(9_000_000, { car: '-car', unscored: '=1+1,"x"', signals }));
    const [heads = [], row = []] = parse(await text('csv', '?fleet=odd'));
    const cell = (name: string) => row[heads.findIndex((head) => head.startsWith(name))];
    expect([cell('car'), cell('unscored'), cell('speed')]).toEqual(["'-car", `'=1+1,"x"`, '-3']);
    await twins.deleteOne({ _id: '-car' });
    await readings.deleteMany({ car: '-car' });
  });
});

describe('who asks for an export', () => {
  it('has to say who it is, however the address is spelt', async () => {
    expect(await codeOf('', {})).toEqual([401, 'UNAUTHENTICATED']);
    expect((await fetch(`${api.url}/%65xport/history.csv`)).status).toBe(401);
    expect((await fetch(address('csv'), { method: 'HEAD' })).status).toBe(401);
  });

  it('gets the cars of its fleets, whatever it asks for', async () => {
    const cars = async (query: string) =>
      [...new Set((await rowsOf(query, as('northViewer'))).map(({ car }) => car))].sort();
    expect(await cars('')).toEqual(['car-1', 'car-2']);
    expect(await cars('?car=car-1&car=car-4&car=car-5')).toEqual(['car-1']);
    expect(await cars('?fleet=south')).toEqual([]);
    const [foreign] = await rowsOf('?car=car-4');
    expect(await cars(`?after=${foreign?.cursor}`)).toEqual([]);
  });

  it('does not get what is masked for its role', async () => {
    const names = Object.keys((await rowsOf('?car=car-1', as('viewer')))[0] ?? {});
    expect(names).toContain('coolantTemp');
    expect(names).not.toContain('speed');
    expect(names).not.toContain('unscored');
    expect(await codeOf('?signals=speed', as('viewer'))).toEqual([403, 'FORBIDDEN']);
  });

  it.each([
    ['?car=a/b', 'BAD_ARGUMENT'],
    ['?car[$ne]=x', 'BAD_ARGUMENT'],
    ['?__proto__=x', 'BAD_ARGUMENT'],
    ['?car=', 'BAD_ARGUMENT'],
    ['?from=yesterday', 'BAD_ARGUMENT'],
    ['?from=2026-01-01&from=2026-01-02', 'BAD_ARGUMENT'],
    ['?form=2026-01-01', 'BAD_ARGUMENT'],
    ['?from=2026-02-01&to=2026-01-01', 'BAD_RANGE'],
    ['?signals=sped', 'UNKNOWN_SIGNAL'],
    ['?after=abc', 'BAD_CURSOR'],
    ['?after=WyJoaXN0b3J5IiwxLCJhIl0', 'BAD_CURSOR'],
  ])('is told of %s that it is a %s', async (query, code) => {
    const before = finds;
    expect(await codeOf(query)).toEqual([400, code]);
    expect(finds).toBe(before);
  });
});
