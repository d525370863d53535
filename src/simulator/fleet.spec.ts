import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_HAZARDS } from './faults.js';
import { simulateFleet, type FleetOptions } from './fleet.js';
import { encodeMessage } from './wire.js';

const START = Date.UTC(2026, 0, 1);

function fleet(overrides: Partial<FleetOptions> = {}) {
  return [...simulateFleet({ cars: 20, seed: 1, start: START, stepSeconds: 10, messages: 2_000, ...overrides })];
}

function bytes(overrides: Partial<FleetOptions>): Buffer {
  return Buffer.concat(fleet(overrides).map(encodeMessage));
}

describe('simulateFleet', () => {
  it('gives the same bytes for the same seed, and others for another', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 30 }), (seed, cars) => {
        const options = { seed, cars, messages: 100, faults: 0.5 };
        expect(bytes(options).equals(bytes(options))).toBe(true);
        expect(bytes(options).equals(bytes({ ...options, seed: seed + 1 }))).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('sends in order of time, every car once a step, the cars spread over it', () => {
    const messages = fleet({ cars: 4, messages: 12 });
    expect(messages.map(({ at }) => at - START)).toEqual(
      [0, 2_500, 5_000, 7_500].flatMap((_, r, all) => (r < 3 ? all.map((t) => t + r * 10_000) : [])),
    );
    expect(messages.slice(4, 8).map(({ car }) => car)).toEqual(['car1', 'car2', 'car3', 'car4']);
  });

  it('lets a car do the same whatever fleet it drives in', () => {
    const signalsOf = (options: Partial<FleetOptions>) =>
      fleet(options)
        .filter(({ car }) => car === 'car7')
        .slice(0, 50)
        .map(({ signals }) => signals);
    expect(signalsOf({ firstCar: 7, cars: 1 })).toEqual(signalsOf({ cars: 10 }));
  });

  it('leaves most rows healthy by default, and a few not', () => {
    const messages = 200_000;
    let failed = 0;
    for (const { label } of simulateFleet({ cars: 200, seed: 1, start: START, stepSeconds: 10, messages })) {
      if (label) failed++;
    }
    expect(failed / messages).toBeGreaterThan(0.002);
    expect(failed / messages).toBeLessThan(0.03);
  });

  it('labels what fails, an outdated firmware included', () => {
    for (const { label, failures, signals } of fleet({ faults: 0.5, faultModes: ['firmware', 'tire'] })) {
      expect(label).toBe(failures.length > 0);
      expect(signals.controlUnitFirmware !== 2_000).toBe(failures.includes('firmware'));
    }
  });

  it('has the share of cars that are bound to fail fail soon, each with what was asked for', () => {
    const messages = fleet({ cars: 1_000, messages: 40_000, hazards: NO_HAZARDS, faults: 0.3, faultAfter: [5, 30] });
    const failed = messages.filter(({ label }) => label);
    expect(new Set(failed.map(({ car }) => car)).size / 1_000).toBeCloseTo(0.3, 1);
    expect(failed[0]?.at).toBeGreaterThanOrEqual(START + 5 * 10_000);
    expect(new Set(failed.flatMap(({ failures }) => failures))).toEqual(
      new Set(['tire', 'shock', 'driveShaft', 'overheating', 'battery']),
    );
    const combined = fleet({ hazards: NO_HAZARDS, faults: 1, faultModes: ['shock', 'battery'], faultsAtOnce: 2 });
    expect(combined.at(-1)?.failures).toEqual(['shock', 'battery']);
  });

  it('takes a strength for all faults or for some', () => {
    const firmware = { hazards: NO_HAZARDS, faults: 1, faultModes: ['firmware'] } as const;
    expect(fleet({ ...firmware, strength: 0.5 }).at(-1)?.signals.controlUnitFirmware).toBe(1_500);
    expect(fleet({ ...firmware, strength: { firmware: 0.1 } }).at(-1)?.signals.controlUnitFirmware).toBe(1_900);
    expect(fleet({ ...firmware, strength: { tire: 0.1 } }).at(-1)?.signals.controlUnitFirmware).toBe(1_000);
  });
});
