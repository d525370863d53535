import { describe, expect, it } from 'vitest';
import {
  FULL_STRENGTH,
  NO_HAZARDS,
  ORIGINAL_HAZARDS,
  stepFaults,
  type ActiveFault,
  type FaultRules,
  type PlannedFault,
} from './faults.js';
import { Random } from './random.js';

const RULES: FaultRules = { hazards: NO_HAZARDS, strength: FULL_STRENGTH, repairAfter: 100 };

/** What is on at each of the messages. */
function history(messages: number, rules: Partial<FaultRules>, planned: readonly PlannedFault[] = [], seed = 1) {
  const random = new Random(seed);
  let active: readonly ActiveFault[] = [];
  return Array.from({ length: messages }, (_, message) => {
    active = stepFaults(active, message, { ...RULES, ...rules }, planned, random);
    return active;
  });
}

describe('faults', () => {
  it('do not come by themselves without a hazard', () => {
    expect(history(500, {}).flat()).toEqual([]);
  });

  it('come as often as their hazard says, each of four tires and shock absorbers by itself', () => {
    const runs = Array.from(
      { length: 4_000 },
      (_, seed) => history(1, { hazards: ORIGINAL_HAZARDS }, [], seed)[0] ?? [],
    );
    const share = (name: string) => runs.flat().filter((fault) => fault.name === name).length / runs.length;
    expect(share('tire')).toBeCloseTo(0.02, 2);
    expect(share('shock')).toBeCloseTo(0.04, 2);
    expect(share('driveShaft')).toBeCloseTo(0.01, 2);
    expect(share('firmware')).toBeCloseTo(0.04, 2);
    expect(share('battery')).toBe(0);
    expect(new Set(runs.flat().map(({ wheel }) => wheel))).toEqual(new Set([null, 0, 1, 2, 3]));
  });

  it('latch, and are repaired after a while', () => {
    const on = history(200, {}, [{ name: 'overheating', at: 10 }]).map((active) => active.length === 1);
    const repaired = on.lastIndexOf(true) + 1;
    expect(on.indexOf(true)).toBe(10);
    expect(on.slice(10, repaired).every(Boolean)).toBe(true);
    expect(repaired - 10).toBeGreaterThanOrEqual(50);
    expect(repaired - 10).toBeLessThanOrEqual(150);
  });

  it('stay for ever where nobody repairs', () => {
    const last = history(5_000, { repairAfter: Infinity }, [{ name: 'tire', at: 3 }]).at(-1);
    expect(last).toMatchObject([{ name: 'tire', strength: 0.33 }]);
  });

  it('draw their strength from a range', () => {
    const strength = { ...FULL_STRENGTH, shock: [0.2, 0.4] as const };
    const drawn = Array.from({ length: 50 }, (_, seed) => history(1, { strength }, [{ name: 'shock', at: 0 }], seed))
      .flat(2)
      .map((fault) => fault.strength);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0.2);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(0.4);
    expect(new Set(drawn).size).toBe(50);
  });
});
