import type { CommandStartedEvent } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CommandStore, expireCommands } from '../../src/commands/command-store.js';
import { eraseDocuments } from '../../src/twin/erase-history.js';
import { setAttributes } from '../../src/twin/set-attributes.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { someTwin } from '../builders/twin.js';
import { someSignals } from '../builders/reading.js';
import { NOON } from '../builders/sensor.js';

let api: Api;
let clock = NOON;
const started: CommandStartedEvent[] = [];
beforeAll(async () => {
  const env = authEnv();
  api = await startApi({ database: `gql_desired_${process.pid}`, clock: () => clock, env, monitorCommands: true });
  api.database.client.on('commandStarted', (event) => started.push(event));
});
afterAll(() => api.stop());
afterEach(async () => {
  clock = NOON;
  for (const collection of Object.values(api.database.collections))
    if (collection.collectionName !== 'meta') await collection.deleteMany({});
});

interface Said {
  readonly desired: { version: number; at: string; delta: { name: string }[] };
  readonly command: { id: string; status: string };
}
const SET = `mutation ($car: ID!, $values: JSON!, $ifVersion: Int) {
  setDesired(car: $car, values: $values, ifVersion: $ifVersion) {
    desired { values version at by accepted { version } delta { name desired reported } }
    command { id carId version values status reason at by expiresAt attempts supersededBy timeline { status at reason } }
  } }`;
type Who = Parameters<typeof as>[0];
const set = (car: string, values: unknown, ifVersion?: number | null, who: Who = 'admin') =>
  api.query<{ setDesired: Said }>(SET, { car, values, ifVersion }, as(who));
const ask = (query: string, who: Who = 'admin') => api.query(query, {}, as(who));
const store = () => new CommandStore(api.database.collections, 30_000);
const commands = () => api.database.collections.commands.find().sort({ at: 1 }).toArray();
const firmware = (controlUnitFirmware: number) => ({ controlUnitFirmware });

