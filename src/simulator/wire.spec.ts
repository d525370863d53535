import { describe, expect, it } from 'vitest';
import { aReading, NOON } from '../../test/builders/sensor.js';
import type { CarMessage } from './fleet.js';
import { CSV_HEADER, csvLine, encodeMessage, jsonLine } from './wire.js';

function aMessage(overrides: Partial<CarMessage> = {}): CarMessage {
  const { car, at, signals } = aReading();
  return { car, at, signals, label: false, failures: [], ...overrides };
}

const BODY = {
  timestamp: NOON,
  coolant_temp: 35,
  intake_air_temp: 25,
  intake_air_flow_speed: 100,
  battery_percentage: 80,
  battery_voltage: 6_580,
  current_draw: 100,
  speed: 20,
  engine_vibration_amplitude: 2_000,
  throttle_pos: 0.5,
  tire_pressure11: 32,
  tire_pressure12: 32,
  tire_pressure21: 32,
  tire_pressure22: 32,
  accelerometer11_value: 0.5,
  accelerometer12_value: 0.5,
  accelerometer21_value: 0.5,
  accelerometer22_value: 0.5,
  control_unit_firmware: 2_000,
  failure_occurred: 'false',
};

describe('the messages on the wire', () => {
  it('are JSON in the spelling of the simulated cars', () => {
    expect(encodeMessage(aMessage()).toString()).toBe(JSON.stringify(BODY));
  });

  it('carry the car in a line of a file', () => {
    expect(jsonLine(aMessage({ label: true }))).toBe(
      JSON.stringify({ car: 'car1', ...BODY, failure_occurred: 'true' }),
    );
  });

  it('leave out what is not known', () => {
    const { signals } = aReading({ signals: { speed: null } });
    const { speed: _, failure_occurred: __, ...rest } = BODY;
    expect(JSON.parse(encodeMessage(aMessage({ signals, label: null })).toString())).toEqual(rest);
  });

  it('are a row of a CSV', () => {
    const { signals } = aReading({ signals: { speed: null } });
    const values = csvLine(aMessage({ signals, label: null })).split(',');
    const titles = CSV_HEADER.split(',');
    expect(titles.slice(0, 3)).toEqual(['time', 'car', 'coolant_temp']);
    expect(values).toHaveLength(titles.length);
    expect(values.slice(0, 3)).toEqual([String(NOON), 'car1', '35']);
    expect(values[titles.indexOf('speed')]).toBe('');
    expect(values.at(-1)).toBe('');
  });
});
