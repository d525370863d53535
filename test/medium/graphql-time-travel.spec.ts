import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/simulator/random.js';
import type { ReadingDocument, Twin } from '../../src/twin/documents.js';
import { applyReading } from '../../src/twin/apply-reading.js';
import { setAttributes } from '../../src/twin/set-attributes.js';
import { arrivedOf, byEventTime } from '../../src/history/past-reading.js';
import { type Api, startApi } from '../builders/api.js';
import { aReading, aRecord, NOON } from '../builders/sensor.js';
import { rigOn, RULES, TestLog } from '../ingest-rig.js';

const CARS = 20;
const INSTANTS = 50;
const READINGS = 200;
const SECOND = 1_000;
const END = NOON + READINGS * SECOND;
const random = new Random(7);
let now = END + 60_000;

let api: Api;
let byCar: Map<string, ReadingDocument[]>;

const RULES_ENV = {
  EPISODE_WINDOW: '5',
  EPISODE_OPEN: '3',
  EPISODE_CLEAR: '3',
  EPISODE_DOWNGRADE: String(RULES.downgradeAfter / 1_000),
};

beforeAll(async () => {
  api = await startApi({
    database: `gql_past_${process.pid}`,
    clock: () => now,
    env: { ...RULES_ENV, HISTORY_RETENTION: '1' },
  });
  const log = new TestLog();
  for (let n = 0; n < READINGS; n += 1)
    for (let car = 1; car <= CARS; car += 1) {
      // Stretches of trouble, readings that arrive late, two of one instant.
      const fast = Math.floor(n / 15) % 3 === car % 3 && random.next() < 0.8;
      const back = random.next() < 0.1 ? Math.floor(random.next() * 20) : 0;
      const reading = aReading({
        car: `car-${car}`,
        at: NOON + Math.max(0, n - back) * SECOND,
        signals: { speed: fast ? 45 : random.next() * 30 },
      });
      log.records.push(aRecord(log.high, reading, { timestamp: reading.at + 50 }));
    }
  await rigOn(api.database, log).process().drain();
  const rows = await api.database.collections.readings.find().toArray();
  byCar = grouped(rows);
});
afterAll(() => api.stop());

function grouped(rows: ReadingDocument[]): Map<string, ReadingDocument[]> {
  const groups = new Map<string, ReadingDocument[]>();
  for (const row of rows) groups.set(row.car, [...(groups.get(row.car) ?? []), row]);
  return groups;
}

/** The reducer over everything up to then, from the beginning. */
function folded(car: string, at: Date): Twin | null {
  const rows = (byCar.get(car) ?? []).filter((row) => row.at <= at).sort(byEventTime);
  return rows.reduce<Twin | null>((twin, row) => applyReading(twin, arrivedOf(row), RULES).twin, null);
}

const FIELDS = `id asOf status freshness reportedAt receivedAt firstSeenAt lastSeenAt revision
  signals { speed tirePressure11 } score { value ratio anomalous topSignals { signal share } }
  counters { readings late duplicate } source { offset }
  openEpisodes { id kind status severity readings openedAt updatedAt peak { ratio at } timeline { event at } }`;
const carAt = async (id: string, at: Date) =>
  api.query<{ car: Record<string, unknown> | null }>(
    `query ($id: ID!, $at: DateTime) { car(id: $id, at: $at) { ${FIELDS} } }`,
    {
      id,
      at: at.toISOString(),
    },
  );

