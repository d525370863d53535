import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReadingDocument } from '../../src/twin/documents.js';
import { setAttributes } from '../../src/twin/set-attributes.js';
import { type Api, startApi } from '../builders/api.js';
import { someReading, SOME_INSTANT } from '../builders/reading.js';
import { someTwin } from '../builders/twin.js';

const SECOND = 1_000;
const DAY = 86_400_000;
const RETENTION = 30;
/** Days, of rollups. */
const FIVE_MINUTES_KEPT = 35;
const LIMIT = 4_000;
const now = SOME_INSTANT + 1_000 * SECOND;

let api: Api;
let offset = 0;

beforeAll(async () => {
  api = await startApi({
    database: `gql_past_edges_${process.pid}`,
    clock: () => now,
    env: {
      HISTORY_RETENTION: String(RETENTION),
      ROLLUP_RETENTION: String(FIVE_MINUTES_KEPT),
      EPISODE_CLEAR: '5',
      LIMIT_PAST_READINGS: String(LIMIT),
    },
  });
});
afterAll(() => api.stop());

interface Row {
  /** ms */
  readonly at: number;
  readonly ratio?: number;
  readonly late?: true;
}

/** A car with exactly these rows. */
async function aCar(car: string, rows: readonly Row[], twin: Parameters<typeof someTwin>[0] = {}): Promise<void> {
  const documents = rows.map(({ at, ratio = 0.1, late }): ReadingDocument => {
    const score = { value: ratio, threshold: 1, anomalous: ratio > 1, model: 'm@1' };
    return someReading(offset++, {
      car,
      at: new Date(at),
      score: { ...score, topSignals: [{ signal: 'tirePressure11', share: 0.9 }] },
      ...(late ? { late } : {}),
    });
  });
  const times = rows.map(({ at }) => at);
  const counters = { readings: rows.length, late: 0, duplicate: 0, expired: 0, rejected: 0 };
  await api.database.collections.readings.insertMany(documents);
  await api.database.collections.twins.insertOne(
    someTwin({
      _id: car,
      firstSeenAt: new Date(Math.min(...times)),
      lastSeenAt: new Date(Math.max(...times)),
      counters,
      ...twin,
    }),
  );
}

const series = (from: number, count: number, ratio?: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ at: from + n * SECOND, ...(ratio === undefined ? {} : { ratio }) }));

async function carAt(id: string, at: number, fields = 'status lastSeenAt counters { readings late }') {
  const query = `query ($id: ID!, $at: DateTime) { car(id: $id, at: $at) { ${fields} } }`;
  return api.query<{ car: Record<string, unknown> | null }>(query, { id, at: new Date(at).toISOString() });
}

describe('car(at) at its edges', () => {
  it('knows nothing of rows that an erase has not removed yet', async () => {
    await aCar('erased', series(SOME_INSTANT, 3, 3));
    const { readings, twins } = api.database.collections;
    const left = await readings.countDocuments({ car: 'erased' });
    await twins.deleteOne({ _id: 'erased' });
    await aCar('erased', series(SOME_INSTANT + 10 * SECOND, 2));
    expect(left).toBe(3);
    const { data } = await carAt('erased', SOME_INSTANT + 11 * SECOND);
    expect(data.car).toMatchObject({ status: 'NORMAL', counters: { readings: 2 } });
    expect((await carAt('erased', SOME_INSTANT + 2 * SECOND)).data.car).toBeNull();
  });

  it('does not go by rows past the retention, which go in any order', async () => {
    const edge = now - RETENTION * DAY;
    // Calm ones that are still there, while the anomalous ones behind them are gone.
    const rows = [...series(edge - 100 * SECOND, 5), ...series(edge + 10 * SECOND, 2)];
    await aCar('at-the-edge', rows);
    const { data, errors } = await carAt('at-the-edge', edge + 11 * SECOND);
    expect(data.car).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe('BEFORE_RETENTION');
    const calm = [...series(edge - 100 * SECOND, 5), ...series(edge + 10 * SECOND, 8)];
    await aCar('behind-the-edge', calm, { counters: { ...someTwin().counters, readings: 100, late: 4 } });
    const behind = await carAt('behind-the-edge', edge + 16 * SECOND);
    expect(behind.data.car).toMatchObject({ status: 'NORMAL', counters: { readings: 99, late: 4 } });
  });

  it('goes back over a long silence, to the episode that was open before it', async () => {
    const [before, after] = [now - 20 * DAY, now - 2 * DAY];
    await aCar('silent', [...series(before - 1_000 * SECOND, 900), ...series(before, 6, 3), ...series(after, 3)]);
    const { data, errors } = await carAt(
      'silent',
      after + 2 * SECOND,
      'status openEpisodes { openedAt car { status asOf } }',
    );
    expect(errors).toBeUndefined();
    const asOf = new Date(after + 2 * SECOND).toISOString();
    const openedAt = new Date(before + 2 * SECOND).toISOString();
    const then = { status: 'ANOMALOUS', asOf };
    expect(data.car).toEqual({ status: 'ANOMALOUS', openEpisodes: [{ openedAt, car: then }] });
    const during = await carAt('silent', now - 10 * DAY, 'freshness lastSeenAt');
    expect(during.data.car).toEqual({
      freshness: 'OFFLINE',
      lastSeenAt: new Date(before + 5 * SECOND).toISOString(),
    });
  });

  it('refuses where more readings than the limit would be folded, and answers others beside it', async () => {
    const never = Array.from({ length: LIMIT + 1 }, (_, n): Row => ({ at: SOME_INSTANT + n, ratio: 0.95 }));
    await aCar('never-calm', never);
    const at = new Date(SOME_INSTANT + 60_000).toISOString();
    const ask = (id: string) => `car(id: "${id}", at: "${at}") { status }`;
    const { data, errors } = await api.query(`{ a: ${ask('never-calm')} b: ${ask('erased')} }`);
    expect(data).toEqual({ a: null, b: { status: 'NORMAL' } });
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([[['a'], 'TOO_MANY_READINGS']]);
  });

  it('takes everything of one instant', async () => {
    const at = SOME_INSTANT + 5 * SECOND;
    await aCar('at-once', [
      ...series(SOME_INSTANT, 1),
      ...Array.from({ length: 1_500 }, (): Row => ({ at, ratio: 3 })),
    ]);
    const counters = 'counters { readings }';
    expect((await carAt('at-once', at - 1, counters)).data.car).toEqual({ counters: { readings: 1 } });
    const { data, errors } = await carAt('at-once', at, `${counters} openEpisodes { readings }`);
    expect(errors).toBeUndefined();
    // The third of five opens it; all that follow are in it.
    expect(data.car).toEqual({ counters: { readings: 1_501 }, openEpisodes: [{ readings: 1_498 }] });
  });
});

