import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import type { CommandStartedEvent } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FLEET_COUNTS } from '../../src/fleet/summary.js';
import { LOADERS, type Loaders } from '../../src/graphql/loaders.js';
import { BUCKETS } from '../../src/history/buckets.js';
import { EXTREMES } from '../../src/history/series.js';
import { Roller } from '../../src/rollup/roller.js';
import { Random } from '../../src/simulator/random.js';
import { markWindows } from '../../src/twin/rollup-marks.js';
import { type Api, startApi } from '../builders/api.js';
import { SOME_INSTANT, someReading, someSignals } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

const MINUTE = 60_000;
const NOW = SOME_INSTANT + 300 * MINUTE;
const iso = (at: number) => new Date(at).toISOString();
const random = new Random(3);
/** Four hours with gaps; a signal is missing now and then, and a second car has others. */
const ROWS = Array.from({ length: 1_500 }, (_, n) =>
  someReading(n, {
    car: n % 5 === 0 ? 'car-2' : 'car-1',
    at: new Date(SOME_INSTANT + Math.floor(random.next() * 240) * MINUTE + Math.floor(random.next() * 60_000)),
    signals: someSignals({ speed: random.next() < 0.2 ? null : random.next() * 40, coolantTemp: n / 10 }),
  }),
)
  .filter(({ at }) => at.getTime() < SOME_INSTANT + 100 * MINUTE || at.getTime() > SOME_INSTANT + 130 * MINUTE)
  .sort((one, other) => one.at.getTime() - other.at.getTime());
const MINE = ROWS.filter(({ car }) => car === 'car-1');

/** One whose clock was once set to 1970. */
const LONG_LIVED = 'car-3';
const seen = { firstSeenAt: ROWS[0]?.at ?? new Date(), lastSeenAt: ROWS.at(-1)?.at ?? new Date() };

let api: Api;
const commands: CommandStartedEvent[] = [];
beforeAll(async () => {
  api = await startApi({
    database: `gql_history_${process.pid}`,
    clock: () => NOW,
    env: { HISTORY_RETENTION: '0' },
    monitorCommands: true,
  });
  api.database.client.on('commandStarted', (event) => commands.push(event));
  await api.database.collections.twins.insertMany([
    ...['car-1', 'car-2'].map((_id) => someTwin({ _id, ...seen })),
    someTwin({ _id: LONG_LIVED, ...seen, firstSeenAt: new Date(0) }),
  ]);
  await api.database.collections.readings.insertMany(ROWS);
  await markWindows(api.database, 'test', ROWS);
  const retention = { readings: null, FIVE_MINUTES: null, HOUR: null };
  await new Roller(api.database, { clock: () => NOW, newRun: randomUUID, retention }).round(
    new AbortController().signal,
  );
});
afterAll(() => api.stop());

interface Figures {
  count: number | null;
  min: number | null;
  max: number | null;
  mean: number | null;
  last: number | null;
  rate: number | null;
  percentiles: (number | null)[] | null;
  unit: string;
}
interface Bucket {
  from: string;
  to: string;
  readings: number;
  filled: boolean;
  signals: Figures[];
}
const aggregate = async (args: string, car = 'car-1') => {
  const answer = await api.query<{ car: { aggregate: { source: string; step: string; buckets: Bucket[] } } }>(
    `{ car(id: "${car}") { aggregate(${args}) { source step buckets { from to readings filled
       signals { signal unit count min max mean last rate percentiles } } } } }`,
  );
  return { ...answer, result: answer.data?.car?.aggregate };
};
const ALL = 'figures: [MIN, MAX, MEAN, COUNT, LAST, RATE, PERCENTILES]';

