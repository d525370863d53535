import { describe, expect, it } from 'vitest';
import { SIGNAL_NAMES } from './signals.js';
import { conversionOf, converted, SAME, unitOf, unitsOf } from './units.js';

describe('units', () => {
  it.each([
    ['speed', 'km/h', 10, 36],
    ['speed', 'mph', 44.704, 100],
    ['tirePressure11', 'bar', 14.503_773_773, 1],
    ['tirePressure22', 'kPa', 32, 220.632],
    ['coolantTemp', '°F', 100, 212],
    ['intakeAirTemp', 'K', 0, 273.15],
  ] as const)('%s in %s', (signal, unit, own, wanted) => {
    expect(converted(own, conversionOf(signal, unit) ?? SAME)).toBeCloseTo(wanted, 3);
  });

  it('of a signal begin with its own, which changes nothing', () => {
    for (const signal of SIGNAL_NAMES) {
      expect(unitsOf(signal)[0]).toBe(unitOf(signal));
      expect(conversionOf(signal, unitOf(signal))).toEqual(SAME);
    }
    expect(unitsOf('batteryVoltage')).toEqual(['V']);
  });

  it('of another kind are not converted to, and nothing stays nothing', () => {
    expect(conversionOf('speed', 'bar')).toBeUndefined();
    expect(conversionOf('speed', 'constructor')).toBeUndefined();
    expect(converted(null, { factor: 2, offset: 1 })).toBeNull();
  });

  it('have no place for what is too large in them', () => {
    expect(converted(-1.7e308, { factor: 3.6, offset: 0 })).toBeNull();
    expect(converted(-1.7e308, { factor: 0.5, offset: 0 })).toBe(-8.5e307);
  });
});
