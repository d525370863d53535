import { describe, expect, it } from 'vitest';
import type { FaultRow, HealthyRow } from './report.js';
import { faultTrials, healthyTrials } from './simulated-cars.js';
import { checkTargets } from './targets.js';

const SIZE = { seed: 1, cars: 1, messages: 1 };
const healthy = healthyTrials(SIZE).map(({ name }) => ({
  cars: name,
  flagged: 0.0005,
  falseEpisodesPer1000CarHours: 6,
}));
const faults = faultTrials(SIZE).map(({ name, faults: strength }) => {
  return { cars: name, strength, rocAuc: 0.99949, recallAt01Percent: 0.98 };
});
const checks = checkTargets(healthy as unknown as HealthyRow[], faults as unknown as FaultRow[]);

describe('checkTargets', () => {
  it('finds every target among the trials', () => {
    expect(checks).toHaveLength(22);
  });

  it('says what is met and what is missed', () => {
    const metOf = (cars: string, measure: string, strength = 'full') =>
      checks.find((one) => one.cars === cars && one.measure.startsWith(measure) && one.strength === strength)?.met;
    expect(metOf('tire', 'ROC-AUC')).toBe(true);
    expect(metOf('driveShaft', 'ROC-AUC')).toBe(false);
    expect(metOf('tire', 'recall')).toBe(false);
    expect(metOf('tire', 'recall', 'subtle (0.1)')).toBe(true);
    expect(metOf('of all ages and styles', 'flagged', 'healthy')).toBe(true);
    expect(metOf('of all ages and styles', 'false episodes', 'healthy')).toBe(true);
  });
});
