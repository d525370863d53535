import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coarse } from '../../src/fleet/fine-bins.js';
import { HISTOGRAM } from '../../src/fleet/pipelines.js';
import { inShell, QUESTIONS } from '../../src/fleet/questions.js';
import { LOOK_BACK } from '../../src/fleet/source.js';
import { Random } from '../../src/simulator/random.js';
import type { Twin } from '../../src/twin/documents.js';
import { type Api, startApi } from '../builders/api.js';
import { someEpisode } from '../builders/episode.js';
import { SOME_INSTANT, someReading, someSignals } from '../builders/reading.js';
import { someScore, someTwin } from '../builders/twin.js';

const random = new Random(11);
const pick = <T>(values: readonly T[]) => values[Math.floor(random.next() * values.length)] as T;
const maybe = <T>(value: T, share = 0.85) => (random.next() < share ? value : null);
const NOW = SOME_INSTANT + 600_000;
const iso = (at: number) => new Date(at).toISOString();

/** Cars of two fleets and of none, some without a score, a signal or a model. */
const TWINS: Twin[] = Array.from({ length: 400 }, (_, n) => {
  const speed = maybe(random.next() * 40);
  const fleet = maybe(pick(['north', 'south']), 0.9);
  const model = maybe(pick(['hatch', 'van', 'bus']), 0.8);
  const attributes = { ...(fleet === null ? {} : { fleet }), ...(model === null ? {} : { model }) };
  const signals = someSignals({
    speed,
    coolantTemp: speed === null ? null : 30 + speed + random.next() * 20,
    tirePressure11: 32,
    controlUnitFirmware: pick([1_000, 2_000, 3_000, null]),
  });
  return someTwin({
    _id: `car-${n}`,
    status: pick(['NORMAL', 'NORMAL', 'SUSPECT', 'ANOMALOUS'] as const),
    score: maybe(someScore(random.next() * 4)),
    lastSeenAt: new Date(NOW - pick([0, 30_000, 120_000, 900_000])),
    reported: { ...someTwin().reported, signals },
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  });
});
const firmwareOf = ({ reported }: Twin) => reported.signals.controlUnitFirmware;
const EPISODES = Array.from({ length: 150 }, (_, n) => {
  const twin = pick(TWINS);
  const openedAt = new Date(SOME_INSTANT - Math.floor(random.next() * 7_200_000));
  const clearedAt = maybe(new Date(openedAt.getTime() + 60_000 + n * 1_000), 0.7);
  const fleet = twin.attributes?.fleet;
  const status = clearedAt ? ('CLEARED' as const) : ('OPEN' as const);
  const own = {
    car: twin._id,
    kind: pick(['TIRE', 'BATTERY', 'FIRMWARE_OUTDATED'] as const),
    openedAt,
    clearedAt,
    status,
  };
  const episode = someEpisode(own);
  return { ...episode, _id: `${episode._id}/${n}`, ...(fleet === undefined ? {} : { fleet }) };
});

let api: Api;
beforeAll(async () => {
  api = await startApi({ database: `gql_analytics_${process.pid}`, clock: () => NOW });
  const { twins, anomalies, readings } = api.database.collections;
  await twins.insertMany(TWINS);
  await anomalies.insertMany(EPISODES);
  await readings.insertMany(READINGS);
});
afterAll(() => api.stop());

/** Of the first 100 cars, one reading every five minutes for an hour. */
const READINGS = Array.from({ length: 1_200 }, (_, n) =>
  someReading(n, {
    car: `car-${n % 100}`,
    at: new Date(SOME_INSTANT - 3_600_000 + Math.floor(n / 100) * 300_000 + (n % 100) * 1_000),
    signals: someSignals({ speed: maybe(n % 37), controlUnitFirmware: n % 2 === 0 ? 1_000 : 2_000 }),
  }),
);

const ROLLUPS = `rollups(step: HOUR, from: "${iso(SOME_INSTANT - 3_600_000)}", to: "${iso(SOME_INSTANT)}") { nodes { readings } }`;

