import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eraseCar } from '../../src/pipeline/between-batches.js';
import { markWritten } from '../../src/rollup/rebuild.js';
import { rollUp } from '../../src/rollup/roll-up.js';
import { Roller, type RollerOptions } from '../../src/rollup/roller.js';
import { Rollups } from '../../src/rollup/rollups.js';
import { TooManyReadings, fleetRollups, marksBetween } from '../../src/rollup/windows-read.js';
import type { Reading } from '../../src/telemetry/reading.js';
import { windowStart, type Step } from '../../src/telemetry/window.js';
import { rollupsOf } from '../../src/twin/collections.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { TestLog, ingestRig, type Rig } from '../ingest-rig.js';
import { databaseServers } from '../servers.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const FOR_EVER = { readings: null, FIVE_MINUTES: null, HOUR: null };

/** A reading `minute` after noon; above 40 m/s it is anomalous. */
const at = (minute: number, speed = 10, car = 'car1') =>
  aReading({ car, at: NOON + minute * MINUTE, signals: { speed } });
const fill = (log: TestLog, readings: readonly Reading[]) => {
  for (const reading of readings) log.records.push(aRecord(log.high, reading));
};

describe.each(databaseServers())('rollups on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let log: TestLog;
  let rig: Rig;

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    log = new TestLog();
    rig = await ingestRig(running.uri, log);
  });
  afterEach(() => rig.close());

  const roll = (options: Partial<RollerOptions> = {}, of = rig) =>
    new Roller(of.database, {
      clock: () => NOON + DAY,
      newRun: randomUUID,
      retention: FOR_EVER,
      ...options,
    }).round(new AbortController().signal);
  const marks = (step: Step) => marksBetween(rig.database, step, 0, NOON + 2 * DAY);
  /** All that the rollups of a step say, without the names of runs. */
  const said = async (step: Step, of = rig) => {
    const rollups = await rollupsOf(of.database.collections, step).find().sort({ at: 1, car: 1 }).toArray();
    const current = new Set(rollups.flatMap((one) => ('run' in one ? [`${one._id}/${one.run}`] : [])));
    const kept = rollups.filter((one) => 'run' in one || current.has(one._id.slice(0, one._id.lastIndexOf('/'))));
    return kept.map((one) => ('run' in one ? { ...one, run: '' } : { ...one, _id: '' }));
  };
  const countsOfHistory = async (step: Step) => {
    const counts: Record<string, number> = {};
    for (const { car, at: time } of await rig.database.collections.readings.find().toArray()) {
      const key = `${car} ${windowStart(time.getTime(), step)}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  };
  const countsOfRollups = async (step: Step) =>
    Object.fromEntries(
      (await said(step)).flatMap((one) => ('car' in one ? [[`${one.car} ${one.at.getTime()}`, one.readings]] : [])),
    ) as Record<string, number>;
  const fleetAt = async (step: Step, start = NOON) => (await fleetRollups(rig.database, step, [start])).get(start);

  it('a batch marks its windows; a round computes cars and fleet, five minutes and hours, and takes the marks off', async () => {
    fill(log, [at(0, 10), at(1, 50), at(4, 30), at(5, 20), at(1, 40, 'car2')]);
    await rig.process().drain();
    expect((await marks('FIVE_MINUTES')).map((mark) => mark.at.getTime())).toEqual([NOON, NOON + 5 * MINUTE]);
    expect(await roll()).toBe(3);
    expect(await marks('FIVE_MINUTES')).toEqual([]);
    expect(await marks('HOUR')).toEqual([]);
    expect(await fleetAt('FIVE_MINUTES')).toMatchObject({ cars: 2, readings: 4, anomalies: 1, maxScore: 3 });
    expect(await fleetAt('HOUR')).toMatchObject({ cars: 2, readings: 5, anomalies: 1, maxRatio: 3 });
    const [, car1] = await said('FIVE_MINUTES');
    expect(car1).toMatchObject({ car: 'car1', readings: 3, anomalies: 1 });
    expect(car1?.signals.speed).toEqual({ count: 3, min: 10, max: 50, sum: 90 });
    expect((await fleetAt('HOUR'))?.signals.speed).toEqual({ count: 5, min: 10, max: 50, sum: 150 });
  });

  it('comes out the same however few cars are gathered at a time', async () => {
    const cars = Array.from({ length: 23 }, (_, number) => `car-${number}`);
    fill(
      log,
      cars.flatMap((car, number) => [0, 1, 7, 31].map((minute) => at(minute + number / 100, 10 + number, car))),
    );
    await rig.process().drain();
    await roll();
    const [windows, hours] = [await said('FIVE_MINUTES'), await said('HOUR')];
    expect(await fleetAt('HOUR')).toMatchObject({ cars: 23, readings: 92 });
    for (const slice of [1, 2, 7, 23]) {
      await markWritten(rig.database, NOON, NOON + DAY);
      expect(await roll({ slice })).toBeGreaterThan(0);
      expect(await said('FIVE_MINUTES')).toEqual(windows);
      expect(await said('HOUR')).toEqual(hours);
    }
  });

  it('a window that is not over is left to later rounds', async () => {
    fill(log, [at(0), at(5)]);
    await rig.process().drain();
    expect(await roll({ clock: () => NOON + 6 * MINUTE })).toBe(1);
    expect((await marks('FIVE_MINUTES')).map((mark) => mark.at.getTime())).toEqual([NOON + 5 * MINUTE]);
    expect(await fleetAt('HOUR')).toBeUndefined();
  });

  it('a late reading corrects a window that was computed, and its hour', async () => {
    fill(log, [at(0), at(90)]);
    const process = rig.process();
    await process.drain();
    await roll();
    fill(log, [at(2, 35)]);
    await process.drain();
    await roll();
    for (const step of ['FIVE_MINUTES', 'HOUR'] as const) {
      expect((await fleetAt(step))?.signals.speed).toEqual({ count: 2, min: 10, max: 35, sum: 45 });
      expect(await countsOfRollups(step)).toEqual(await countsOfHistory(step));
    }
  });

  it('killed at any write of a round: the next round ends with the counts of the history', async () => {
    const process = rig.process();
    for (let dies = 1, died = true; died; dies += 1) {
      fill(log, [at(dies % 5), at(5 + (dies % 5), 20, 'car2')]);
      await process.drain(log.high - 2);
      died = false;
      const names = new Set(['insertOne', 'insertMany', 'bulkWrite', 'replaceOne', 'deleteOne', 'deleteMany']);
      let writes = 0;
      const dying = <T extends object>(collection: T): T =>
        new Proxy(collection, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== 'function') return value;
            return (...args: unknown[]) => {
              if (names.has(String(name))) writes += 1;
              if (names.has(String(name)) && writes >= dies) {
                died = true;
                throw new Error('killed');
              }
              return (value as (...all: unknown[]) => unknown).apply(target, args);
            };
          },
        });
      const { collections } = rig.database;
      const { rollupsFiveMinutes, rollupsHour, rollupMarks, rollupRuns } = collections;
      const killed = {
        ...rig,
        database: {
          ...rig.database,
          collections: {
            ...collections,
            rollupsFiveMinutes: dying(rollupsFiveMinutes),
            rollupsHour: dying(rollupsHour),
            rollupMarks: dying(rollupMarks),
            rollupRuns: dying(rollupRuns),
          },
        },
      };
      await roll({}, killed).catch((error: unknown) => expect(String(error)).toContain('killed'));
      await roll();
      for (const step of ['FIVE_MINUTES', 'HOUR'] as const)
        expect(await countsOfRollups(step), `died at write ${dies}`).toEqual(await countsOfHistory(step));
    }
    expect(await marks('FIVE_MINUTES')).toEqual([]);
  });

  it('whoever saw older marks than there are now changes nothing', async () => {
    fill(log, [at(0)]);
    const process = rig.process();
    await process.drain();
    const seen = await marks('FIVE_MINUTES');
    fill(log, [at(1)]);
    await process.drain(1);
    const context = { database: rig.database, now: NOON + DAY, run: 'slow', keptBefore: 0 };
    expect(await rollUp('FIVE_MINUTES', NOON, seen, context)).toBe(false);
    expect(await fleetAt('FIVE_MINUTES')).toBeUndefined();
    await roll();
    expect(await rollUp('FIVE_MINUTES', NOON, seen, { ...context, run: 'slower' })).toBe(false);
    expect(await fleetAt('FIVE_MINUTES')).toMatchObject({ readings: 2 });
    await roll({ clock: () => NOON + 2 * DAY });
    expect(await rig.database.collections.rollupRuns.countDocuments()).toBe(0);
    expect(await rig.database.collections.rollupsFiveMinutes.countDocuments()).toBe(2);
  });

  it('an erased car leaves the rollups of the fleet, also where the readings have expired', async () => {
    fill(log, [at(0), at(1, 50, 'car2'), at(90), at(91, 30, 'car2')]);
    const process = rig.process();
    await process.drain();
    await roll();
    await rig.database.collections.readings.deleteMany({ at: { $lt: new Date(NOON + 60 * MINUTE) } });
    const { workshop, signal, writer } = process;
    await writer.between((holding) => eraseCar(holding, 'car2', new Date(NOON + DAY), workshop, signal));
    const readings = DAY - 30 * MINUTE;
    await roll({ retention: { ...FOR_EVER, readings } });
    for (const step of ['FIVE_MINUTES', 'HOUR'] as const) {
      expect(await fleetAt(step)).toMatchObject({ cars: 1, readings: 1, anomalies: 0 });
      expect(Object.keys(await countsOfRollups(step)).filter((key) => key.startsWith('car2'))).toEqual([]);
      const second = windowStart(NOON + 90 * MINUTE, step);
      expect(await fleetAt(step, second)).toMatchObject({ cars: 1, readings: 1 });
    }
    expect(await rollupsOf(rig.database.collections, 'HOUR').countDocuments({ car: 'car2' })).toBe(0);
  });

  it('a window whose readings begin to expire is not computed from what is left of them', async () => {
    fill(log, [at(0), at(1), at(2)]);
    const process = rig.process();
    await process.drain();
    await roll();
    await rig.database.collections.readings.deleteMany({ at: { $lt: new Date(NOON + MINUTE) } });
    fill(log, [at(3, 12)]);
    await process.drain(3);
    await roll({ retention: { ...FOR_EVER, readings: DAY - MINUTE } });
    for (const step of ['FIVE_MINUTES', 'HOUR'] as const) expect(await fleetAt(step)).toMatchObject({ readings: 3 });
  });

  it('a history from before there were rollups is marked for them, once per window', async () => {
    fill(log, [at(0), at(1), at(7), at(300)]);
    await rig.process().drain();
    await rig.database.collections.rollupMarks.deleteMany({});
    expect(await markWritten(rig.database, NOON + MINUTE, NOON + 300 * MINUTE)).toBe(2);
    await roll();
    expect(await fleetAt('HOUR')).toMatchObject({ readings: 3 });
    expect(await marks('FIVE_MINUTES')).toEqual([]);
  });

  it('answers made from too many readings are refused', async () => {
    fill(log, [at(0), at(1), at(2)]);
    await rig.process().drain();
    const rollups = (readings: number) =>
      new Rollups(rig.database, {
        clock: () => NOON + DAY,
        retention: null,
        limits: { time: 5_000, readings },
      });
    expect(await rollups(3).read('FIVE_MINUTES', [NOON])).toMatchObject([{ figures: { readings: 3 }, cars: 1 }]);
    await expect(rollups(2).read('FIVE_MINUTES', [NOON])).rejects.toThrow(TooManyReadings);
    await roll();
    expect(await rollups(2).read('FIVE_MINUTES', [NOON])).toMatchObject([{ figures: { readings: 3 } }]);
  });

  it('any order and any repetition of the same readings ends in the same rollups', async () => {
    const readings = [0, 0.5, 1, 1.5, 2, 3, 4, 5, 7, 58, 61, 119].flatMap((minute, index) => [
      at(minute, 10.1 + index * 7.3),
      at(minute, 0.1 * index, `car${2 + (index % 2)}`),
    ]);
    fill(log, readings);
    await rig.process().drain();
    await roll();
    const expected = [await said('FIVE_MINUTES'), await said('HOUR')];
    const repeated = fc
      .array(fc.constantFrom(...readings), { maxLength: 8 })
      .chain((more) => fc.shuffledSubarray([...readings, ...more], { minLength: readings.length + more.length }));
    const property = fc.asyncProperty(repeated, fc.integer({ min: 1, max: 9 }), async (shuffled, fetched) => {
      const otherLog = new TestLog();
      fill(otherLog, shuffled);
      const other = await ingestRig(running.uri, otherLog);
      try {
        const process = other.process();
        await process.drain(0, fetched);
        await roll({}, other);
        expect([await said('FIVE_MINUTES', other), await said('HOUR', other)]).toEqual(expected);
      } finally {
        await other.close();
      }
    });
    await fc.assert(property, { numRuns: 6, seed: 20_261_125 });
  });
});
