import { noSignals, type Signals } from '../../src/telemetry/signals.js';
import type { ReadingDocument } from '../../src/twin/documents.js';
import { readingId } from '../../src/twin/ids.js';

export const SOME_INSTANT = Date.parse('2026-03-01T12:00:00.000Z');

export function someSignals(overrides: Partial<Signals> = {}): Signals {
  return { ...noSignals(), speed: 20, coolantTemp: 60, tirePressure11: 32, controlUnitFirmware: 2000, ...overrides };
}

/** A row of the history; `offset` gives it its id. */
export function someReading(offset: number, overrides: Partial<ReadingDocument> = {}): ReadingDocument {
  const at = new Date(SOME_INSTANT + offset * 1_000);
  return {
    _id: readingId('sensor-data', 0, 0, offset),
    car: 'car-1',
    at,
    receivedAt: new Date(at.getTime() + 50),
    hash: offset,
    signals: someSignals(),
    score: { value: 0.005, threshold: 0.01, anomalous: false, model: 'default@1', topSignals: [] },
    ...overrides,
  };
}
