import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Roller } from '../../src/rollup/roller.js';
import { markWindows } from '../../src/twin/rollup-marks.js';
import { type Api, startApi } from '../builders/api.js';
import { SOME_INSTANT, someReading, someSignals } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = SOME_INSTANT + 3 * HOUR;
const LARGEST = 1.7e308;
const iso = (at: number) => new Date(at).toISOString();

/** By fleet, the speeds of its cars; ingest takes every finite number. */
const SPEEDS = {
  normal: Array.from({ length: 20 }, (_, n) => n),
  spoilt: [...Array.from({ length: 19 }, (_, n) => n), 1e200],
  opposite: [-LARGEST, 5e307, -5e307, LARGEST],
  sum: [LARGEST, LARGEST, 1, 2],
  tiny: [5e-324, 0, 5e-324, 0],
} as const;
type FleetName = keyof typeof SPEEDS;
const CARS = Object.entries(SPEEDS).flatMap(([fleet, speeds]) =>
  speeds.map((speed, n) => ({
    _id: `${fleet}-${n}`,
    fleet,
    signals: someSignals({ speed, coolantTemp: 3 * n + (n % 4), controlUnitFirmware: 1e200 }),
  })),
);

/** One each minute for two hours and a half, the second half hour without. */
const PLOTTED = [LARGEST, -LARGEST, 1e200, 5e-324, 7];
const READINGS = [
  ...Array.from({ length: 150 }, (_, n) =>
    someReading(n, {
      car: 'normal-0',
      at: new Date(SOME_INSTANT + n * MINUTE),
      signals: someSignals({ speed: PLOTTED[n % PLOTTED.length] ?? null, coolantTemp: n < 10 ? -LARGEST : LARGEST }),
    }),
  ).filter((_, n) => n < 30 || n >= 60),
  ...CARS.map(({ _id, signals }, n) =>
    someReading(1_000 + n, { car: _id, at: new Date(SOME_INSTANT - HOUR + n), signals }),
  ),
];

let api: Api;
beforeAll(async () => {
  const env = { HISTORY_RETENTION: '0' };
  api = await startApi({ database: `gql_extreme_${process.pid}`, clock: () => NOW, env });
  const { twins, readings } = api.database.collections;
  await twins.insertMany(
    CARS.map(({ _id, fleet, signals }) =>
      someTwin({
        _id,
        attributes: { fleet },
        reported: { ...someTwin().reported, signals },
        firstSeenAt: new Date(SOME_INSTANT - HOUR),
        lastSeenAt: new Date(NOW - 1_000),
      }),
    ),
  );
  await readings.insertMany(READINGS);
  await markWindows(api.database, 'test', READINGS);
  const retention = { readings: null, FIVE_MINUTES: null, HOUR: null };
  const roller = new Roller(api.database, { clock: () => NOW, newRun: randomUUID, retention });
  await roller.round(new AbortController().signal);
});
afterAll(() => api.stop());

/** The answer, in which nothing has failed. */
async function ask<T>(query: string): Promise<T> {
  const { data, errors } = await api.query<T>(query);
  expect(errors).toBeUndefined();
  return data;
}
const fleet = async <T>(name: FleetName, fields: string) =>
  (await ask<{ fleet: T }>(`{ fleet(filter: { fleet: ["${name}"] }) { ${fields} } }`)).fleet;

