import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backtest } from '../../src/evaluation/backtest.js';
import { compareShadow } from '../../src/registry/comparison.js';
import type { Scorer, Scorers } from '../../src/telemetry/score.js';
import { NOON, aReading, aRecord, aScore } from '../builders/sensor.js';
import { RULES, TestLog, ingestRig, speedScorer, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

const CARS = 6;
const READINGS = 240;
const ALL = { from: new Date(NOON), to: new Date(NOON + 86_400_000) };

/** Above 30 m/s, where the champion of the rig says 40; counts the readings of a car in a memory of its own. */
const stricter: Scorer = {
  model: 'strict@1',
  score: (batch) =>
    Promise.resolve(
      batch.map(({ reading, memory }) => {
        const seen = memory?.features === 'strict' ? (memory.state[0] ?? 0) + 1 : 1;
        const score = { ...aScore((reading.signals.speed ?? 0) > 30 ? 2 : 0.2), model: 'strict@1' };
        return { kind: 'scored', score, memory: { features: 'strict', state: [seen] } };
      }),
    ),
};
const failing: Scorer = { model: 'broken@1', score: () => Promise.reject(new Error('this model is broken')) };
const panel = (...shadows: readonly Scorer[]): Scorers => ({
  use: (_, work) => work({ revision: 3, champion: speedScorer, shadows }),
});

/** Speeds of 0 to 59 m/s in a fixed disorder. */
const speedOf = (index: number) => (index * 37) % 60;

describe.each(databaseServers())('models in the shadow on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let log: TestLog;
  let rig: Rig;
  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    log = new TestLog();
    for (let index = 0; index < READINGS; index += 1)
      log.records.push(
        aRecord(
          index,
          aReading({ car: `car${index % CARS}`, at: NOON + index * 1_000, signals: { speed: speedOf(index) } }),
        ),
      );
    rig = await ingestRig(running.uri, log);
  });
  afterEach(() => rig.close());
  const rows = () => rig.database.collections.readings.find().sort({ _id: 1 }).toArray();
  const episodes = () => rig.database.collections.anomalies.find().sort({ _id: 1 }).toArray();

  it('score the same readings, keep their own memory and raise nothing', async () => {
    await rig.process({ scorers: panel(stricter) }).drain(0, 50);
    const raised = await episodes();
    expect((await rows()).map(({ shadows }) => shadows)).toEqual(
      Array.from({ length: READINGS }, (_, index) => [
        { model: 'strict@1', value: speedOf(index) > 30 ? 2 : 0.2, threshold: 1, anomalous: speedOf(index) > 30 },
      ]),
    );
    const twin = await rig.database.collections.twins.findOne({ _id: 'car1' });
    expect(twin?.memory).toEqual({ features: 'test', state: [READINGS / CARS] });
    expect(twin?.shadowMemory).toEqual([
      { model: 'strict@1', memory: { features: 'strict', state: [READINGS / CARS] } },
    ]);
    expect((await rig.database.collections.positions.findOne({}))?.modelRevision).toBe(3);

    const alone = await ingestRig(running.uri, log);
    await alone.process().drain(0, 50);
    expect(await alone.database.collections.anomalies.find().sort({ _id: 1 }).toArray()).toEqual(raised);
    await alone.close();
  });

  it('that fail cost nothing but their own scores, and leave no memory once they are gone', async () => {
    await rig.process({ scorers: panel(failing, stricter) }).step(0, READINGS / 2);
    for (const { score, shadows, unscored } of await rows()) {
      expect(unscored).toBeUndefined();
      expect(score?.model).toBe('test@1');
      expect(shadows?.map(({ model }) => model)).toEqual(['strict@1']);
    }
    expect(rig.letters).toEqual([]);
    await rig.process({ scorers: panel() }).drain(READINGS / 2);
    const twins = await rig.database.collections.twins.find().toArray();
    expect(twins.filter((twin) => twin.shadowMemory !== undefined)).toEqual([]);
    expect((await rows()).slice(READINGS / 2).filter(({ shadows }) => shadows !== undefined)).toEqual([]);
  });

  it('are compared with the model in use: agreement, extra and missing alarms, by readings and by cars', async () => {
    await rig.process({ scorers: panel(stricter) }).drain(0, 50);
    const indexes = Array.from({ length: READINGS }, (_, index) => index);
    const between = indexes.filter((index) => speedOf(index) > 30 && speedOf(index) <= 40);
    expect(await compareShadow(rig.database, { model: 'strict@1', ...ALL })).toEqual([
      {
        model: 'strict@1',
        champion: 'test@1',
        readings: READINGS,
        cars: CARS,
        both: indexes.filter((index) => speedOf(index) > 40).length,
        neither: indexes.filter((index) => speedOf(index) <= 30).length,
        extra: between.length,
        missing: 0,
        carsExtra: new Set(between.map((index) => index % CARS)).size,
        carsMissing: 0,
        meanRatio: expect.closeTo(mean(indexes.map((index) => (speedOf(index) > 30 ? 2 : 0.2))), 9) as number,
        championMeanRatio: expect.closeTo(mean(indexes.map((index) => (speedOf(index) > 40 ? 3 : 0.1))), 9) as number,
      },
    ]);
    expect(await compareShadow(rig.database, { model: 'other@1', ...ALL })).toEqual([]);
    const first = { from: new Date(NOON), to: new Date(NOON + 10_000) };
    expect(await compareShadow(rig.database, { model: 'strict@1', ...first })).toMatchObject([{ readings: 10 }]);
  });

  it('a backtest by the model in use gives the very episodes that were raised, and changes nothing', async () => {
    await rig.process().drain(0, 50);
    const before = {
      rows: await rows(),
      episodes: await episodes(),
      twins: await rig.database.collections.twins.find().toArray(),
    };
    const result = await backtest(rig.database, ALL, speedScorer, RULES);
    expect(before.episodes.length).toBeGreaterThan(0);
    expect(result).toMatchObject({ readings: READINGS, cars: CARS, unscored: 0, raisedThen: before.episodes.length });
    expect(result.flagged).toBe(result.flaggedThen);
    const said = result.episodes.map(({ id, openedAt, cleared }) => ({ id, openedAt, cleared }));
    expect(said.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual(
      before.episodes.map(({ _id, openedAt, status }) => ({ id: _id, openedAt, cleared: status === 'CLEARED' })),
    );
    expect({
      rows: await rows(),
      episodes: await episodes(),
      twins: await rig.database.collections.twins.find().toArray(),
    }).toEqual(before);
    const strict = await backtest(rig.database, { ...ALL, car: 'car1' }, stricter, RULES);
    expect(strict).toMatchObject({ readings: READINGS / CARS, cars: 1, model: 'strict@1' });
    expect(strict.flagged).toBeGreaterThan(strict.flaggedThen);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
