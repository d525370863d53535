import type { Signals, SignalName } from '../telemetry/signals.js';
import type { Reading } from '../telemetry/reading.js';
import type { ScoreMemory } from '../telemetry/score.js';
import {
  AT,
  CHARGE,
  DRAIN,
  DRAIN_BEFORE,
  FULL_VOLTAGE,
  LEVEL,
  LOW_BUMP,
  LOW_TIRE,
  HIGH_TIRE,
  HIGH_BUMP,
  SPEED,
  UNKNOWN,
  VIBRATION,
  newState,
  storable,
} from './memory.js';

/** What a model sees: one number made of the signals of a reading and of the car's recent past. */
export interface Feature {
  readonly name: string;
  /** The signal that an error of this feature is blamed on. */
  readonly signal: SignalName;
  readonly derivation: string;
  /** What a sensor may be off by without anybody minding, as a part of the feature's mean. */
  readonly tolerance: number;
}

/** Names the list below, the order and the layout of the memory: a change of any of them needs another id. */
export const FEATURES_ID = 'car-2';

const WHEELS = ['11', '12', '21', '22'] as const;

export const FEATURES: readonly Feature[] = [
  one(
    'vibrationPerSpeed',
    'engineVibrationAmplitude',
    'engineVibrationAmplitude / speed, the latest from 0.2 m/s on',
    0.05,
  ),
  one('heatPerCurrent', 'coolantTemp', '(coolantTemp - intakeAirTemp) / currentDraw, from the second reading on', 0.05),
  one(
    'drain',
    'batteryPercentage',
    'fall of batteryPercentage / speed of the reading before, the lower of the latest two from 0.2 m/s on',
  ),
  one('currentPerPower', 'currentDraw', 'currentDraw / (throttlePos * batteryVoltage), from 0.1 throttle on', 0.03),
  one(
    'voltageSag',
    'batteryVoltage',
    'batteryVoltage / the highest of late, which sinks by 2 % of the gap a reading',
    0.01,
  ),
  one('voltage', 'batteryVoltage', 'natural logarithm of batteryVoltage'),
  one('current', 'currentDraw', 'natural logarithm of currentDraw'),
  one('throttle', 'throttlePos', 'throttlePos'),
  one('speed', 'speed', 'speed'),
  one('airFlow', 'intakeAirFlowSpeed', 'intakeAirFlowSpeed'),
  one('airTemp', 'intakeAirTemp', 'intakeAirTemp'),
  one('firmware', 'controlUnitFirmware', 'controlUnitFirmware', 2e-4),
  ...each('tireLow', 'tirePressure', 'the lowest of late, which rises by 30 % of the gap a reading'),
  ...each('tireHigh', 'tirePressure', 'the highest of late, which sinks by 30 % of the gap a reading'),
  ...each('bump', 'accelerometer', 'as sent'),
  ...each(
    'bumpHigh',
    'accelerometer',
    'the highest of late where the other wheels differ (lowest below half of the highest), sinking by 15 % of the gap',
  ),
  ...each(
    'bumpLevel',
    'accelerometer',
    'tanh(minus the median of the other wheels) averaged: 10 % the new one, 90 % the average before',
  ),
  ...each('bumpLow', 'accelerometer', 'the lowest of late, rising by 10 % of the gap a reading, from 0 at first'),
];

export const FEATURE_COUNT = FEATURES.length;

const TIRE_LOW = 12;
const TIRE_HIGH = 16;
const BUMP = 20;
const BUMP_HIGH = 24;
const BUMP_LEVEL = 28;
const BUMP_LOW = 32;

/** Below this a quotient by the speed says nothing; m/s. */
const SLOW = 0.2;
/** Below this throttle the motor draws the same whatever the throttle. */
const COASTING = 0.1;

/** Wheels whose lowest is at least so much of their highest are shaken by the road. Low, for one mistake is long remembered. */
const ALIKE = 0.5;