describe('aggregate', () => {
  it('gives what the readings give, in any buckets of any range', async () => {
    const span = 240 * 60;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -600, max: span }),
        fc.integer({ min: 1, max: span }),
        fc.constantFrom(7, 60, 300, 1_000, 3_600),
        async (start, length, step) => {
          const [from, to] = [SOME_INSTANT + start * 1_000, SOME_INSTANT + (start + length) * 1_000];
          if (length / step > 9_000) return;
          const { result, errors } = await aggregate(
            `signals: [speed], from: "${iso(from)}", to: "${iso(to)}", step: "PT${step}S", ${ALL}, percentiles: [0, 1]`,
          );
          expect(errors).toBeUndefined();
          const rows = MINE.filter(({ at }) => at.getTime() >= from && at.getTime() < to);
          const starts = [...new Set(rows.map(({ at }) => at.getTime() - (at.getTime() % (step * 1_000))))];
          expect(result?.buckets.map((one) => Date.parse(one.from))).toEqual(starts);
          for (const [n, bucket] of (result?.buckets ?? []).entries()) {
            const begin = starts[n] ?? 0;
            const inside = rows.filter(({ at }) => at.getTime() >= begin && at.getTime() < begin + step * 1_000);
            const values = inside.flatMap(({ signals: { speed } }) => (speed === null ? [] : [speed]));
            const [figures] = bucket.signals;
            expect(bucket.readings).toBe(inside.length);
            expect(figures?.count).toBe(values.length);
            if (values.length === 0) continue;
            const timed = inside.filter(({ signals }) => signals.speed !== null);
            const [first, last] = [timed[0], timed.at(-1)];
            expect(figures?.min).toBeCloseTo(Math.min(...values), 9);
            expect(figures?.max).toBeCloseTo(Math.max(...values), 9);
            expect(figures?.mean).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 9);
            expect(figures?.last).toBeCloseTo(last?.signals.speed ?? Number.NaN, 9);
            const seconds = ((last?.at.getTime() ?? 0) - (first?.at.getTime() ?? 0)) / 1_000;
            const change = (last?.signals.speed ?? 0) - (first?.signals.speed ?? 0);
            if (seconds > 0) expect(figures?.rate).toBeCloseTo(change / seconds, 9);
            else expect(figures?.rate).toBeNull();
            expect(figures?.percentiles?.[0]).toBeCloseTo(Math.min(...values), 9);
            expect(figures?.percentiles?.[1]).toBeCloseTo(Math.max(...values), 9);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(['PT5M', 'PT15M', 'PT1H', 'PT2H'])(
    'of %s comes from rollups where they suffice, with the same figures',
    async (step) => {
      const range = `signals: [speed, coolantTemp], from: "${iso(SOME_INSTANT)}", to: "${iso(SOME_INSTANT + 240 * MINUTE)}"`;
      const rolled = await aggregate(`${range}, step: "${step}"`);
      const raw = await aggregate(`${range}, step: "${step}", figures: [MIN, MAX, MEAN, COUNT, LAST]`);
      expect([rolled.result?.source, raw.result?.source]).toEqual(['ROLLUP', 'RAW']);
      const rounded = (buckets: Bucket[] | undefined) =>
        buckets?.map(({ signals, ...rest }) => ({
          ...rest,
          signals: signals.map((one) => ({ ...one, last: null, mean: one.mean?.toFixed(9) })),
        }));
      expect(rounded(rolled.result?.buckets)).toEqual(rounded(raw.result?.buckets));
    },
  );

  it.each(['PT1H', 'PT5M'])(
    'over all of time reads the windows of the life of the car only: from, to by %s',
    async (by) => {
      const end = by === 'PT1H' ? '9999-12-31T00:00:00Z' : '9999-12-31T00:05:00Z';
      const range = `signals: [speed], from: "1970-01-01T00:00:00Z", to: "${end}"`;
      commands.length = 0;
      const { result, errors } = await aggregate(`${range}, step: "P999999D", fill: NULL`);
      expect(errors).toBeUndefined();
      expect([result?.source, result?.buckets.length]).toEqual(['ROLLUP', 3]);
      expect(result?.buckets[0]?.readings).toBe(MINE.length);
      const reads = commands.filter(({ command }) => /rollup/i.test(String(command['find'])));
      expect(reads.length).toBeGreaterThan(0);
      expect(reads.length).toBeLessThan(10);
      expect(reads.filter(({ command }) => !command['maxTimeMS'])).toEqual([]);
    },
  );

  it('is refused where it would take too many windows, and not where a shorter range takes fewer', async () => {
    const weeks = `signals: [speed], from: "1970-01-01T00:00:00Z", to: "2026-07-02T00:00:00Z", step: "P7D"`;
    const { errors } = await aggregate(weeks, LONG_LIVED);
    expect(errors?.[0]?.extensions.code).toBe('TOO_MANY_READINGS');
    expect(errors?.[0]?.message).toMatch(/\d{6} windows of rollups; the limit is 20000/);
    const shorter = await aggregate(weeks.replace('1970-01-01', '2026-01-01'), LONG_LIVED);
    expect([shorter.errors, shorter.result?.buckets]).toEqual([undefined, []]);
    const mine = await aggregate(weeks);
    expect(mine.result?.buckets.map(({ readings }) => readings)).toEqual([MINE.length]);
  });

  it('fills buckets without readings as asked, and says which', async () => {
    const range = `signals: [coolantTemp], from: "${iso(SOME_INSTANT)}", to: "${iso(SOME_INSTANT + 240 * MINUTE)}", step: "PT10M"`;
    const filled = async (how: string) => (await aggregate(`${range}, fill: ${how}`)).result?.buckets ?? [];
    const none = await filled('NONE');
    expect((await filled('NULL')).length).toBe(24);
    expect(none.length).toBeLessThan(24);
    const gap = (buckets: Bucket[]) => buckets.filter((one) => one.filled).map(({ signals }) => signals[0]?.mean);
    expect(new Set(gap(await filled('NULL')))).toEqual(new Set([null]));
    const before = none.findLast(({ from }) => Date.parse(from) < SOME_INSTANT + 100 * MINUTE)?.signals[0]?.mean ?? 0;
    const behind = none.find(({ from }) => Date.parse(from) >= SOME_INSTANT + 130 * MINUTE)?.signals[0]?.mean ?? 0;
    expect(new Set(gap(await filled('PREVIOUS')))).toEqual(new Set([before]));
    const line = gap(await filled('LINEAR'));
    const step = (behind - before) / (line.length + 1);
    line.forEach((mean, n) => expect(mean).toBeCloseTo(before + (n + 1) * step, 6));
  });

  it.each(['NULL', 'PREVIOUS', 'LINEAR'])(
    'filled with %s over a range without readings has its signals',
    async (how) => {
      const [from, to] = [SOME_INSTANT + 101 * MINUTE, SOME_INSTANT + 106 * MINUTE];
      const { result } = await aggregate(
        `signals: [coolantTemp, speed], from: "${iso(from)}", to: "${iso(to)}", step: "PT1M", fill: ${how}`,
      );
      expect(result?.buckets).toHaveLength(5);
      for (const { filled, readings, signals } of result?.buckets ?? []) {
        expect([filled, readings]).toEqual([true, 0]);
        expect(signals.map(({ unit, mean }) => [unit, mean])).toEqual([
          ['°C', null],
          ['m/s', null],
        ]);
      }
    },
  );

  it.each([0, 30_000])('over no time at all has no buckets: %s ms behind a step', async (off) => {
    const at = iso(SOME_INSTANT + off);
    const { result } = await aggregate(`signals: [speed], from: "${at}", to: "${at}", step: "PT1M", fill: NULL`);
    expect(result?.buckets).toEqual([]);
  });

  it('has no percentiles where none is named', async () => {
    const range = `signals: [speed], from: "${iso(SOME_INSTANT)}", to: "${iso(SOME_INSTANT + 60 * MINUTE)}", step: "PT1H"`;
    const { result, errors } = await aggregate(`${range}, figures: [PERCENTILES, COUNT], percentiles: []`);
    expect(errors).toBeUndefined();
    expect(result?.buckets.map(({ signals }) => signals[0]?.percentiles)).toEqual([[]]);
  });

  it.each([
    ['TOO_MANY_BUCKETS', `signals: [speed], from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", step: "PT1M"`],
    ['BAD_RANGE', `signals: [speed], from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z", step: "PT1M"`],
    ['BAD_ARGUMENT', `signals: [], from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", step: "PT1H"`],
    [
      'BAD_ARGUMENT',
      `signals: [speed], from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", step: "PT1H", percentiles: [1.5]`,
    ],
    ['BAD_ARGUMENT', `signals: [speed], from: "9999-12-31", to: "9999-12-31T23:59:59-14:00", step: "P1D"`],
    ['BAD_ARGUMENT', `signals: [speed], from: "1969-12-31", to: "1970-01-02", step: "P1D"`],
    ['BAD_REQUEST', `signals: [speed], from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", step: "5 minutes"`],
    ['UNKNOWN_SIGNAL', `signals: [sped], from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", step: "PT1H"`],
  ])('refuses with %s: %s', async (code, args) => {
    const { errors } = await aggregate(args);
    expect(errors?.[0]?.extensions.code).toBe(code);
    if (args.includes('sped')) expect(errors?.[0]?.message).toContain('Did you mean the enum value "speed"');
  });
});

describe('series', () => {
  const series = async (maxPoints: number, method: string) => {
    const { data } = await api.query<{
      car: { series: { values: number; unit: string; points: { at: string; value: number }[] }[] };
    }>(
      `{ car(id: "car-1") { series(signals: [speed], from: "${iso(SOME_INSTANT)}", to: "${iso(NOW)}", maxPoints: ${maxPoints}, method: ${method}) {
         values unit points { at value } } } }`,
    );
    return data.car.series[0];
  };
  const sent = MINE.flatMap(({ at, signals: { speed } }) =>
    speed === null ? [] : [{ at: at.toISOString(), value: speed }],
  );
  const key = ({ at, value }: { at: string; value: number }) => `${at}/${value}`;

  it.each(['LTTB', 'MIN_MAX'])('%s keeps both ends, and nothing that was not sent', async (method) => {
    const all = new Set(sent.map(key));
    for (const most of [4, 50, 300]) {
      const answer = await series(most, method);
      expect(answer?.values).toBe(sent.length);
      expect(answer?.points.length).toBeLessThanOrEqual(most);
      expect(answer?.points.every((point) => all.has(key(point)))).toBe(true);
      expect([answer?.points[0], answer?.points.at(-1)]).toEqual([sent[0], sent.at(-1)]);
      const times = answer?.points.map(({ at }) => Date.parse(at)) ?? [];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('MIN_MAX keeps the lowest and the highest value', async () => {
    const values = (await series(40, 'MIN_MAX'))?.points.map(({ value }) => value) ?? [];
    const speeds = sent.map(({ value }) => value);
    expect([Math.min(...values), Math.max(...values)]).toEqual([Math.min(...speeds), Math.max(...speeds)]);
  });

  it.each(['LTTB', 'MIN_MAX'])('%s gives everything where that is little', async (method) => {
    expect((await series(sent.length, method))?.points).toEqual(sent);
  });
});

describe('units', () => {
  it('are those that were asked for, of values, figures and plots', async () => {
    const range = `from: "${iso(SOME_INSTANT)}", to: "${iso(NOW)}", units: { speed: KILOMETRES_PER_HOUR, temperature: FAHRENHEIT }`;
    const { data, errors } = await api.query<{ car: Record<string, never> }>(`{ car(id: "car-1") {
      signals { speed kmh: speed(unit: KILOMETRES_PER_HOUR) tirePressure11 bar: tirePressure11(unit: BAR) f: coolantTemp(unit: FAHRENHEIT) coolantTemp }
      own: aggregate(signals: [speed, coolantTemp], from: "${iso(SOME_INSTANT)}", to: "${iso(NOW)}", step: "P1D") { buckets { signals { unit max } } }
      other: aggregate(signals: [speed, coolantTemp], ${range}, step: "P1D") { buckets { signals { unit max } } }
      series(signals: [speed], ${range}) { unit }
    } }`);
    expect(errors).toBeUndefined();
    const car = data.car as unknown as {
      signals: Record<string, number>;
      own: { buckets: { signals: { max: number }[] }[] };
      other: { buckets: { signals: { unit: string; max: number }[] }[] };
      series: { unit: string }[];
    };
    expect(car.signals['kmh']).toBeCloseTo((car.signals['speed'] ?? 0) * 3.6, 9);
    expect(car.signals['bar']).toBeCloseTo((car.signals['tirePressure11'] ?? 0) * 0.068_947_572_93, 9);
    expect(car.signals['f']).toBeCloseTo((car.signals['coolantTemp'] ?? 0) * 1.8 + 32, 9);
    const [own, other] = [car.own.buckets[0]?.signals, car.other.buckets[0]?.signals];
    expect(other?.map(({ unit }) => unit)).toEqual(['km/h', '°F']);
    expect(other?.[0]?.max).toBeCloseTo((own?.[0]?.max ?? 0) * 3.6, 9);
    expect(other?.[1]?.max).toBeCloseTo((own?.[1]?.max ?? 0) * 1.8 + 32, 9);
    expect(car.series[0]?.unit).toBe('km/h');
  });

  it('are listed with the signals and their paths', async () => {
    const { data } = await api.query<{ signals: { name: string }[] }>('{ signals { name unit units vssPath wire } }');
    expect(data.signals).toHaveLength(18);
    expect(data.signals.find(({ name }) => name === 'speed')).toEqual({
      name: 'speed',
      unit: 'm/s',
      units: ['m/s', 'km/h', 'mph'],
      vssPath: 'Vehicle.Speed',
      wire: 'speed',
    });
  });
});

describe('history', () => {
  it('reads only the signals that were asked for', async () => {
    const { data } = await api.query<{ car: { history: { nodes: object[] } } }>(
      '{ car(id: "car-1") { history(first: 2, signals: [coolantTemp]) { nodes { signals { coolantTemp speed tirePressure11 } } } } }',
    );
    const expected = MINE.slice(0, 2).map(({ signals: { coolantTemp } }) => ({
      signals: { coolantTemp, speed: null, tirePressure11: null },
    }));
    expect(data.car.history.nodes).toEqual(expected);
  });
});

describe('many requests at the same moment', () => {
  it('are all answered, however much they ask for together', async () => {
    const { histories, rollups } = api.app.get<Loaders>(LOADERS);
    const range = { to: MINE[3]?.at ?? null };
    const page = { car: 'car-1', range, place: null, backwards: false, signals: [], limit: 5_001 };
    commands.length = 0;
    // As each would be loaded by a request of its own: they could have 90,018 rows.
    const pages = await Promise.all(Array.from({ length: 18 }, () => histories.load(page)));
    const ids = MINE.slice(0, 3).map(({ _id }) => _id);
    expect(pages.map((rows) => rows.map(({ _id }) => _id))).toEqual(Array(18).fill(ids));
    expect(commands.filter(({ commandName }) => commandName === 'aggregate')).toHaveLength(2);
    const query = { car: 'car-1', step: 'HOUR' as const, starts: [SOME_INSTANT], count: 1, started: false };
    const answers = await Promise.all(Array.from({ length: 110 }, () => rollups.load(query)));
    expect(answers.map((answer) => answer().nodes.length)).toEqual(Array(110).fill(1));
  });
});

describe('plans', () => {
  const stagesOf = async (pipeline: object[]) =>
    JSON.stringify(await api.database.collections.readings.aggregate(pipeline).explain());

  it('use the index on car and time, and no other read', async () => {
    const range = { car: 'car-1', from: new Date(SOME_INSTANT), to: new Date(NOW) };
    const buckets = {
      ...range,
      signals: ['speed' as const],
      step: 60_000,
      figures: new Set(['MAX' as const]),
      percentiles: [],
    };
    const points = { ...range, signal: 'speed' as const, maxPoints: 10, method: 'LTTB' as const };
    for (const pipeline of [BUCKETS(buckets), EXTREMES(points, 10)]) {
      const plan = await stagesOf(pipeline);
      expect(plan).toContain('car_at');
      expect(plan).not.toContain('COLLSCAN');
    }
    const full = await api.database.collections.twins
      .aggregate(FLEET_COUNTS({ stale: new Date(), offline: new Date() }))
      .explain();
    expect(JSON.stringify(full)).toContain('COLLSCAN');
  });
});
