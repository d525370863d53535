import { describe, expect, it } from 'vitest';
import { simulateFleet } from '../simulator/fleet.js';
import type { Reading } from '../telemetry/reading.js';
import { noSignals } from '../telemetry/signals.js';
import { FEATURES, FEATURES_ID, FEATURE_COUNT, readFeatures, stateOf } from './features.js';
import { newState } from './memory.js';

const messages = [
  ...simulateFleet({ cars: 1, seed: 11, start: 0, stepSeconds: 10, messages: 20, variety: { age: [0, 0] } }),
];
const readings: Reading[] = messages.map(({ car, at, signals, label }) => ({
  car,
  at,
  signals,
  label,
  skewedAt: null,
}));

function featuresOf(reading: Reading, state: readonly number[] = newState()) {
  const row = new Float64Array(FEATURE_COUNT);
  const after = readFeatures(reading, state, row, 0);
  return { after, value: (name: string) => row[FEATURES.findIndex((feature) => feature.name === name)] };
}

describe('readFeatures', () => {
  it('knows the physics of a healthy car', () => {
    const [first, second, third, fourth] = readings.map((reading) => reading);
    if (!first || !second || !third || !fourth) throw new Error('no readings');
    let { after } = featuresOf(first);
    ({ after } = featuresOf(second, after));
    ({ after } = featuresOf(third, after));
    const { value } = featuresOf(fourth, after);
    expect(value('vibrationPerSpeed')).toBeCloseTo(100, 6);
    expect(value('heatPerCurrent')).toBeCloseTo(0.1, 6);
    expect(value('drain')).toBeCloseTo(0.001, 6);
    expect(value('voltageSag')).toBe(1);
  });

  it('leaves out what a first message cannot tell', () => {
    const { value } = featuresOf(readings[0] as Reading);
    expect(value('heatPerCurrent')).toBeNaN();
    expect(value('drain')).toBeNaN();
  });

  it('leaves a missing signal out, never takes it for zero, and keeps what it knew', () => {
    const { after } = featuresOf(readings[0] as Reading);
    const silent = { ...(readings[1] as Reading), signals: { ...noSignals(), speed: 20 } };
    const { after: later, value } = featuresOf(silent, after);
    expect(value('speed')).toBe(20);
    const present = FEATURES.filter(({ name }) => !Number.isNaN(value(name)));
    expect(present.map(({ name }) => name)).toEqual(['vibrationPerSpeed', 'speed']);
    expect(later.slice(5, 13)).toEqual(after.slice(5, 13));
  });

  it('remembers what shakes one wheel, and not what the road does to all of them', () => {
    const shaken = (one: number, others: readonly [number, number, number], state: readonly number[]) => {
      const [accelerometer12, accelerometer21, accelerometer22] = others;
      const wheels = { accelerometer11: one, accelerometer12, accelerometer21, accelerometer22 };
      return featuresOf({ ...(readings[1] as Reading), signals: { ...noSignals(), ...wheels } }, state);
    };
    const calm = shaken(0.5, [0.2, 0.9, 0.4], newState());
    expect(calm.value('bumpHigh11')).toBe(0.5);
    const bump = shaken(2.7, [2.1, 2.9, 2.4], calm.after);
    expect(bump.value('bumpHigh11')).toBe(0.5);
    const worn = shaken(1.4, [0.3, 0.8, 0.1], bump.after);
    expect(worn.value('bumpHigh11')).toBe(1.4);
    expect(shaken(0.4, [0.3, 0.8, 0.1], worn.after).value('bumpHigh11')).toBeCloseTo(1.25, 12);
  });

  it('does not change the state that it is given', () => {
    const { after } = featuresOf(readings[0] as Reading);
    const kept = [...after];
    featuresOf(readings[1] as Reading, after);
    expect(after).toEqual(kept);
  });

  it('remembers plain numbers that live through JSON, whatever comes', () => {
    const wild = {
      ...(readings[0] as Reading),
      signals: { ...noSignals(), speed: 1e300, batteryVoltage: -1e308, accelerometer11: 1e308 },
    };
    const { after } = featuresOf(wild);
    expect(JSON.parse(JSON.stringify(after))).toEqual(after);
    expect(after.every(Number.isFinite)).toBe(true);
  });

  it('does not take the way back in time of a late reading for a drain', () => {
    let state: readonly number[] = newState();
    for (const reading of readings.slice(0, 10)) state = featuresOf(reading, state).after;
    const late = featuresOf(readings[3] as Reading, state).value('drain');
    expect(late).toBeCloseTo(0.001, 6);
  });
});

describe('stateOf', () => {
  it('ignores the memory of other features, and one of another length', () => {
    const { after } = featuresOf(readings[0] as Reading);
    expect(stateOf({ features: FEATURES_ID, state: after })).toBe(after);
    expect(stateOf({ features: 'other', state: after })).toEqual(newState());
    expect(stateOf({ features: FEATURES_ID, state: [1, 2] })).toEqual(newState());
    expect(stateOf(null)).toEqual(newState());
  });
});