/** The car's memory if it belongs to these features; that of others says nothing here. */
export function stateOf(memory: ScoreMemory | null): readonly number[] {
  const known = memory?.features === FEATURES_ID ? memory.state : null;
  return known?.length === newState().length ? known : newState();
}

/**
 * Writes the features of a reading to `out[offset ...]`, NaN where a signal or the past that a feature needs is missing.
 * @returns the car's state after the reading; the one given stays as it was
 */
export function readFeatures(reading: Reading, before: readonly number[], out: Float64Array, offset: number): number[] {
  const { signals } = reading;
  const after = before.slice();
  // Of a late reading the one before it in memory is really a later one.
  const follows = before[AT] !== UNKNOWN && reading.at > (before[AT] ?? 0);
  after[AT] = reading.at;
  motorFeatures(signals, before[AT] !== UNKNOWN, after, out, offset);
  batteryFeatures(signals, follows, after, out, offset);
  tireFeatures(signals, after, out, offset);
  bumpFeatures(signals, after, out, offset);
  return after;
}

function motorFeatures(signals: Signals, hasPast: boolean, state: number[], out: Float64Array, offset: number): void {
  const { speed, throttlePos, currentDraw, batteryVoltage } = signals;
  const current = currentDraw ?? NaN;
  const driven = throttlePos !== null && throttlePos >= COASTING;
  const vibration = speed !== null && speed >= SLOW ? (signals.engineVibrationAmplitude ?? NaN) / speed : NaN;
  if (!Number.isNaN(vibration)) state[VIBRATION] = storable(vibration);
  out[offset] = known(state[VIBRATION]);
  // A car's very first message may come from a car that stood in the sun.
  out[offset + 1] = hasPast && current > 0 ? warmth(signals) / current : NaN;
  out[offset + 3] = driven ? current / (throttlePos * (batteryVoltage ?? NaN)) : NaN;
  out[offset + 5] = Math.log(batteryVoltage ?? NaN);
  out[offset + 6] = Math.log(current);
  out[offset + 7] = throttlePos ?? NaN;
  out[offset + 8] = speed ?? NaN;
  out[offset + 9] = signals.intakeAirFlowSpeed ?? NaN;
  out[offset + 10] = signals.intakeAirTemp ?? NaN;
  out[offset + 11] = signals.controlUnitFirmware ?? NaN;
}

function warmth({ coolantTemp, intakeAirTemp }: Signals): number {
  return (coolantTemp ?? NaN) - (intakeAirTemp ?? NaN);
}

function batteryFeatures(s: Signals, follows: boolean, state: number[], out: Float64Array, offset: number): void {
  const { batteryPercentage: charge, batteryVoltage: voltage } = s;
  const speedBefore = state[SPEED] ?? UNKNOWN;
  const chargeBefore = state[CHARGE] ?? UNKNOWN;
  if (follows && charge !== null && chargeBefore !== UNKNOWN && speedBefore >= SLOW) {
    state[DRAIN_BEFORE] = state[DRAIN] ?? UNKNOWN;
    state[DRAIN] = storable((chargeBefore - charge) / speedBefore);
  }
  // The lower of two: a message that was lost must not look like a fast drain.
  out[offset + 2] = Math.min(known(state[DRAIN]), known(state[DRAIN_BEFORE]));
  state[CHARGE] = storable(charge);
  state[SPEED] = storable(s.speed);
  out[offset + 4] = NaN;
  if (voltage === null) return;
  const full = highest(state[FULL_VOLTAGE] ?? UNKNOWN, voltage, 0.02);
  state[FULL_VOLTAGE] = storable(full);
  out[offset + 4] = voltage / full;
}

function tireFeatures(s: Signals, state: number[], out: Float64Array, offset: number): void {
  tire(s.tirePressure11, 0, state, out, offset);
  tire(s.tirePressure12, 1, state, out, offset);
  tire(s.tirePressure21, 2, state, out, offset);
  tire(s.tirePressure22, 3, state, out, offset);
}