describe('car(at)', () => {
  it(`is what the reducer makes of the readings up to then: ${CARS} cars, ${INSTANTS} instants each`, async () => {
    let open = 0;
    for (let car = 1; car <= CARS; car += 1)
      for (let n = 0; n < INSTANTS; n += 1) {
        const at = new Date(NOON + Math.floor(random.next() * READINGS * SECOND));
        const twin = folded(`car-${car}`, at);
        const { data, errors } = await carAt(`car-${car}`, at);
        expect(errors).toBeUndefined();
        const kinds = Object.values(twin?.openEpisodes ?? {});
        open += kinds.length;
        expect(data.car, `car-${car} at ${at.toISOString()}`).toMatchObject({
          asOf: at.toISOString(),
          status: twin?.status,
          freshness: 'LIVE',
          reportedAt: twin?.reported.at.toISOString(),
          receivedAt: twin?.reported.receivedAt.toISOString(),
          firstSeenAt: twin?.firstSeenAt.toISOString(),
          lastSeenAt: twin?.lastSeenAt.toISOString(),
          revision: null,
          signals: { speed: twin?.reported.signals.speed, tirePressure11: 32 },
          score: { value: twin?.score?.value, ratio: twin?.score?.ratio, anomalous: twin?.score?.anomalous },
          counters: { readings: twin?.counters.readings, duplicate: null },
          source: { offset: twin?.source.offset },
          openEpisodes: kinds.map(({ id, severity, readings, peakRatio }) => ({
            id,
            severity,
            readings,
            status: 'OPEN',
            peak: { ratio: peakRatio },
          })),
        });
      }
    expect(open).toBeGreaterThan(100);
  });

  it('is null before the first reading, and for a car that is not there', async () => {
    expect((await carAt('car-1', new Date(NOON - 1))).data.car).toBeNull();
    expect((await carAt('nobody', new Date(END))).data.car).toBeNull();
  });

  it('ends everything in it at that instant', async () => {
    const at = new Date(NOON + 50 * SECOND);
    const change = { car: 'car-1', values: { model: 'van' }, ifVersion: null, at, by: 'ann' };
    await setAttributes(api.database, change);
    await setAttributes(api.database, { ...change, values: { model: 'hatch' }, at: new Date(at.getTime() + SECOND) });
    const { data } = await api.query<{ car: { history: { nodes: { at: string }[] } } & Record<string, unknown> }>(
      `query ($at: DateTime) { car(id: "car-1", at: $at) {
        attributes { model } history(last: 3) { nodes { at } }
        before: diff(from: "${new Date(NOON - SECOND).toISOString()}") { readings statusFrom }
        rollups(step: FIVE_MINUTES, from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z") { nodes { from } }
      } }`,
      { at: at.toISOString() },
    );
    expect(data.car).toMatchObject({
      attributes: { model: 'van' },
      rollups: { nodes: [] },
      before: { statusFrom: null },
    });
    const shown = data.car.history.nodes.map((row) => Date.parse(row.at));
    expect(shown).toHaveLength(3);
    expect(Math.max(...shown)).toBeLessThanOrEqual(at.getTime());
  });

  it('says which signals, anomalies and how many readings lie between two instants', async () => {
    const [from, to] = [new Date(NOON + 10 * SECOND), new Date(NOON + 120 * SECOND)];
    const [was, is] = [folded('car-2', from), folded('car-2', to)];
    const { data } = await api.query<{ car: { diff: Record<string, unknown> } }>(
      `query ($from: DateTime!, $to: DateTime) { car(id: "car-2") { diff(from: $from, to: $to) {
        readings statusFrom statusTo ratioFrom ratioTo signals { signal unit from to change } opened cleared } } }`,
      { from: from.toISOString(), to: to.toISOString() },
    );
    const [a, b] = [was?.reported.signals.speed ?? 0, is?.reported.signals.speed ?? 0];
    const ids = (twin: Twin | null) => Object.values(twin?.openEpisodes ?? {}).map(({ id }) => id);
    expect(data.car.diff).toEqual({
      readings: (is?.counters.readings ?? 0) - (was?.counters.readings ?? 0),
      statusFrom: was?.status,
      statusTo: is?.status,
      ratioFrom: was?.score?.ratio,
      ratioTo: is?.score?.ratio,
      signals: [{ signal: 'speed', unit: 'm/s', from: a, to: b, change: b - a }],
      opened: ids(is).filter((id) => !ids(was).includes(id)),
      cleared: ids(was).filter((id) => !ids(is).includes(id)),
    });
  });

  it('is null with a reason where the readings are no longer kept', async () => {
    const before = now;
    now = END + 86_400_000;
    try {
      const { data, errors } = await carAt('car-1', new Date(END - 60 * SECOND));
      expect(data.car).toBeNull();
      expect(errors?.[0]?.extensions.code).toBe('BEFORE_RETENTION');
    } finally {
      now = before;
    }
  });
});
