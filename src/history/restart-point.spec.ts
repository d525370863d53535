import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignalName } from '../telemetry/signals.js';
import type { EpisodeRules } from '../twin/episodes.js';
import { readingId } from '../twin/ids.js';
import { foldHistory } from './fold-history.js';
import { byEventTime, type PastReading } from './past-reading.js';
import { RestartSearch } from './restart-point.js';

const START = Date.UTC(2026, 0, 1);
const BLAMED: readonly SignalName[] = ['tirePressure11', 'batteryVoltage', 'controlUnitFirmware', 'speed'];

/** Calm, in the band between hysteresis and threshold, and anomalous ratios; sometimes no score. */
const ratio = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0.1) },
  fc.constantFrom(0.95, 1, 1.5, 3, 7),
  fc.constant(null),
);
const step = fc.record({
  ratio,
  blamed: fc.constantFrom(...BLAMED),
  // Readings of one instant, and gaps long enough for a downgrade.
  gap: fc.constantFrom(0, 1_000, 1_000, 1_000, 120_000),
  hash: fc.integer({ min: 0, max: 3 }),
});
/** Stretches of the same make calm and anomalous ones long enough. */
const steps = fc
  .array(fc.tuple(step, fc.integer({ min: 1, max: 12 })), { maxLength: 12 })
  .map((stretches) => stretches.flatMap(([one, times]) => Array.from({ length: times }, () => one)));

const rules: fc.Arbitrary<EpisodeRules> = fc
  .record({
    window: fc.integer({ min: 1, max: 5 }),
    clear: fc.integer({ min: 1, max: 6 }),
    k: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ window, clear, k }) => ({
    window,
    open: Math.min(k, window),
    clear,
    hysteresis: 0.9,
    major: 2,
    critical: 5,
    downgradeAfter: 60_000,
  }));

function rowsOf(
  made: readonly { ratio: number | null; blamed: SignalName; gap: number; hash: number }[],
): PastReading[] {
  let at = START;
  return made.map(({ ratio: value, blamed, gap, hash }, n) => {
    at += gap;
    const score = {
      value: value ?? 0,
      threshold: 1,
      anomalous: (value ?? 0) > 1,
      model: 'm@1',
      topSignals: [{ signal: blamed, share: 0.9 }],
    };
    const _id = readingId('sensor-data', 0, 0, n);
    const row = { _id, car: 'car-1', at: new Date(at), receivedAt: new Date(at), hash };
    return value === null ? { ...row, unscored: 'no model' } : { ...row, score };
  });
}

describe('RestartSearch', () => {
  it('finds where folding gives the same as folding from the beginning, readings of one instant and firmware included', () => {
    let shorter = 0;
    fc.assert(
      fc.property(steps, rules, (made, by) => {
        const rows = rowsOf(made);
        const search = new RestartSearch(by);
        const kept: PastReading[] = [];
        for (const row of rows.toReversed()) {
          if (search.push(row)) break;
          kept.push(row);
        }
        if (kept.length < rows.length) shorter += 1;
        const whole = foldHistory(rows.toSorted(byEventTime), by);
        const part = foldHistory(kept.sort(byEventTime), by);
        expect(part === null).toBe(whole === null);
        if (!whole || !part) return;
        const state = ({ twin }: typeof whole) => ({
          ...twin,
          counters: null,
          firstSeenAt: null,
          cleared: null,
        });
        expect(state(part)).toEqual(state(whole));
        const open = ({ episodes }: typeof whole) => episodes.filter(({ status }) => status === 'OPEN');
        expect(open(part)).toEqual(open(whole));
      }),
      { numRuns: 2_000 },
    );
    expect(shorter).toBeGreaterThan(100);
  });

  it('never stops where nothing is calm', () => {
    const search = new RestartSearch({
      window: 5,
      open: 3,
      clear: 5,
      hysteresis: 0.9,
      major: 2,
      critical: 5,
      downgradeAfter: 1,
    });
    const rows = rowsOf(
      Array.from({ length: 200 }, () => ({ ratio: 0.95, blamed: 'speed' as const, gap: 1, hash: 0 })),
    );
    expect(rows.some((row) => search.push(row))).toBe(false);
  });
});
