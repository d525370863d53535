import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Roller } from '../../src/rollup/roller.js';
import { markWindows } from '../../src/twin/rollup-marks.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { SOME_INSTANT, someReading, someSignals } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

const HALF = 1_800_000;
const NOW = SOME_INSTANT + 3 * HALF;
const FLEETS = ['north', 'south'];
const CARS = 40;
const fleetOf = (car: string) => FLEETS[Number(car.slice(4)) % 2] as string;
const iso = (at: number) => new Date(at).toISOString();

/** Of each car, one reading a minute for an hour; faster in the second half, some without a speed. */
const READINGS = Array.from({ length: CARS * 60 }, (_, n) => {
  const minute = Math.floor(n / CARS);
  const speed = n % 7 === 0 ? null : (n % CARS) + (minute < 30 ? 0 : 5) + (minute % 3);
  return someReading(n, {
    car: `car-${n % CARS}`,
    at: new Date(SOME_INSTANT + minute * 60_000 + (n % CARS)),
    signals: someSignals({ speed }),
    ...(n % 5 !== 0 && { score: { value: n, threshold: 10, anomalous: false, model: 'test@1', topSignals: [] } }),
  });
});

const NAME = `gql_compare_${process.pid}`;
let api: Api;
beforeAll(async () => {
  const env = { ...authEnv(), HISTORY_RETENTION: '0', MASKED_FIELDS: 'viewer:Signals.coolantTemp' };
  api = await startApi({ database: NAME, clock: () => NOW, env });
  const twins = Array.from({ length: CARS }, (_, n) =>
    someTwin({ _id: `car-${n}`, attributes: { fleet: fleetOf(`car-${n}`) } }),
  );
  await api.database.collections.twins.insertMany(twins);
  await api.database.collections.readings.insertMany(READINGS);
});
afterAll(() => api.stop());

interface Sample {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
}
interface Compared {
  readonly coverage: {
    cars: number;
    measured: number;
    stale: null;
    source: string;
    from: string | null;
    asOf: string;
  }[];
  readonly measures: { measure: string; left: Sample; right: Sample; difference: number; low: number; high: number }[];
}
type Cohort = readonly [from: number, to: number, filter?: string];
const cohort = ([from, to, filter = '']: Cohort) =>
  `{ window: { from: "${iso(from)}", to: "${iso(to)}" } ${filter && `filter: ${filter}`} }`;

async function compare(left: Cohort, right: Cohort, measures: string, who: Parameters<typeof as>[0] = 'admin') {
  const { data, errors } = await api.query<{ compareFleets: Compared }>(
    `{ compareFleets(left: ${cohort(left)}, right: ${cohort(right)}, measures: [${measures}]) {
      coverage { cars measured stale source from asOf }
      measures { measure left { count mean deviation } right { count mean deviation } difference low high } } }`,
    {},
    as(who),
  );
  expect(errors).toBeUndefined();
  return data.compareFleets;
}

/** Computed here from the same readings: the mean of each car, then count, mean and deviation of those. */
function expected(from: number, to: number, value: (row: (typeof READINGS)[number]) => number | null, fleet?: string) {
  const sums = new Map<string, number[]>();
  for (const row of READINGS) {
    const one = value(row);
    const inside = row.at.getTime() >= from && row.at.getTime() < to && (!fleet || fleetOf(row.car) === fleet);
    if (inside && one !== null) sums.set(row.car, [...(sums.get(row.car) ?? []), one]);
  }
  const mean = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0) / some.length;
  const means = [...sums.values()].map(mean);
  const centre = mean(means);
  const square = means.reduce((sum, one) => sum + (one - centre) ** 2, 0);
  return { count: means.length, mean: centre, deviation: Math.sqrt(square / (means.length - 1)) };
}

function expectSample(found: Sample | undefined, wanted: Sample) {
  expect(found?.count).toBe(wanted.count);
  expect(found?.mean).toBeCloseTo(wanted.mean, 9);
  expect(found?.deviation).toBeCloseTo(wanted.deviation, 9);
}

const [BEGIN, MIDDLE, END] = [SOME_INSTANT, SOME_INSTANT + HALF, SOME_INSTANT + 2 * HALF];
const speed = ({ signals }: (typeof READINGS)[number]) => signals.speed;
const ratio = ({ score }: (typeof READINGS)[number]) => (score ? score.value / score.threshold : null);

/** By an API that is asked days later, when the readings are no longer kept. */
async function past(): Promise<void> {
  const env = { HISTORY_RETENTION: '1' };
  const later = await startApi({ database: NAME, clock: () => NOW + 3 * 86_400_000, env, keep: true });
  const ask = async (left: string, measure: string) => {
    const query = `{ compareFleets(left: ${left}, right: ${left}, measures: [${measure}]) { coverage { cars source } } }`;
    const { data, errors } = await later.query<{ compareFleets: Compared } | null>(query);
    return errors?.[0]?.extensions.code ?? data?.compareFleets.coverage[0];
  };
  try {
    expect(await ask(cohort([BEGIN - 2 * HALF, END]), 'speed')).toEqual({ cars: CARS, source: 'ROLLUPS' });
    expect(await ask(cohort([BEGIN, END]), 'SCORE')).toBe('BEFORE_RETENTION');
    expect(await ask(cohort([BEGIN + 1_000, END]), 'speed')).toBe('BEFORE_RETENTION');
    expect(await ask(`{ at: "${iso(END)}" }`, 'speed')).toBe('BEFORE_RETENTION');
    const { errors } = await later.query(`{ fleet(at: "${iso(END)}") { coverage { cars } } }`);
    expect(errors?.[0]?.extensions.code).toBe('BEFORE_RETENTION');
  } finally {
    await later.app.close();
  }
}

