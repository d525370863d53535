import type { SourceRecord } from '../../src/kafka/record-batch.js';
import type { Reading } from '../../src/telemetry/reading.js';
import type { Score } from '../../src/telemetry/score.js';
import { SIGNALS, noSignals, type SignalName, type Signals } from '../../src/telemetry/signals.js';

/** A time in the middle of a day, so that tests can go both ways; ms. */
export const NOON = Date.UTC(2026, 5, 1, 12);

const HEALTHY: Partial<Signals> = {
  coolantTemp: 35,
  intakeAirTemp: 25,
  intakeAirFlowSpeed: 100,
  batteryPercentage: 80,
  batteryVoltage: 6_580,
  currentDraw: 100,
  speed: 20,
  engineVibrationAmplitude: 2_000,
  throttlePos: 0.5,
  tirePressure11: 32,
  tirePressure12: 32,
  tirePressure21: 32,
  tirePressure22: 32,
  accelerometer11: 0.5,
  accelerometer12: 0.5,
  accelerometer21: 0.5,
  accelerometer22: 0.5,
  controlUnitFirmware: 2_000,
};

export function aSignals(overrides: Partial<Signals> = {}): Signals {
  return { ...noSignals(), ...HEALTHY, ...overrides };
}

export function aReading(overrides: Partial<Omit<Reading, 'signals'>> & { signals?: Partial<Signals> } = {}): Reading {
  const { signals, ...rest } = overrides;
  return { car: 'car1', at: NOON, skewedAt: null, label: null, ...rest, signals: aSignals(signals) };
}

export function aScore(ratio: number, signal: SignalName = 'tirePressure11'): Score {
  return {
    value: ratio,
    threshold: 1,
    anomalous: ratio > 1,
    model: 'test@1',
    topSignals: [{ signal, share: 0.9 }],
  };
}

/** The message of a reading as the simulator's cars spell it. */
export function wireOf({ signals, at, label }: Reading): Buffer {
  const body: Record<string, unknown> = { timestamp: at };
  for (const { name, wire } of SIGNALS) if (signals[name] !== null) body[wire] = signals[name];
  if (label !== null) body['failure_occurred'] = String(label);
  return Buffer.from(JSON.stringify(body));
}

export function aRecord(offset: number, reading: Reading, overrides: Partial<SourceRecord> = {}): SourceRecord {
  const key = Buffer.from(reading.car);
  return { offset, timestamp: NOON + offset, key, value: wireOf(reading), headers: {}, ...overrides };
}