describe('a value that is finite, and that is all', () => {
  const correlation = async (name: FleetName) => {
    const fields = 'correlation(measures: [speed, coolantTemp]) { matrix }';
    return (await fleet<{ correlation: { matrix: (number | null)[][] } }>(name, fields)).correlation.matrix;
  };
  /** Pearson's, of values that are made small first. */
  function pearson(name: FleetName, unit: number): number {
    const x = SPEEDS[name].map((speed) => speed / unit);
    const y = CARS.filter((car) => car.fleet === name).map(({ signals }) => signals.coolantTemp ?? 0);
    const mean = (some: readonly number[]) => some.reduce((sum, one) => sum + one / some.length, 0);
    const [mx, my] = [mean(x), mean(y)];
    const product = (some: readonly number[], by: readonly number[], m: number, n: number) =>
      some.reduce((sum, one, i) => sum + (one - m) * ((by[i] ?? 0) - n), 0);
    return product(x, y, mx, my) / Math.sqrt(product(x, x, mx, mx) * product(y, y, my, my));
  }

  it.each([
    ['normal', 1],
    ['spoilt', 1e200],
    ['opposite', LARGEST],
  ] as const)('correlates: %s', async (name, unit) => {
    const matrix = await correlation(name);
    expect(matrix[0]?.[1]).toBeCloseTo(pearson(name, unit), 9);
    expect(matrix[1]?.[0]).toBe(matrix[0]?.[1]);
    expect(matrix[0]?.[0]).toBeCloseTo(1, 9);
  });

  it('without a mean among the numbers correlates with nothing, and spoils no other', async () => {
    const matrix = await correlation('sum');
    expect(matrix[0]).toEqual([null, null]);
    expect(matrix[1]?.[0]).toBeNull();
    expect(matrix[1]?.[1]).toBeCloseTo(1, 9);
  });

  it.each([
    ['spoilt', 20],
    ['opposite', 4],
    ['sum', 4],
    ['tiny', 4],
  ] as const)('leaves distribution, groups and extremes of the others: %s', async (name, cars) => {
    const { distribution, groupBy, extremes } = await fleet<{
      distribution: { min: number; max: number; percentiles: number[]; histogram: Bin[] };
      groupBy: { groups: { cars: number; percentiles: number[] }[] };
      extremes: { cars: { value: number }[] };
    }>(
      name,
      `distribution(measure: speed, percentiles: [0, 0.5, 1], bins: 4) { mean min max percentiles histogram { from to cars } }
       groupBy(by: [FLEET, FIRMWARE], measure: speed, percentiles: [0, 1]) { groups { values cars mean percentiles } }
       extremes(measure: speed, first: 1) { cars { value } } byFirmware { groups { values cars } }`,
    );
    const [min, max] = [Math.min(...SPEEDS[name]), Math.max(...SPEEDS[name])];
    expect(distribution).toMatchObject({ min, max });
    expect(distribution.percentiles.every((one) => one >= min && one <= max)).toBe(true);
    expect(distribution.histogram.reduce((sum, bin) => sum + bin.cars, 0)).toBe(cars);
    expect(groupBy.groups.map((group) => group.cars)).toEqual([cars]);
    expect(extremes.cars).toEqual([{ value: max }]);
  });

  it('lies in the right bin, however far the range is', async () => {
    const { distribution } = await fleet<{ distribution: { mean: number; histogram: Bin[] } }>(
      'opposite',
      'distribution(measure: speed, bins: 4) { mean histogram { from to cars } }',
    );
    expect(distribution.histogram.map(({ cars }) => cars)).toEqual([1, 1, 1, 1]);
    for (const [n, { from, to }] of distribution.histogram.entries()) {
      expect(from / LARGEST).toBeCloseTo(-1 + n / 2, 9);
      expect(to / LARGEST).toBeCloseTo(-1 + (n + 1) / 2, 9);
    }
  });

  it.each([
    ['as they are', '', 'TWINS'],
    ['over an hour', `window: { from: "${iso(SOME_INSTANT - HOUR)}", to: "${iso(SOME_INSTANT)}" }`, 'ROLLUPS'],
    ['over odd minutes', `window: { from: "${iso(SOME_INSTANT - HOUR)}", to: "${iso(SOME_INSTANT - 1)}" }`, 'READINGS'],
    ['as they were', `at: "${iso(SOME_INSTANT - HOUR + 1_000)}"`, 'READINGS'],
  ])('leaves comparisons of what can be computed: %s', async (_what, when, source) => {
    const compare = async (right: FleetName) => {
      const cohort = (name: string) => `{ filter: { fleet: ["${name}"] } ${when} }`;
      const { compareFleets } = await ask<{
        compareFleets: { coverage: { source: string }[]; measures: Compared[] };
      }>(`{ compareFleets(left: ${cohort('normal')}, right: ${cohort(right)}, measures: [speed, coolantTemp]) {
        coverage { source } measures { left { count mean deviation } right { count mean deviation } difference low high } } }`);
      expect(compareFleets.coverage[0]?.source).toBe(source);
      return compareFleets.measures;
    };
    const [speed, temperature] = await compare('spoilt');
    expect(speed?.right.mean).toBeCloseTo(1e200 / 20, -190);
    expect(speed?.difference).toBeCloseTo(1e200 / 20, -190);
    expect([speed?.right.deviation, speed?.low, speed?.high]).toEqual([null, null, null]);
    expect(temperature?.difference).toBe(0);
    expect(temperature?.high).toBeGreaterThan(0);
    const [sum] = await compare('sum');
    expect(sum?.right).toEqual({ count: 4, mean: null, deviation: null });
    expect(sum?.difference).toBeNull();
    const [tiny] = await compare('tiny');
    expect(tiny?.difference).toBe(-9.5);
  });
});

