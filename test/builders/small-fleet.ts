import type { CarAttributes } from '../../src/twin/car-documents.js';
import type { Database } from '../../src/twin/database.js';
import { setDesired } from '../../src/twin/set-desired.js';
import { rigOn, TestLog } from '../ingest-rig.js';
import { aReading, aRecord, NOON } from './sensor.js';

/** Readings of each car, ten seconds apart. */
export const READINGS = 60;
/** Just behind the newest reading; ms. */
export const AFTERWARDS = NOON + READINGS * 10_000;

/**
 * Five cars that the ingest has taken in: two of fleet north, two of south, one of none. `car-2` had an anomaly that cleared
 * and `car-4` has one that is open.
 */
export async function seedSmallFleet(database: Database): Promise<void> {
  const at = new Date(NOON);
  for (const [car, values] of Object.entries(ATTRIBUTES))
    await database.collections.cars.insertOne({ _id: car, attributes: { values, version: 1, at, by: 'seed' } });
  const log = new TestLog();
  for (let step = 0; step < READINGS; step += 1)
    for (const car of CARS) log.records.push(recordOf(car, step, log.high));
  const process = rigOn(database, log).process();
  await process.drain();
  process.stop();
  const wish = {
    values: { chargeLimit: 80 },
    ifVersion: null,
    now: new Date(AFTERWARDS),
    expiry: 3_600_000,
    by: 'seed',
  };
  for (const car of ['car-1', 'car-4']) await setDesired(database, { ...wish, car });
}

const ATTRIBUTES: Readonly<Record<string, CarAttributes>> = {
  'car-1': { fleet: 'north', model: 'hatch', plate: 'N 1', tags: ['pool'] },
  'car-2': { fleet: 'north', model: 'van', plate: 'N 2' },
  'car-3': { fleet: 'south', model: 'hatch', plate: 'S 3' },
  'car-4': { fleet: 'south', model: 'van', plate: 'S 4' },
};
const CARS = [...Object.keys(ATTRIBUTES), 'car-5'];
/** Readings of `car-1` and `car-3` after all others, which open an anomaly of each. */
export async function moreTrouble(database: Database): Promise<void> {
  const log = new TestLog();
  const start = READINGS * CARS.length;
  for (let step = 0; step < 5; step += 1)
    for (const car of ['car-1', 'car-3']) {
      const reading = aReading({ car, at: AFTERWARDS + step * 1_000, signals: { speed: 50 } });
      const offset = start + log.records.length;
      log.records.push(aRecord(offset, reading, { timestamp: reading.at + 100 }));
    }
  // Where the log was left: its last record, by which it is recognised.
  log.records.unshift(recordOf('car-5', READINGS - 1, start - 1));
  const process = rigOn(database, log).process();
  await process.drain(start - 1);
  process.stop();
}

/** By car, the steps at which it drives so fast that the test's model finds it anomalous. */
const ANOMALOUS: Readonly<Record<string, readonly [number, number]>> = { 'car-2': [20, 30], 'car-4': [50, READINGS] };

function recordOf(car: string, step: number, offset: number) {
  const [from, to] = ANOMALOUS[car] ?? [READINGS, READINGS];
  const speed = step >= from && step < to ? 45 : 15 + CARS.indexOf(car) + (step % 10);
  const reading = aReading({ car, at: NOON + step * 10_000, signals: { speed } });
  return aRecord(offset, reading, { timestamp: reading.at + 100 });
}
