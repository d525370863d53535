import type { Reading } from '../telemetry/reading.js';
import { SIGNAL_NAMES } from '../telemetry/signals.js';
import { simulateFleet, type CarMessage, type FleetOptions } from './fleet.js';
import { Random } from './random.js';

export interface TrainingCars {
  readonly seed: number;
  readonly cars: number;
  /** a car */
  readonly messages: number;
}

const START = Date.UTC(2026, 0, 1);

/** New cars as in the formulas, and cars of all ages, habits, climates and charges; a third of them with worse sensors. */
const FLEETS: readonly { readonly variety: FleetOptions['variety']; readonly noise: number; readonly part: number }[] =
  [
    { variety: { style: 0, age: [0, 0] }, noise: 0, part: 0.2 },
    { variety: { style: 1, age: [0, 8_000], climate: [-40, 50], battery: [10, 100] }, noise: 0, part: 0.5 },
    { variety: { style: 1, age: [0, 8_000], climate: [-40, 50], battery: [10, 100] }, noise: 0.005, part: 0.3 },
  ];

/** The charge is counted, not measured; a version is a version. */
const NOISY = SIGNAL_NAMES.filter((name) => name !== 'batteryPercentage' && name !== 'controlUnitFirmware');

/** Their sensors send integers. */
const WHOLE = SIGNAL_NAMES.filter((name) => name.startsWith('tirePressure'));

/** Readings of simulated cars to train on, none of them failing. The same numbers, the same readings. */
export function* trainingCars({ seed, cars, messages }: TrainingCars): Generator<Reading> {
  let firstCar = 1;
  for (const { variety = {}, noise, part } of FLEETS) {
    const count = Math.max(1, Math.round(cars * part));
    const options = { cars: count, seed, start: START, stepSeconds: 10, firstCar, variety };
    const random = new Random(seed, firstCar, 3);
    const hazards = { tire: 0, shock: 0, driveShaft: 0, overheating: 0, battery: 0, firmware: 0 };
    for (const message of simulateFleet({ ...options, hazards, messages: count * messages }))
      yield readingOf(message, noise, random);
    firstCar += count;
  }
}

/** @param noise standard deviation of the measured signals, as a part of the value */
export function readingOf({ car, at, signals, label }: CarMessage, noise: number, random: Random): Reading {
  const sent = noise === 0 ? signals : { ...signals };
  if (noise > 0) for (const name of NOISY) sent[name] = (sent[name] ?? 0) * (1 + noise * normal(random));
  if (noise > 0) for (const name of WHOLE) sent[name] = Math.round(sent[name] ?? 0);
  return { car, at, skewedAt: null, signals: sent, label };
}

/** Nearly a standard normal number: the sum of twelve uniform ones. */
function normal(random: Random): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.next();
  return sum;
}