interface Bin {
  from: number;
  to: number;
  cars: number;
}
interface Sample {
  count: number;
  mean: number | null;
  deviation: number | null;
}
interface Compared {
  left: Sample;
  right: Sample;
  difference: number | null;
  low: number | null;
  high: number | null;
}
interface Bucket {
  filled: boolean;
  signals: { min: number; max: number; mean: number | null; rate: number | null; percentiles: number[] | null }[];
}

describe('figures of such values', () => {
  const aggregate = async (args: string) => {
    const range = `signals: [speed, coolantTemp], from: "${iso(SOME_INSTANT)}", to: "${iso(SOME_INSTANT + 3 * HOUR)}"`;
    const { car } = await ask<{ car: { aggregate: { source: string; buckets: Bucket[] } } }>(
      `{ car(id: "normal-0") { aggregate(${range}, ${args}) { source buckets { filled signals { min max mean rate percentiles } } } } }`,
    );
    return car.aggregate;
  };

  it.each([
    ['ROLLUP', ''],
    ['RAW', 'figures: [MIN, MAX, MEAN, COUNT, LAST, RATE, PERCENTILES], '],
  ])('are null where they are beyond all numbers: %s', async (source, figures) => {
    const { buckets, source: told } = await aggregate(`${figures}step: "PT5M", fill: LINEAR`);
    expect(told).toBe(source);
    expect(buckets).toHaveLength(36);
    expect(buckets[0]?.signals[0]).toMatchObject({ min: -LARGEST, max: LARGEST });
    expect(buckets[0]?.signals[1]).toMatchObject({ min: -LARGEST, max: -LARGEST, mean: null });
  });

  it('that have no place in a unit are null, and left out of a plot', async () => {
    const units = 'units: { speed: KILOMETRES_PER_HOUR, temperature: FAHRENHEIT }';
    const { buckets } = await aggregate(`step: "PT1H", ${units}`);
    expect(buckets[0]?.signals[0]).toMatchObject({ min: null, max: null });
    const range = `signals: [speed], from: "${iso(SOME_INSTANT)}", to: "${iso(SOME_INSTANT + 3 * HOUR)}"`;
    const { car } = await ask<{ car: { series: { values: number; points: { value: number }[] }[] } }>(
      `{ car(id: "normal-0") { series(${range}, ${units}) { values points { value } } } }`,
    );
    expect(car.series[0]?.values).toBe(120);
    expect(car.series[0]?.points.map(({ value }) => value)).toEqual(
      Array.from({ length: 24 }, () => [1e200 * 3.6, 5e-324 * 3.6, 7 * 3.6]).flat(),
    );
    const { car: sum } = await ask<{ car: { signals: object } }>(
      '{ car(id: "sum-0") { signals { speed kmh: speed(unit: KILOMETRES_PER_HOUR) } } }',
    );
    expect(sum.signals).toEqual({ speed: LARGEST, kmh: null });
  });

  it.each(['LTTB', 'MIN_MAX'])('are plotted: %s', async (method) => {
    const range = `signals: [speed], from: "${iso(SOME_INSTANT)}", to: "${iso(SOME_INSTANT + 3 * HOUR)}"`;
    const { car } = await ask<{ car: { series: { points: { value: number }[] }[] } }>(
      `{ car(id: "normal-0") { series(${range}, maxPoints: 20, method: ${method}) { points { value } } } }`,
    );
    const values = car.series[0]?.points.map(({ value }) => value) ?? [];
    expect([Math.min(...values), Math.max(...values)]).toEqual([-LARGEST, LARGEST]);
  });
});
