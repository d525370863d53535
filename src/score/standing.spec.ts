import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readModelFolder } from './model-folder.js';
import { standingOf } from './standing.js';

const { normalScores, threshold, quantile } = readModelFolder('models/default').metadata;

describe('standingOf', () => {
  it('gives the quantiles back at their scores, and rises evenly between them', () => {
    const three = [
      { quantile: 0.5, score: 0.2 },
      { quantile: 0.9, score: 0.6 },
      { quantile: 1, score: 2 },
    ];
    expect([0, 0.1, 0.2, 0.4, 0.6, 2, 3].map((score) => standingOf(score, three))).toEqual(
      [0, 0.25, 0.5, 0.7, 0.9, 1, 1].map((share) => expect.closeTo(share, 12)),
    );
  });

  it('never falls as the score rises, and stays within 0 and 1', () => {
    const score = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(score, score, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)].map((each) => standingOf(each, normalScores));
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(high ?? NaN);
      }),
    );
  });

  it('puts the threshold of the shipped model where it was set', () => {
    expect(standingOf(threshold, normalScores)).toBeCloseTo(quantile, 6);
  });
});