function tire(pressure: number | null, wheel: number, state: number[], out: Float64Array, offset: number): void {
  out[offset + TIRE_LOW + wheel] = NaN;
  out[offset + TIRE_HIGH + wheel] = NaN;
  if (pressure === null) return;
  const low = lowest(state[LOW_TIRE + wheel] ?? UNKNOWN, pressure, 0.3);
  const high = highest(state[HIGH_TIRE + wheel] ?? UNKNOWN, pressure, 0.3);
  out[offset + TIRE_LOW + wheel] = low;
  out[offset + TIRE_HIGH + wheel] = high;
  state[LOW_TIRE + wheel] = storable(low);
  state[HIGH_TIRE + wheel] = storable(high);
}

function bumpFeatures(s: Signals, state: number[], out: Float64Array, offset: number): void {
  const a = s.accelerometer11 ?? NaN;
  const b = s.accelerometer12 ?? NaN;
  const c = s.accelerometer21 ?? NaN;
  const d = s.accelerometer22 ?? NaN;
  bump(a, b, c, d, 0, state, out, offset);
  bump(b, a, c, d, 1, state, out, offset);
  bump(c, a, b, d, 2, state, out, offset);
  bump(d, a, b, c, 3, state, out, offset);
}

/** @param value of the wheel, then those of the other three; NaN where missing */
function bump(
  value: number,
  other1: number,
  other2: number,
  other3: number,
  wheel: number,
  state: number[],
  out: Float64Array,
  offset: number,
): void {
  const apart = value - median(other1, other2, other3);
  // A rough road shakes all wheels alike: it says nothing about one of them.
  const smooth = Math.min(other1, other2, other3) < ALIKE * Math.max(other1, other2, other3);
  if (!Number.isNaN(apart)) {
    // tanh: no single reading outweighs many.
    state[LEVEL + wheel] = 0.1 * Math.tanh(apart) + 0.9 * orStill(state[LEVEL + wheel]);
  }
  if (smooth && !Number.isNaN(value))
    state[HIGH_BUMP + wheel] = storable(highest(state[HIGH_BUMP + wheel] ?? UNKNOWN, value, 0.15));
  if (!Number.isNaN(value)) state[LOW_BUMP + wheel] = storable(lowest(orStill(state[LOW_BUMP + wheel]), value, 0.1));
  out[offset + BUMP + wheel] = value;
  out[offset + BUMP_HIGH + wheel] = Number.isNaN(value) ? NaN : known(state[HIGH_BUMP + wheel]);
  out[offset + BUMP_LEVEL + wheel] = Number.isNaN(apart) ? NaN : known(state[LEVEL + wheel]);
  out[offset + BUMP_LOW + wheel] = Number.isNaN(value) ? NaN : known(state[LOW_BUMP + wheel]);
}

/** The middle one; where one of them is missing the mean of the two others, of two missing NaN. */
function median(a: number, b: number, c: number): number {
  if (Number.isNaN(a)) return (b + c) / 2;
  if (Number.isNaN(b)) return (a + c) / 2;
  if (Number.isNaN(c)) return (a + b) / 2;
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** A wheel of which nothing is known yet is taken to have moved like the others, and to have stood still once. */
function orStill(value: number | undefined): number {
  return value === undefined || value === UNKNOWN ? 0 : value;
}

function known(value: number | undefined): number {
  return value === undefined || value === UNKNOWN ? NaN : value;
}

function lowest(before: number, now: number, leak: number): number {
  return before === UNKNOWN || now <= before ? now : before + leak * (now - before);
}

function highest(before: number, now: number, leak: number): number {
  return before === UNKNOWN || now >= before ? now : before + leak * (now - before);
}

function one(name: string, signal: SignalName, derivation: string, tolerance = 0): Feature {
  return { name, signal, derivation, tolerance };
}

function each(name: string, signal: 'tirePressure' | 'accelerometer', derivation: string): Feature[] {
  return WHEELS.map((wheel) => one(`${name}${wheel}`, `${signal}${wheel}`, `${signal}${wheel}: ${derivation}`));
}