describe('attributes in the past', () => {
  it('former ones are those before the one of then, and what is no longer kept is no null', async () => {
    await aCar('named', series(SOME_INSTANT, 100));
    for (let n = 1; n <= 60; n += 1) {
      const at = new Date(SOME_INSTANT + n * SECOND);
      await setAttributes(api.database, { car: 'named', values: { model: `m${n}` }, ifVersion: null, at, by: 'ann' });
    }
    const fields = 'attributes { model version } formerAttributes { version }';
    const later = await carAt('named', SOME_INSTANT + 12 * SECOND, fields);
    expect(later.data.car).toEqual({
      attributes: { model: 'm12', version: 12 },
      formerAttributes: [{ version: 11 }, { version: 10 }],
    });
    const gone = await carAt('named', SOME_INSTANT + 5 * SECOND, 'attributes { model }');
    expect(gone.data.car).toEqual({ attributes: null });
    expect(gone.errors?.[0]?.extensions.code).toBe('BEFORE_RETENTION');
  });
});

describe('figures over the edge of what is kept', () => {
  const DAY_AGO = now - DAY;
  const edge = new Date(now - RETENTION * DAY).toISOString();
  const iso = (at: number) => new Date(at).toISOString();
  const ask = async (id: string, from: number, { step, figure }: { step: string; figure: string }) => {
    const range = `signals: [speed], from: "${iso(from)}", to: "${iso(now)}"`;
    const { data, errors } = await api.query<{
      car: { aggregate: { source: string; keptSince: string | null }; series: { keptSince: string | null }[] };
    }>(`{ car(id: "${id}") {
      aggregate(${range}, step: "${step}", figures: [${figure}]) { source keptSince }
      series(${range}) { keptSince }
    } }`);
    expect(errors).toBeUndefined();
    return [data.car.aggregate.source, data.car.aggregate.keptSince, data.car.series[0]?.keptSince];
  };
  const BY_READINGS = { step: 'P1D', figure: 'LAST' };

  it('say from when on they are whole, where a car may have sent something before', async () => {
    await aCar('old', [...series(now - 40 * DAY, 3), ...series(DAY_AGO, 3)]);
    expect(await ask('old', now - 60 * DAY, BY_READINGS)).toEqual(['RAW', edge, edge]);
    expect(await ask('old', now - RETENTION * DAY, BY_READINGS)).toEqual(['RAW', null, null]);
    expect(await ask('old', now - RETENTION * DAY - 1, BY_READINGS)).toEqual(['RAW', edge, edge]);
    await aCar('new', series(DAY_AGO, 3));
    expect(await ask('new', now - 60 * DAY, BY_READINGS)).toEqual(['RAW', null, null]);
  });

  it('are whole for as long as the rollups are kept that they are made from', async () => {
    const hour = now - 40 * DAY - ((now - 40 * DAY) % 3_600_000);
    const query = (from: number, step: string) =>
      `{ car(id: "old") { aggregate(signals: [speed], from: "${iso(from)}", to: "${iso(from + DAY)}", step: "${step}", figures: [MEAN]) { source keptSince } } }`;
    const answer = async (from: number, step: string) => (await api.query(query(from, step))).data;
    const whole = { car: { aggregate: { source: 'ROLLUP', keptSince: null } } };
    expect(await answer(hour, 'PT1H')).toEqual(whole);
    const keptSince = iso(now - FIVE_MINUTES_KEPT * DAY);
    expect(await answer(hour, 'PT5M')).toEqual({ car: { aggregate: { source: 'ROLLUP', keptSince } } });
    // The car was not there yet.
    expect(await answer(hour - 20 * DAY, 'PT5M')).toEqual(whole);
  });
});