const fleet = async <T>(fields: string, args = '') => {
  const { data, errors } = await api.query<{ fleet: T }>(`{ fleet${args} { ${fields} } }`);
  expect(errors).toBeUndefined();
  return data.fleet;
};
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const numbers = (values: readonly (number | null | undefined)[]) =>
  values.filter((one): one is number => one !== null && one !== undefined);
/** How many have each value, by its text. */
function tally(values: readonly (string | number | null | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value ?? null)] = (counts[String(value ?? null)] ?? 0) + 1;
  return counts;
}
interface Row {
  values: (string | null)[];
  cars: number;
  measured: number;
  stale: number;
  mean: number | null;
  percentiles: (number | null)[];
}
const COVERAGE = 'coverage { cars measured stale source from asOf }';
const staleOf = (twins: readonly Twin[]) =>
  twins.filter(({ lastSeenAt }) => NOW - lastSeenAt.getTime() >= 60_000).length;
const speedOf = ({ reported }: Twin) => reported.signals.speed;
/** The coverage of an answer about twins as they are. */
const restsOn = (twins: readonly Twin[], measure: (twin: Twin) => number | null | undefined) => ({
  cars: twins.length,
  measured: numbers(twins.map(measure)).length,
  stale: staleOf(twins),
  source: 'TWINS',
  from: null,
  asOf: iso(NOW),
});
const counted = (rows: readonly Row[]) => Object.fromEntries(rows.map(({ values, cars }) => [String(values[0]), cars]));