describe('two windows of time', () => {
  const differ = async (source: string) => {
    const { coverage, measures } = await compare([BEGIN, MIDDLE], [MIDDLE, END], 'speed');
    expect(coverage).toEqual([
      { cars: CARS, measured: CARS, stale: null, source, from: iso(BEGIN), asOf: iso(MIDDLE) },
      { cars: CARS, measured: CARS, stale: null, source, from: iso(MIDDLE), asOf: iso(END) },
    ]);
    const [left, right] = [expected(BEGIN, MIDDLE, speed), expected(MIDDLE, END, speed)];
    expectSample(measures[0]?.left, left);
    expectSample(measures[0]?.right, right);
    expect(measures[0]?.difference).toBeCloseTo(right.mean - left.mean, 9);
    expect(measures[0]?.low).toBeLessThan(right.mean - left.mean);
    expect(measures[0]?.high).toBeGreaterThan(right.mean - left.mean);
  };

  it('are compared by the mean of each car over its readings', () => differ('READINGS'));

  it('of fleets, also at odd instants and by score', async () => {
    const [from, to] = [BEGIN + 61_000, END - 90_500];
    const north = [from, to, '{ fleet: ["north"] }'] as const;
    const south = [from, to, '{ fleet: ["south"], status: [NORMAL] }'] as const;
    const { coverage, measures } = await compare(north, south, 'SCORE, speed');
    expect(coverage.map(({ cars, source }) => [cars, source])).toEqual([
      [CARS / 2, 'READINGS'],
      [CARS / 2, 'READINGS'],
    ]);
    expectSample(measures[0]?.left, expected(from, to, ratio, 'north'));
    expectSample(measures[0]?.right, expected(from, to, ratio, 'south'));
    expectSample(measures[1]?.right, expected(from, to, speed, 'south'));
  });

  it('are those of the cars that one may see', async () => {
    const { coverage, measures } = await compare(
      [BEGIN, END],
      [BEGIN, END, '{ fleet: ["south"] }'],
      'speed',
      'northViewer',
    );
    expect(coverage.map(({ cars }) => cars)).toEqual([CARS / 2, 0]);
    expectSample(measures[0]?.left, expected(BEGIN, END, speed, 'north'));
    expect(measures[0]?.right).toEqual({ count: 0, mean: null, deviation: null });
    expect(measures[0]?.difference).toBeNull();
  });

  it('come from rollups where these hold all that is asked for, with the same figures', async () => {
    await markWindows(api.database, 'test', READINGS);
    const retention = { readings: null, FIVE_MINUTES: null, HOUR: null };
    const roller = new Roller(api.database, { clock: () => NOW, newRun: randomUUID, retention });
    await roller.round(new AbortController().signal);
    await differ('ROLLUPS');
    const hours = await compare([BEGIN, END, '{ fleet: ["north"] }'], [BEGIN, END], 'speed');
    expect(hours.coverage.map(({ cars, source }) => [cars, source])).toEqual([
      [CARS / 2, 'ROLLUPS'],
      [CARS, 'ROLLUPS'],
    ]);
    expectSample(hours.measures[0]?.left, expected(BEGIN, END, speed, 'north'));
    expect((await compare([BEGIN, END], [BEGIN, END], 'SCORE')).coverage[0]?.source).toBe('READINGS');
    // An hour in which no car drove, and a day of them.
    const longer = await compare([BEGIN - 2 * HALF, END], [BEGIN - 48 * HALF, BEGIN], 'speed');
    expect(longer.coverage.map(({ cars, source }) => [cars, source])).toEqual([
      [CARS, 'ROLLUPS'],
      [0, 'ROLLUPS'],
    ]);
    expectSample(longer.measures[0]?.left, expected(BEGIN, END, speed));
    await past();
    // A window that was written to since is not what its rollups say.
    await markWindows(api.database, 'late', READINGS.slice(0, 1));
    const { coverage } = await compare([BEGIN, MIDDLE], [MIDDLE, END], 'speed');
    expect(coverage.map(({ source }) => source)).toEqual(['READINGS', 'ROLLUPS']);
  });

  it.each([
    ['BAD_RANGE', cohort([END, BEGIN])],
    ['BAD_ARGUMENT', cohort([BEGIN - 400 * 86_400_000, END])],
    ['BAD_ARGUMENT', `{ at: "${iso(END)}", window: { from: "${iso(BEGIN)}", to: "${iso(END)}" } }`],
    ['BAD_REQUEST', `{ window: { from: "${iso(BEGIN)}" } }`],
  ])('is refused with %s: %s', async (code, left) => {
    const query = `{ compareFleets(left: ${left}, right: {}, measures: [speed]) { coverage { cars } } }`;
    const { errors } = await api.query(query, {}, as('admin'));
    expect(errors?.[0]?.extensions.code).toBe(code);
  });

  it('do not tell what is masked', async () => {
    const query = `{ compareFleets(left: ${cohort([BEGIN, END])}, right: {}, measures: [coolantTemp]) { coverage { cars } } }`;
    const { errors } = await api.query(query, {}, as('viewer'));
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
