import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulateFleet } from '../simulator/fleet.js';
import { noSignals, type Signals } from '../telemetry/signals.js';
import { driftOf, stabilityIndex } from './drift.js';
import { SignalSample, sharesOf } from './signal-distribution.js';

function signalsOf(seed: number, change: (signals: Signals) => Signals = (signals) => signals): Signals[] {
  const cars = simulateFleet({ seed, cars: 100, messages: 5_000, start: 0, stepSeconds: 10 });
  return [...cars].map(({ signals }) => change(signals));
}

function trainedOn(readings: readonly Signals[]) {
  const sample = new SignalSample();
  readings.forEach((signals, index) => sample.offer(signals, (index * 0.618_034) % 1));
  return sample.distributions();
}

const trained = trainedOn(signalsOf(1));
const driftIn = (readings: readonly Signals[]) => driftOf(readings, trained)[0];

describe('stabilityIndex', () => {
  it('is that of a known table', () => {
    // 0.1 ln 2 + 0.1 ln 1.2 (expected 0.5, 0.4, 0.1; seen 0.4, 0.4, 0.2)
    expect(stabilityIndex([0.4, 0.4, 0.2], [0.5, 0.4, 0.1], 1_000)).toBeCloseTo(
      -0.1 * Math.log(0.8) + 0.1 * Math.log(2),
      12,
    );
  });

  it('is never negative, 0 for the same shares, and finite with empty bins', () => {
    const shares = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 10 });
    fc.assert(
      fc.property(shares, shares, (one, other) => {
        const length = Math.min(one.length, other.length);
        const share = (counts: readonly number[]) => {
          const sum = counts.slice(0, length).reduce((a, b) => a + b, 0) || 1;
          return counts.slice(0, length).map((count) => count / sum);
        };
        const index = stabilityIndex(share(one), share(other), 1_000);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(index)).toBe(true);
        expect(stabilityIndex(share(one), share(one), 1_000)).toBe(0);
      }),
    );
  });
});

describe('drift', () => {
  it('finds other cars of the same kind stable', () => {
    const drift = driftIn(signalsOf(2));
    expect(
      drift?.signals.filter(
        ({ signal, verdict }) => verdict !== 'STABLE' && !/battery|coolant|intakeAirTemp/.test(signal),
      ),
    ).toEqual([]);
  });

  it('names the signal that moved, and only that one', () => {
    const moved = driftIn(
      signalsOf(1, (signals) => ({ ...signals, tirePressure11: (signals.tirePressure11 ?? 0) - 3 })),
    );
    expect(moved?.signals.filter(({ verdict }) => verdict !== 'STABLE').map(({ signal }) => signal)).toEqual([
      'tirePressure11',
    ]);
    expect(moved?.verdict).toBe('MOVED');
  });

  it('calls a fleet foreign when its values are on another scale', () => {
    const scaled = (signals: Signals) =>
      Object.fromEntries(
        Object.entries(signals).map(([name, value]) => [name, value === null ? null : value / 25]),
      ) as unknown as Signals;
    expect(driftIn(signalsOf(1, scaled))?.verdict).toBe('FOREIGN');
  });

  it('tells a new firmware apart, though training knew one value only', () => {
    const half = signalsOf(1).map((signals, index) => ({
      ...signals,
      controlUnitFirmware: index % 2 === 0 ? 1_500 : 2_000,
    }));
    const [all, ...groups] = driftOf(half, trained);
    expect(all?.signals.find(({ signal }) => signal === 'controlUnitFirmware')?.verdict).toBe('FOREIGN');
    expect(groups.map(({ firmware, readings }) => [firmware, readings])).toEqual([
      [1_500, 2_500],
      [2_000, 2_500],
    ]);
  });

  it('says nothing where there are too few readings, and how many lack a signal', () => {
    const few = driftIn(signalsOf(1).slice(0, 50));
    expect(few?.verdict).toBeNull();
    const lacking = driftIn(
      signalsOf(1).map((signals, index) => (index % 4 === 0 ? { ...signals, speed: null } : signals)),
    );
    expect(lacking?.signals.find(({ signal }) => signal === 'speed')).toMatchObject({
      missing: 0.25,
      trainedMissing: 0,
    });
  });
});

describe('SignalSample', () => {
  it('is the same in whichever order the readings come', () => {
    const readings = Array.from({ length: 45_000 }, (_, index) => ({
      signals: { ...noSignals(), speed: index % 997 },
      lot: (index * 0.618_034) % 1,
    }));
    const inOrder = new SignalSample();
    const backwards = new SignalSample();
    for (const { signals, lot } of readings) inOrder.offer(signals, lot);
    for (const { signals, lot } of readings.toReversed()) backwards.offer(signals, lot);
    expect(backwards.distributions()).toEqual(inOrder.distributions());
  });

  it('has shares that add up to 1 and are those of its own values', () => {
    for (const { edges, shares } of trained) {
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      expect(shares).toHaveLength(edges.length + 1);
    }
    expect(sharesOf(Float64Array.of(1, 2, 3, Number.NaN), [1, 2])).toEqual({
      shares: [1 / 3, 1 / 3, 1 / 3],
      missing: 0.25,
    });
  });
});
