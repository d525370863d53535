import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Roller } from '../../src/rollup/roller.js';
import type { ReadingDocument } from '../../src/twin/documents.js';
import { markWindows } from '../../src/twin/rollup-marks.js';
import { type Api, startApi } from '../builders/api.js';
import { SOME_INSTANT, someReading, someSignals } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

const MINUTE = 60_000;
const CARS = ['car-1', 'car-2'];
/** The hour from 12:00 is over, the one from 13:00 is not. */
const NOW = SOME_INSTANT + 100 * MINUTE;
let api: Api;

/** Two cars, one reading every minute and a half for 100 minutes; every tenth is anomalous. */
const READINGS = Array.from({ length: 132 }, (_, n) =>
  someReading(n, {
    car: CARS[n % 2] ?? '',
    at: new Date(SOME_INSTANT + Math.floor(n / 2) * 1.5 * MINUTE),
    signals: someSignals({ speed: n / 10, coolantTemp: n < 50 ? null : n }),
    score: { value: n, threshold: 10, anomalous: n % 10 === 9, model: 'test@1', topSignals: [] },
  }),
);

beforeAll(async () => {
  api = await startApi({ database: `gql_rollups_${process.pid}`, clock: () => NOW, env: { HISTORY_RETENTION: '0' } });
  await api.database.collections.twins.insertMany(CARS.map((_id) => someTwin({ _id })));
  await write(READINGS);
});
afterAll(() => api.stop());

async function write(readings: readonly ReadingDocument[]): Promise<void> {
  await api.database.collections.readings.insertMany([...readings]);
  await markWindows(api.database, 'test', readings);
}

const roll = () =>
  new Roller(api.database, {
    clock: () => NOW,
    newRun: randomUUID,
    retention: { readings: null, FIVE_MINUTES: null, HOUR: null },
  }).round(new AbortController().signal);

interface Window {
  from: string;
  to: string;
  readings: number;
  anomalies: number;
  maxScore: number;
  maxRatio: number;
  cars: number | null;
  computedAt: string | null;
  signals: Record<'speed' | 'coolantTemp' | 'throttlePos', Record<'count' | 'min' | 'mean' | 'max', number> | null>;
}
interface Page {
  nodes: Window[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
const FIELDS = `nodes { from to readings anomalies maxScore maxRatio cars computedAt
  signals { speed { count min mean max } coolantTemp { count min mean max } throttlePos { count min mean max } } }
  pageInfo { hasNextPage endCursor }`;
const ARGS = '$step: RollupStep!, $from: DateTime!, $to: DateTime!, $first: Int, $after: String';
const GIVEN = 'step: $step, from: $from, to: $to, first: $first, after: $after';
const CAR = `query (${ARGS}) { car(id: "car-1") { rollups(${GIVEN}) { ${FIELDS} } } }`;
const FLEET = `query (${ARGS}) { fleet { rollups(${GIVEN}) { ${FIELDS} } } }`;
const RANGE = {
  from: new Date(SOME_INSTANT - 600 * MINUTE).toISOString(),
  to: new Date(SOME_INSTANT + 600 * MINUTE).toISOString(),
};

const ofCar = async (variables: object) => {
  const { data, errors } = await api.query<{ car: { rollups: Page } }>(CAR, { ...RANGE, ...variables });
  expect(errors).toBeUndefined();
  return data.car.rollups;
};
const ofFleet = async (variables: object) => {
  const { data, errors } = await api.query<{ fleet: { rollups: Page } }>(FLEET, { ...RANGE, ...variables });
  expect(errors).toBeUndefined();
  return data.fleet.rollups;
};
/** What is to be the same whether it was computed before or just now. */
const said = ({ nodes }: Page) => nodes.map(({ computedAt: _computedAt, cars: _cars, ...node }) => node);

describe('rollups', () => {
  it('answer from the readings what is not computed yet, and the same from the rollups once it is', async () => {
    const before = [
      await ofCar({ step: 'FIVE_MINUTES' }),
      await ofCar({ step: 'HOUR' }),
      await ofFleet({ step: 'FIVE_MINUTES' }),
      await ofFleet({ step: 'HOUR' }),
    ];
    for (const { nodes } of before) expect(nodes.every(({ computedAt }) => computedAt === null)).toBe(true);
    expect(await roll()).toBe(20);
    const after = [
      await ofCar({ step: 'FIVE_MINUTES' }),
      await ofCar({ step: 'HOUR' }),
      await ofFleet({ step: 'FIVE_MINUTES' }),
      await ofFleet({ step: 'HOUR' }),
    ];
    expect(after.map(said)).toEqual(before.map(said));
    const computed = after.map(({ nodes }) => nodes.filter(({ computedAt }) => computedAt !== null).length);
    expect(computed).toEqual([19, 1, 19, 1]);
    expect(after[3]?.nodes.map(({ cars }) => cars)).toEqual([2, null]);
  });

  it('have the figures of the history', async () => {
    const { nodes } = await ofFleet({ step: 'HOUR' });
    const firstHour = READINGS.filter(({ at }) => at.getTime() < SOME_INSTANT + 60 * MINUTE);
    expect(nodes.map(({ readings }) => readings)).toEqual([firstHour.length, READINGS.length - firstHour.length]);
    const speeds = firstHour.map(({ signals }) => signals.speed ?? 0);
    expect(nodes[0]).toMatchObject({ anomalies: 8, maxScore: 79, maxRatio: 7.9 });
    expect(nodes[0]?.from).toBe(new Date(SOME_INSTANT).toISOString());
    expect(nodes[0]?.to).toBe(new Date(SOME_INSTANT + 60 * MINUTE).toISOString());
    const { speed, coolantTemp, throttlePos } = nodes[0]?.signals ?? {};
    expect(speed).toMatchObject({ count: 80, min: 0, max: 7.9 });
    expect(speed?.mean).toBeCloseTo(speeds.reduce((sum, value) => sum + value, 0) / 80, 12);
    expect(coolantTemp?.count).toBe(30);
    expect(throttlePos).toBeNull();
  });

  it('come page by page', async () => {
    const whole = await ofCar({ step: 'FIVE_MINUTES' });
    const pages: Window[] = [];
    let after: string | null = null;
    do {
      const page: Page = await ofCar({ step: 'FIVE_MINUTES', first: 8, after });
      pages.push(...page.nodes);
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(pages).toEqual(whole.nodes);
    expect(pages).toHaveLength(20);
  });

  it('a late reading shows at once, before its window is computed anew', async () => {
    const [before] = (await ofCar({ step: 'HOUR' })).nodes;
    await write([someReading(999, { car: 'car-1', at: new Date(SOME_INSTANT + 1), late: true })]);
    const [after] = (await ofCar({ step: 'HOUR' })).nodes;
    expect(after?.readings).toBe((before?.readings ?? 0) + 1);
    expect(after?.computedAt).toBeNull();
    await roll();
    const [computed] = (await ofCar({ step: 'HOUR' })).nodes;
    expect(computed).toMatchObject({ readings: after?.readings, computedAt: new Date(NOW).toISOString() });
  });

  it.each([
    ['BAD_RANGE', { step: 'HOUR', from: RANGE.to, to: RANGE.from }],
    ['BAD_ARGUMENT', { step: 'FIVE_MINUTES', from: '2020-01-01T00:00:00Z' }],
    ['BAD_CURSOR', { step: 'HOUR', after: 'AAAA' }],
    ['PAGE_TOO_LARGE', { step: 'HOUR', first: 501 }],
  ])('%s', async (code, variables) => {
    const { errors } = await api.query(FLEET, { ...RANGE, ...variables });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  });
});