describe('fleet', () => {
  it('counts by firmware, model and fleet, of the cars of a filter', async () => {
    const args = '(filter: { status: [NORMAL, SUSPECT] })';
    const some = TWINS.filter(({ status }) => status !== 'ANOMALOUS');
    const answer = await fleet<
      Record<'byFirmware' | 'byModel' | 'byFleet', { groups: Row[] }> & { coverage: object; byStatus: object[] }
    >(
      'byFirmware { groups { values cars } } byModel { groups { values cars } } byFleet { groups { values cars } } byStatus { status cars } coverage { cars measured stale source from asOf }',
      args,
    );
    expect(counted(answer.byFirmware.groups)).toEqual(tally(some.map(firmwareOf)));
    expect(counted(answer.byModel.groups)).toEqual(tally(some.map(({ attributes }) => attributes?.model)));
    expect(counted(answer.byFleet.groups)).toEqual(tally(some.map(({ attributes }) => attributes?.fleet)));
    expect(answer.coverage).toEqual({
      cars: some.length,
      measured: some.filter(({ score }) => score).length,
      stale: staleOf(some),
      source: 'TWINS',
      from: null,
      asOf: iso(NOW),
    });
  });

  it('groups by two dimensions with a measure', async () => {
    const answer = await fleet<{ groupBy: { groups: Row[]; more: boolean; coverage: object } }>(
      `groupBy(by: [FIRMWARE, STATUS], measure: SCORE, percentiles: [0, 1]) { groups { values cars measured stale mean percentiles } more ${COVERAGE} }`,
    );
    const { groups: groupBy, more, coverage } = answer.groupBy;
    expect(more).toBe(false);
    expect(coverage).toEqual(restsOn(TWINS, ({ score }) => score?.ratio));
    const expected = tally(TWINS.map((twin) => `${firmwareOf(twin)}/${twin.status}`));
    expect(
      Object.fromEntries(groupBy.map(({ values, cars }) => [values.join('/').replace(/^\//, 'null/'), cars])),
    ).toEqual(expected);
    expect(groupBy.map(({ cars }) => cars)).toEqual(groupBy.map(({ cars }) => cars).toSorted((a, b) => b - a));
    for (const { values, measured, stale, mean: shown, percentiles } of groupBy) {
      const inside = TWINS.filter(
        (twin) => String(firmwareOf(twin)) === String(values[0]) && twin.status === values[1],
      );
      const ratios = numbers(inside.map(({ score }) => score?.ratio));
      expect(measured).toBe(ratios.length);
      expect(stale).toBe(staleOf(inside));
      expect(shown).toBeCloseTo(mean(ratios), 9);
      expect(percentiles[0]).toBeCloseTo(Math.min(...ratios), 9);
      expect(percentiles[1]).toBeCloseTo(Math.max(...ratios), 9);
    }
  });

  it('says how a measure spreads', async () => {
    const { distribution } = await fleet<{
      distribution: {
        coverage: object;
        mean: number;
        min: number;
        max: number;
        percentiles: number[];
        histogram: { from: number; to: number; cars: number }[];
      };
    }>(
      `distribution(measure: speed, percentiles: [0.5], bins: 7) { mean min max percentiles histogram { from to cars } ${COVERAGE} }`,
    );
    const speeds = numbers(TWINS.map(({ reported }) => reported.signals.speed)).sort((a, b) => a - b);
    expect(distribution).toMatchObject({ min: speeds[0], max: speeds.at(-1) });
    expect(distribution.coverage).toEqual(restsOn(TWINS, speedOf));
    expect(distribution.mean).toBeCloseTo(mean(speeds), 9);
    // Approximate: its rank is right to a few cars.
    const rank = speeds.filter((one) => one <= (distribution.percentiles[0] ?? 0)).length;
    expect(Math.abs(rank / speeds.length - 0.5)).toBeLessThan(0.03);
    expect(distribution.histogram).toHaveLength(7);
    expect(distribution.histogram.reduce((sum, { cars }) => sum + cars, 0)).toBe(speeds.length);
    for (const [n, { from, to, cars }] of distribution.histogram.entries())
      expect(cars).toBe(speeds.filter((one) => one >= from && (n === 6 ? one <= to : one < to)).length);
  });

  it('says nothing of a measure that no car has, and one bin where all have the same', async () => {
    const args = '(filter: { ids: ["nobody"] })';
    expect(
      await fleet(`distribution(measure: speed) { mean percentiles histogram { cars } ${COVERAGE} }`, args),
    ).toEqual({
      distribution: {
        coverage: restsOn([], speedOf),
        mean: null,
        percentiles: [null, null, null, null],
        histogram: [],
      },
    });
    const { distribution } = await fleet<{ distribution: { histogram: { cars: number }[] } }>(
      'distribution(measure: tirePressure11, bins: 3) { histogram { cars } }',
    );
    expect(distribution.histogram.reduce((sum, { cars }) => sum + cars, 0)).toBe(TWINS.length);
  });

  it('counts every car, also one that fell below or rose above the range since that was read', async () => {
    const { twins } = api.database.collections;
    const speeds = numbers(TWINS.map(speedOf));
    const rows = await twins.aggregate(HISTOGRAM('speed', 10, 0.5, 20)).toArray();
    const counts = new Map(rows.map((row) => [row['_id'] as number, row['cars'] as number]));
    const bins = coarse(counts, { min: 10, width: 0.5 }, 2, 20);
    expect(bins).toEqual([
      { from: 10, to: 15, cars: speeds.filter((speed) => speed < 15).length },
      { from: 15, to: 20, cars: speeds.filter((speed) => speed >= 15).length },
    ]);
  });

  it('names the cars with the highest and the lowest values', async () => {
    const answer = await fleet<
      Record<'high' | 'low', { cars: { value: number; car: { id: string } }[]; coverage: object }>
    >(
      `high: extremes(measure: SCORE, first: 5) { cars { value car { id } } ${COVERAGE} } low: extremes(measure: SCORE, first: 5, lowest: true) { cars { value car { id } } }`,
    );
    expect(answer.high.coverage).toEqual(restsOn(TWINS, ({ score }) => score?.ratio));
    const scored = TWINS.filter(({ score }) => score).sort((a, b) => (b.score?.ratio ?? 0) - (a.score?.ratio ?? 0));
    expect(answer.high.cars.map(({ car }) => car.id)).toEqual(scored.slice(0, 5).map(({ _id }) => _id));
    expect(answer.low.cars.map(({ car }) => car.id)).toEqual(
      scored
        .slice(-5)
        .reverse()
        .map(({ _id }) => _id),
    );
  });

  it.each([0, 1])('names no more extreme cars than are asked for: %s', async (first) => {
    const { extremes } = await fleet<{ extremes: { cars: object[]; coverage: object } }>(
      `extremes(measure: SCORE, first: ${first}) { cars { value } ${COVERAGE} }`,
    );
    expect(extremes.cars).toHaveLength(first);
    expect(extremes.coverage).toEqual(restsOn(TWINS, ({ score }) => score?.ratio));
  });

  it('correlates measures over the cars that have all of them', async () => {
    const { correlation } = await fleet<{ correlation: { coverage: object; matrix: (number | null)[][] } }>(
      `correlation(measures: [speed, coolantTemp, tirePressure11]) { matrix ${COVERAGE} }`,
    );
    const pairs = TWINS.map(({ reported: { signals } }) => signals).filter(({ speed }) => speed !== null);
    const [x, y] = [pairs.map(({ speed }) => speed ?? 0), pairs.map(({ coolantTemp }) => coolantTemp ?? 0)];
    const [mx, my] = [mean(x), mean(y)];
    const product = (a: number[], ma: number, b: number[], mb: number) =>
      mean(a.map((one, n) => (one - ma) * ((b[n] ?? 0) - mb)));
    const r = product(x, mx, y, my) / Math.sqrt(product(x, mx, x, mx) * product(y, my, y, my));
    expect(correlation.coverage).toEqual(restsOn(TWINS, speedOf));
    expect(correlation.matrix[0]?.[1]).toBeCloseTo(r, 9);
    expect(correlation.matrix[1]?.[0]).toBeCloseTo(r, 9);
    expect(correlation.matrix[0]?.[0]).toBeCloseTo(1, 9);
    expect(correlation.matrix[2]).toEqual([null, null, null]);
  });

  it('correlates nothing with a measure that never varies, whatever its mean is rounded to', async () => {
    const { twins } = api.database.collections;
    const same = Array.from({ length: 7 }, (_, n) =>
      someTwin({
        _id: `same-${n}`,
        reported: { ...someTwin().reported, signals: someSignals({ speed: 0.1, coolantTemp: n }) },
      }),
    );
    await twins.insertMany(same);
    const ids = JSON.stringify(same.map(({ _id }) => _id));
    const { correlation } = await fleet<{ correlation: { matrix: (number | null)[][] } }>(
      'correlation(measures: [speed, coolantTemp]) { matrix }',
      `(filter: { ids: ${ids} })`,
    );
    await twins.deleteMany({ _id: /^same-/ });
    expect(correlation.matrix).toEqual([
      [null, null],
      [null, 1],
    ]);
  });

  it('gives failure rates by firmware with their intervals, and times between and until cleared', async () => {
    const [from, to] = [SOME_INSTANT - 3_600_000, SOME_INSTANT];
    const window = `from: "${iso(from)}", to: "${iso(to)}"`;
    const answer = await fleet<{
      failureRates: {
        coverage: object;
        groups: {
          value: string | null;
          cars: number;
          failed: number;
          episodes: number;
          rate: number;
          low: number;
          high: number;
        }[];
      };
      episodeTimes: {
        coverage: { cars: number };
        kinds: {
          kind: string;
          episodes: number;
          cleared: number;
          open: number;
          between: number;
          toClear: number | null;
        }[];
      };
    }>(
      `failureRates(${window}) { groups { value cars failed episodes rate low high } ${COVERAGE} } episodeTimes(${window}) { kinds { kind episodes cleared open between toClear } ${COVERAGE} }`,
    );
    const inside = EPISODES.filter(
      ({ kind, openedAt }) => kind !== 'FIRMWARE_OUTDATED' && +openedAt >= from && +openedAt < to,
    );
    expect(answer.failureRates.coverage).toEqual(restsOn(TWINS, () => 0));
    expect(answer.episodeTimes.coverage).toEqual(restsOn(TWINS, () => 0));
    expect(new Set(answer.failureRates.groups.map(({ value }) => value))).toEqual(
      new Set(['1000', '2000', '3000', null]),
    );
    for (const { value, cars, failed, episodes, rate, low, high } of answer.failureRates.groups) {
      const group = TWINS.filter((twin) => String(firmwareOf(twin)) === String(value));
      const ids = new Set(group.map(({ _id }) => _id));
      const theirs = inside.filter(({ car }) => ids.has(car));
      expect([cars, episodes]).toEqual([group.length, theirs.length]);
      expect(failed).toBe(new Set(theirs.map(({ car }) => car)).size);
      expect(rate).toBeCloseTo(failed / cars, 9);
      expect(low).toBeLessThan(rate);
      expect(high).toBeGreaterThan(rate);
    }
    for (const { kind, episodes, cleared, open, between, toClear } of answer.episodeTimes.kinds) {
      const some = inside.filter((one) => one.kind === kind);
      const times = some.flatMap(({ openedAt, clearedAt }) => (clearedAt ? [(+clearedAt - +openedAt) / 1_000] : []));
      expect([episodes, cleared, open]).toEqual([some.length, times.length, some.length - times.length]);
      expect(between).toBeCloseTo((TWINS.length * 3_600) / some.length, 6);
      expect(toClear).toBeCloseTo(mean(times), 6);
    }
    const vans = await fleet<typeof answer>(
      `episodeTimes(${window}) { kinds { kind episodes } coverage { cars } }`,
      '(filter: { model: ["van"], score: { min: 1 } })',
    );
    const some = TWINS.filter(({ attributes, score }) => attributes?.model === 'van' && score && score.ratio >= 1);
    const ids = new Set(some.map(({ _id }) => _id));
    const kinds = ['BATTERY', 'TIRE'].map((kind) => ({
      kind,
      episodes: inside.filter((one) => one.kind === kind && ids.has(one.car)).length,
    }));
    expect(vans.episodeTimes.coverage.cars).toBe(some.length);
    expect(vans.episodeTimes.kinds).toEqual(kinds.filter(({ episodes }) => episodes > 0));
  });

  it('gives them of the last so many hours, up to when they were read', async () => {
    const ask = (window: string) =>
      fleet(
        `failureRates(${window}) { groups { value failed episodes } window { from to } } episodeTimes(${window}) { kinds { kind episodes between } window { from to } }`,
      );
    const [from, to] = [iso(NOW - 5_400_000), iso(NOW)];
    const last = await ask('last: "PT1H30M"');
    expect(last).toEqual(await ask(`from: "${from}", to: "${to}"`));
    expect(last).toMatchObject({ failureRates: { window: { from, to } }, episodeTimes: { window: { from, to } } });
    const { failureRates } = last as { failureRates: { groups: { episodes: number }[] } };
    const inside = EPISODES.filter(
      ({ kind, openedAt }) => kind !== 'FIRMWARE_OUTDATED' && +openedAt >= Date.parse(from),
    );
    expect(failureRates.groups.reduce((sum, { episodes }) => sum + episodes, 0)).toBe(inside.length);
    expect(inside.length).toBeGreaterThan(0);
  });

  it('of the past goes by the newest reading of each car in the ten minutes before', async () => {
    const at = SOME_INSTANT - 1_800_000 + 50_000;
    const args = `(at: "${iso(at)}", filter: { firmware: [1000] })`;
    const answer = await fleet<{ byStatus: null; coverage: object; distribution: { coverage: object; mean: number } }>(
      `byStatus { cars } coverage { cars source from asOf } distribution(measure: speed) { mean ${COVERAGE} }`,
      args,
    );
    const newest = new Map(
      READINGS.filter((row) => +row.at <= at && +row.at >= at - LOOK_BACK).map((row) => [row.car, row]),
    );
    const rows = [...newest.values()].filter(({ signals }) => signals.controlUnitFirmware === 1_000);
    expect(answer.byStatus).toBeNull();
    const then = { source: 'READINGS', from: iso(at - LOOK_BACK), asOf: iso(at) };
    expect(answer.coverage).toEqual({ cars: rows.length, ...then });
    const speeds = numbers(rows.map(({ signals }) => signals.speed));
    const stale = rows.filter((row) => at - row.at.getTime() >= 60_000).length;
    expect(stale).toBeGreaterThan(0);
    expect(answer.distribution.coverage).toEqual({ cars: rows.length, measured: speeds.length, stale, ...then });
    expect(answer.distribution.mean).toBeCloseTo(mean(speeds), 9);
  });

  it('of the past goes by the attributes of today', async () => {
    const at = SOME_INSTANT - 1_800_000 + 50_000;
    const recent = new Set(READINGS.filter((row) => +row.at <= at && +row.at >= at - LOOK_BACK).map(({ car }) => car));
    const then = TWINS.filter(({ _id }) => recent.has(_id));
    const north = then.filter(({ attributes }) => attributes?.fleet === 'north');
    expect(north.length).toBeGreaterThan(0);
    const answer = await fleet<{ byModel: { groups: Row[] }; coverage: object }>(
      'byModel { groups { values cars } } coverage { cars }',
      `(at: "${iso(at)}", filter: { fleet: ["north"] })`,
    );
    expect(answer.coverage).toEqual({ cars: north.length });
    expect(counted(answer.byModel.groups)).toEqual(tally(north.map(({ attributes }) => attributes?.model)));
    const all = await fleet<{ byFleet: { groups: Row[] } }>('byFleet { groups { values cars } }', `(at: "${iso(at)}")`);
    expect(counted(all.byFleet.groups)).toEqual(tally(then.map(({ attributes }) => attributes?.fleet)));
  });

  it('compares two cohorts', async () => {
    const { data, errors } = await api.query<{
      compareFleets: { coverage: { cars: number }[]; measures: Record<string, never>[] };
    }>(
      `{ compareFleets(left: { filter: { fleet: ["north"] } }, right: { filter: { fleet: ["south"] } }, measures: [speed, SCORE]) {
         coverage { cars } measures { measure left { count mean deviation } right { count mean } difference low high } } }`,
    );
    expect(errors).toBeUndefined();
    const of = (fleetName: string) => TWINS.filter(({ attributes }) => attributes?.fleet === fleetName);
    expect(data.compareFleets.coverage.map(({ cars }) => cars)).toEqual([of('north').length, of('south').length]);
    const speeds = (fleetName: string) => numbers(of(fleetName).map(({ reported }) => reported.signals.speed));
    const [north, south] = [speeds('north'), speeds('south')];
    const [first] = data.compareFleets.measures as unknown as {
      left: { count: number; mean: number; deviation: number };
      difference: number;
      low: number;
      high: number;
    }[];
    expect(first?.left.count).toBe(north.length);
    expect(first?.left.mean).toBeCloseTo(mean(north), 9);
    const deviation = Math.sqrt(north.reduce((sum, one) => sum + (one - mean(north)) ** 2, 0) / (north.length - 1));
    expect(first?.left.deviation).toBeCloseTo(deviation, 9);
    expect(first?.difference).toBeCloseTo(mean(south) - mean(north), 9);
    expect(first?.low).toBeLessThan(first?.difference ?? 0);
  });

  it.each([
    ['groupBy(by: []) { coverage { cars } }', 'BAD_ARGUMENT'],
    ['groupBy(by: [MODEL, FLEET, STATUS]) { coverage { cars } }', 'BAD_ARGUMENT'],
    ['groupBy(by: [MODEL], measure: sped) { coverage { cars } }', 'UNKNOWN_SIGNAL', '"speed"'],
    ['correlation(measures: [speed, coolanttemp]) { matrix }', 'UNKNOWN_SIGNAL', '"coolantTemp"'],
    ['groupBy(by: [MODLE]) { coverage { cars } }', 'BAD_REQUEST', '"MODEL"'],
    ['distribution(measure: speed, bins: 0) { coverage { cars } }', 'BAD_ARGUMENT'],
    ['distribution(measure: speed, percentiles: [2]) { coverage { cars } }', 'BAD_ARGUMENT'],
    ['extremes(measure: speed, first: 501) { cars { value } }', 'PAGE_TOO_LARGE'],
    ['correlation(measures: [speed]) { coverage { cars } }', 'BAD_ARGUMENT'],
    ['failureRates(from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z") { coverage { cars } }', 'BAD_RANGE'],
    ['failureRates { coverage { cars } }', 'BAD_ARGUMENT'],
    ['failureRates(from: "2026-01-02T00:00:00Z") { coverage { cars } }', 'BAD_ARGUMENT'],
    ['episodeTimes(last: "PT1H", to: "2026-01-02T00:00:00Z") { coverage { cars } }', 'BAD_ARGUMENT'],
    ['episodeTimes(last: "P400D") { coverage { cars } }', 'BAD_ARGUMENT'],
    ['failureRates(from: "0000-01-01", to: "0000-12-31") { coverage { cars } }', 'BAD_ARGUMENT'],
    ['failureRates(from: "9999-12-31", to: "9999-12-31T23:59:59-14:00") { coverage { cars } }', 'BAD_ARGUMENT'],
  ])('refuses %s', async (field, code, nearest = '') => {
    const { errors } = await api.query(`{ fleet { ${field} } }`);
    expect(errors?.[0]?.extensions.code).toBe(code);
    expect(errors?.[0]?.message).toContain(nearest);
  });

  it('refuses a measure that there is not in a variable, too, however often it is asked', async () => {
    const query = 'query ($m: FleetMeasure!) { fleet { distribution(measure: $m) { mean } } }';
    for (let time = 0; time < 3; time += 1) {
      const { errors } = await api.query(query, { m: 'sped' });
      expect(errors?.[0]?.extensions.code).toBe('UNKNOWN_SIGNAL');
      expect(errors?.[0]?.message).toContain('Did you mean the enum value "speed"');
    }
  });

  it.each([
    [`(at: "${iso(NOW)}", filter: { status: NORMAL })`, 'coverage { cars }'],
    [`(at: "${iso(NOW)}")`, 'top { id }'],
    ['(at: "0000-01-01")', 'coverage { cars }'],
    ['(at: "9999-12-31T23:59:59-14:00")', 'coverage { cars }'],
    [`(at: "${iso(NOW)}")`, ROLLUPS],
    ['(filter: { fleet: ["north"] })', ROLLUPS],
  ])('refuses what is not known then, or of some cars: fleet%s { %s }', async (args, field) => {
    const { errors } = await api.query(`{ fleet${args} { ${field} } }`);
    expect(errors?.[0]?.extensions.code).toBe('BAD_ARGUMENT');
  });
});

describe('plans', () => {
  const planOf = async (collection: string, stages: object[]) =>
    JSON.stringify(await api.database.db.collection(collection).aggregate(stages).explain());

  it.each(Object.entries(QUESTIONS))(
    '%s selects by an index, or reads the fleet once',
    async (_name, { on, stages }) => {
      const plan = await planOf(on, [...stages]);
      // Nothing that changes with every message is indexed: questions about all twins read all of them.
      if (on === 'twins') expect(plan).toContain('COLLSCAN');
      else if (on === 'anomalies') expect(plan).toContain('"opened"');
      else if (on === 'readings') expect(plan).toContain('IXSCAN');
      // SecantusDB's plans name no index for ids; the range has to be what the read is given.
      else expect(plan).toMatch(/"_id_"|"winningPlan":.{0,90}"_id":\{"\$lt"/);
    },
  );

  it('of one fleet select by the fleet', async () => {
    const plan = await planOf('twins', [
      { $match: { 'attributes.fleet': { $in: ['north'] } } },
      ...QUESTIONS.SPREAD.stages,
    ]);
    expect(plan).toContain('"fleet"');
  });

  it('are the ones that docs/analytics.md gives', () => {
    const docs = readFileSync('docs/analytics.md', 'utf8');
    for (const [name, question] of Object.entries(QUESTIONS)) expect(docs, name).toContain(inShell(question));
  });
});
