import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOON, aScore } from '../../test/builders/sensor.js';
import { kindOf } from '../twin/episode-kind.js';
import { advanceEpisodes, type EpisodeState } from '../twin/episodes.js';
import { openingScore, suggestThreshold, type Labelled } from './suggest-threshold.js';

const RULES = { window: 5, open: 3, clear: 3, hysteresis: 0.9, major: 2, critical: 5, downgradeAfter: 60_000 };
const labels = (label: Labelled['label'], ...openings: number[]): Labelled[] =>
  openings.map((opening) => ({ id: `${label}/${opening}`, label, opening }));

describe('openingScore', () => {
  it('says for every threshold whether the reducer opens an episode', () => {
    const signal = fc.constantFrom('tirePressure11', 'accelerometer12' as const);
    const reading = fc.record({ value: fc.integer({ min: 0, max: 9 }), signal });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 25 }), fc.integer({ min: 1, max: 9 }), (readings, threshold) => {
        let state: EpisodeState = { open: {}, recent: [], cleared: {}, noticed: 0 };
        const opened = new Set<string>();
        readings.forEach(({ value, signal: blamed }, index) => {
          const score = { ...aScore(value, blamed), threshold, anomalous: value > threshold };
          const step = advanceEpisodes('car1', state, new Date(NOON + index), score, RULES);
          state = step.state;
          for (const { kind, event } of step.changes) if (event === 'OPENED') opened.add(kind);
        });
        const blames = readings.map(({ value, signal: of }) => ({ value, kind: kindOf(of) }));
        for (const kind of ['TIRE', 'SHOCK'] as const)
          expect(opened.has(kind)).toBe(openingScore(blames, kind, RULES) > threshold);
      }),
    );
  });
});

describe('suggestThreshold', () => {
  it('drops as many FALSE ones as it can while it keeps every TRUE one, with room on both sides', () => {
    const all = [...labels('TRUE', 4, 9), ...labels('FALSE', 2, 3, 6)];
    const suggestion = suggestThreshold(all, 1);
    expect(suggestion).toMatchObject({ threshold: 3.5, lostTrue: [], agreementNow: 0.5 });
    expect(suggestion.droppedFalse.map(({ opening }) => opening)).toEqual([2, 3]);
    expect(suggestion.agreement).toBeCloseTo((1 + 2 / 3) / 2);
  });

  it('gives up a TRUE one only where none can be kept with profit, and says which', () => {
    const suggestion = suggestThreshold([...labels('TRUE', 2, 7, 8), ...labels('FALSE', 3, 4)], 1);
    expect(suggestion).toMatchObject({ threshold: 5.5, lostTrue: [{ opening: 2 }] });
    expect(suggestion.droppedFalse).toHaveLength(2);
  });

  it('stays where it is where nothing else agrees better', () => {
    const suggestion = suggestThreshold([...labels('TRUE', 2, 3), ...labels('FALSE', 8)], 1.5);
    expect(suggestion).toMatchObject({ threshold: 1.5, agreement: 0.5, lostTrue: [], droppedFalse: [] });
  });

  it.each([
    [labels('TRUE', 2, 3), 'all 2 of them are labelled TRUE: a threshold is learned from both, TRUE and FALSE ones'],
    [labels('FALSE', 2), 'all 1 of them are labelled FALSE: a threshold is learned from both, TRUE and FALSE ones'],
    [[], 'no episode is labelled TRUE or FALSE: a threshold is learned from both, TRUE and FALSE ones'],
  ])('needs both labels', (labelled, message) => {
    expect(() => suggestThreshold(labelled, 1)).toThrow(message);
  });

  it('is never lower than the present one, and no other threshold is better by its own rule', () => {
    const one = fc.record({ opening: fc.double({ min: 1.001, max: 10, noNaN: true }), good: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { minLength: 2, maxLength: 15 }), (episodes) => {
        const all = episodes.map(
          ({ opening, good }, n): Labelled => ({
            id: String(n),
            label: good ? 'TRUE' : 'FALSE',
            opening,
          }),
        );
        const [real, unreal] = [true, false].map((good) => episodes.filter((each) => each.good === good));
        fc.pre((real?.length ?? 0) > 0 && (unreal?.length ?? 0) > 0);
        const { threshold, lostTrue, droppedFalse, agreement, agreementNow } = suggestThreshold(all, 1);
        expect(threshold).toBeGreaterThanOrEqual(1);
        expect(agreement).toBeGreaterThanOrEqual(agreementNow);
        const lowest = Math.min(...(real ?? []).map(({ opening }) => opening));
        const free = (unreal ?? []).filter(({ opening }) => opening < lowest).length;
        if (free > 0) expect([lostTrue.length, droppedFalse.length]).toEqual([0, free]);
        const agreementAt = (t: number) =>
          (all.filter((each) => each.label === 'TRUE' && each.opening > t).length / (real?.length ?? 1) +
            all.filter((each) => each.label === 'FALSE' && each.opening <= t).length / (unreal?.length ?? 1)) /
          2;
        expect(agreement).toBeCloseTo(agreementAt(threshold), 12);
        if (free === 0)
          for (const { opening } of all) expect(agreementAt(opening)).toBeLessThanOrEqual(agreement + 1e-12);
      }),
    );
  });
});