describe('desired state', () => {
  it('is set as a whole, in versions, each with a command', async () => {
    await api.database.collections.twins.insertOne(someTwin({ _id: 'car-1' }));
    const { data } = await set('car-1', { controlUnitFirmware: 2_001, chargeLimit: 80 });
    const at = new Date(NOON).toISOString();
    const reported = someSignals().controlUnitFirmware;
    expect(data.setDesired).toEqual({
      desired: {
        values: { controlUnitFirmware: 2_001, chargeLimit: 80 },
        version: 1,
        at,
        by: 'admin',
        accepted: null,
        delta: [
          { name: 'controlUnitFirmware', desired: 2_001, reported },
          { name: 'chargeLimit', desired: 80, reported: null },
        ],
      },
      command: {
        id: expect.stringMatching(/^car-1\/[0-9a-f-]{36}$/) as string,
        carId: 'car-1',
        version: 1,
        values: { controlUnitFirmware: 2_001, chargeLimit: 80 },
        status: 'QUEUED',
        reason: null,
        at,
        by: 'admin',
        expiresAt: new Date(NOON + 3_600_000).toISOString(),
        attempts: 0,
        supersededBy: null,
        timeline: [{ status: 'QUEUED', at, reason: null }],
      },
    });
    // The same clock: instants of versions rise all the same, for cars go by them.
    const second = (await set('car-1', { chargeLimit: 70 }, 1)).data.setDesired;
    expect(second.desired).toMatchObject({ version: 2, at: new Date(NOON + 1).toISOString() });
    const answer = await ask(`{ car(id: "car-1") { desired { version values delta { name } }
      commands { nodes { version status reason supersededBy timeline { status } } } } }`);
    expect(answer.data['car']).toEqual({
      desired: { version: 2, values: { chargeLimit: 70 }, delta: [{ name: 'chargeLimit' }] },
      commands: {
        nodes: [
          { version: 2, status: 'QUEUED', reason: null, supersededBy: null, timeline: [{ status: 'QUEUED' }] },
          {
            version: 1,
            status: 'EXPIRED',
            reason: 'superseded by version 2',
            supersededBy: 2,
            timeline: [{ status: 'QUEUED' }, { status: 'EXPIRED' }],
          },
        ],
      },
    });
  });

  it('takes the version that it is to replace, also from many at once', async () => {
    expect((await set('car-9', firmware(1), 1)).errors?.[0]).toMatchObject({
      message: 'The desired state is at version 0',
      extensions: { code: 'VERSION_CONFLICT' },
    });
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => set('car-9', firmware(n), 0)));
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? [])).toEqual(
      Array.from({ length: 5 }, () => 'VERSION_CONFLICT'),
    );
    await Promise.all([1, 2, 3, 4].map((n) => set('car-9', firmware(n))));
    const all = await commands();
    expect(all.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    expect(all.map(({ status }) => status)).toEqual(['EXPIRED', 'EXPIRED', 'EXPIRED', 'EXPIRED', 'QUEUED']);
    expect(all.filter(({ nextAt }) => nextAt).map(({ version }) => version)).toEqual([5]);
  });

  it.each([
    ['a value of the wrong type', { chargeLimit: 'full' }, 'chargeLimit: must be number'],
    ['a value out of its range', { chargeLimit: 101 }, 'chargeLimit: must be <= 100'],
    ['a signal that nobody can set', { tirePressure11: 30 }, '(tirePressure11)'],
    ['an operator', { $set: { speed: 1 } }, '"$set": is not a name'],
    ['a list', [1], 'must be an object'],
    ['nothing', null, ''],
  ])('refuses %s before MongoDB is asked', async (_what, values, message) => {
    started.length = 0;
    const { errors } = await set('car-1', values);
    expect(errors?.[0]?.message).toContain(message);
    expect(['INVALID_DESIRED', 'BAD_REQUEST']).toContain(errors?.[0]?.extensions.code);
    const reads = started.filter(({ commandName }) => ['find', 'aggregate'].includes(commandName));
    expect(reads.map(({ command }) => command)).toEqual([]);
    expect(await commands()).toEqual([]);
  });

  it('refuses what is no car id', async () => {
    for (const car of ['', 'a/b', '+', '#', 'a'.repeat(65), '$SYS'])
      expect((await set(car, firmware(1))).errors?.[0]?.extensions.code).toBe('BAD_ARGUMENT');
  });

  it('is for operators, and each sees the cars of its fleets alone', async () => {
    const { twins } = api.database.collections;
    const fleets = { 'car-1': 'north', 'car-4': 'south' };
    await twins.insertMany(Object.keys(fleets).map((_id) => someTwin({ _id })));
    for (const [car, fleet] of Object.entries(fleets)) {
      const change = { car, values: { fleet }, ifVersion: null, at: new Date(NOON), by: 'test' };
      await setAttributes(api.database, change);
    }
    const codes = async (who: Who, cars: string[]) => {
      const answers = [];
      for (const car of cars) answers.push((await set(car, firmware(1), null, who)).errors?.[0]);
      return answers.map((one) => one && `${one.extensions.code} ${one.message}`);
    };
    expect(await codes('northViewer', ['car-1', 'car-4'])).toEqual([
      'FORBIDDEN This takes the role operator',
      'FORBIDDEN This takes the role operator',
    ]);
    expect(await codes('northOperator', ['car-1', 'car-4', 'car-7'])).toEqual([
      undefined,
      'NOT_FOUND There is no such car',
      'NOT_FOUND There is no such car',
    ]);
    expect(await codes('admin', ['car-4', 'car-7'])).toEqual([undefined, undefined]);
    const ids = (await commands()).map(({ _id }) => _id);
    const seen = async (who: Who) => {
      const found = [];
      for (const id of ids)
        found.push((await ask(`{ node(id: "${id}") { id ... on Command { carId car { id } } } }`, who)).data['node']);
      return found.map((node) => (node as { carId: string } | null)?.carId ?? null);
    };
    expect(await seen('northViewer')).toEqual(['car-1', null, null]);
    expect(await seen('admin')).toEqual(['car-1', 'car-4', 'car-7']);
  });

  it('is shown as of an instant with its delta, its command and what the car had accepted by then', async () => {
    const { twins, readings, cars } = api.database.collections;
    await twins.insertOne(someTwin({ _id: 'car-1', firstSeenAt: new Date(NOON), lastSeenAt: new Date(NOON) }));
    const at = new Date(NOON);
    await readings.insertOne({
      _id: 'sensor-data/0000/00000/0000000000000001',
      car: 'car-1',
      at,
      receivedAt: at,
      hash: 1,
      signals: someSignals(),
      label: null,
      arrival: 'new',
    } as never);
    clock = NOON + 10_000;
    await set('car-1', { chargeLimit: 80 });
    const [first] = await store().claim('a', new Date(NOON + 11_000), 10);
    await store().answered(
      [{ car: 'car-1', id: String(first?._id), status: 'ACCEPTED', reason: null }],
      new Date(NOON + 20_000),
    );
    clock = NOON + 30_000;
    await set('car-1', { chargeLimit: 90 });
    clock = NOON + 60_000;
    const then = async (seconds: number) =>
      (
        await ask(`{ car(id: "car-1", at: "${new Date(NOON + seconds * 1_000).toISOString()}") {
          desired { version delta { desired reported } } commands { nodes { version status } } } }`)
      ).data['car'];
    expect(await then(5)).toEqual({ desired: null, commands: { nodes: [] } });
    expect(await then(15)).toEqual({
      desired: { version: 1, delta: [{ desired: 80, reported: null }] },
      commands: { nodes: [{ version: 1, status: 'QUEUED' }] },
    });
    expect(await then(25)).toEqual({
      desired: { version: 1, delta: [] },
      commands: { nodes: [{ version: 1, status: 'ACCEPTED' }] },
    });
    expect(await then(40)).toEqual({
      desired: { version: 2, delta: [{ desired: 90, reported: 80 }] },
      commands: {
        nodes: [
          { version: 2, status: 'QUEUED' },
          { version: 1, status: 'ACCEPTED' },
        ],
      },
    });
    expect((await cars.findOne({ _id: 'car-1' }))?.accepted).toMatchObject({ version: 1 });
  });

  it('pages through the commands of a car, and reads those of many cars at once', async () => {
    const { twins } = api.database.collections;
    const ids = Array.from({ length: 20 }, (_, n) => `car-${n}`);
    await twins.insertMany(ids.map((_id) => someTwin({ _id })));
    for (const n of [1, 2, 3, 4, 5]) await set('car-1', firmware(n));
    await set('car-2', firmware(7));
    const versions: number[] = [];
    let after = '';
    for (let more = true; more; ) {
      const { data } = await ask(
        `{ car(id: "car-1") { commands(first: 2${after}) { nodes { version } pageInfo { hasNextPage endCursor } } } }`,
      );
      const { nodes, pageInfo } = (data['car'] as { commands: CommandsPage }).commands;
      versions.push(...nodes.map(({ version }) => version));
      after = `, after: "${pageInfo.endCursor}"`;
      more = pageInfo.hasNextPage;
    }
    expect(versions).toEqual([5, 4, 3, 2, 1]);
    const list = (first: number) => `{ cars(first: ${first}, orderBy: { field: ID, direction: ASC }) {
      nodes { id desired { version delta { name } } commands(first: 3) { nodes { version car { id } } } } } }`;
    const counted = async (first: number) => {
      await ask(list(first));
      started.length = 0;
      const { data } = await ask(list(first));
      expect((data['cars'] as { nodes: unknown[] }).nodes).toHaveLength(first);
      return started.map(({ commandName }) => commandName).filter((name) => ['find', 'aggregate'].includes(name))
        .length;
    };
    // Not by how many there are, once they are more than a few.
    expect(await counted(20)).toBe(await counted(6));
    const bad = await ask('{ car(id: "car-1") { commands(after: "x") { nodes { id } } } }');
    expect(bad.errors?.[0]?.extensions.code).toBe('BAD_CURSOR');
    const large = await ask('{ car(id: "car-1") { commands(first: 501) { nodes { id } } } }');
    expect(large.errors?.[0]?.extensions.code).toBe('PAGE_TOO_LARGE');
  });

  it('expires where no bridge is, and goes with a car that is erased', async () => {
    await set('car-1', firmware(1));
    await set('car-2', firmware(1));
    const { commands: collection, cars } = api.database.collections;
    expect(await expireCommands(collection, new Date(NOON + 3_599_999))).toBe(0);
    expect(await expireCommands(collection, new Date(NOON + 3_600_000))).toBe(2);
    expect(await expireCommands(collection, new Date(NOON + 3_600_000))).toBe(0);
    expect((await commands())[0]).toMatchObject({ status: 'EXPIRED', timeline: [{}, { reason: 'no answer in time' }] });
    const now = new Date(NOON);
    await api.database.client.withSession((session) =>
      session.withTransaction(() =>
        eraseDocuments(api.database, { car: 'car-1', upTo: now, revision: null, lastRevision: 0, now }, session),
      ),
    );
    expect([(await commands()).map(({ car }) => car), await cars.countDocuments()]).toEqual([['car-2'], 1]);
  });
});

interface CommandsPage {
  readonly nodes: { version: number }[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string };
}
