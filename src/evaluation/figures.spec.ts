import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Score } from '../telemetry/score.js';
import { noSignals } from '../telemetry/signals.js';
import { averagePrecision, OneClassError, Tally } from './figures.js';
import type { Judged } from './replay.js';
import { ScoresByCar } from './scores-by-car.js';

const sorted = (values: readonly number[]) => Float64Array.from(values).sort();

describe('averagePrecision', () => {
  it('is what the definition says, ties at their worst', () => {
    const values = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, values, (normal, failed) => {
        const precisionAt = (score: number) => {
          const hits = failed.filter((value) => value >= score).length;
          return hits / (hits + normal.filter((value) => value >= score).length);
        };
        const mean = failed.reduce((sum, score) => sum + precisionAt(score), 0) / failed.length;
        expect(averagePrecision(sorted(normal), sorted(failed))).toBeCloseTo(mean, 12);
      }),
    );
  });
});

function judged(car: string, step: number, failed: boolean | null, value: number, opened = false): Judged {
  const score: Score = {
    value,
    threshold: 1,
    anomalous: value > 1,
    model: 'test@1',
    topSignals: [{ signal: 'tirePressure11', share: 1 }],
  };
  const change = { id: 'x', kind: 'TIRE', event: 'OPENED', severity: 'MINOR', at: new Date(0), ratio: 1 } as const;
  return {
    reading: { car, at: step * 10_000, skewedAt: null, signals: noSignals(), label: failed },
    arrival: 'new',
    scored: { kind: 'scored', score, memory: null },
    changes: opened ? [{ ...change, readings: 1, peak: true, entries: 1, score }] : [],
  };
}

describe('Tally', () => {
  it('counts the messages from a failure to its first flag, and failures that are never flagged', () => {
    const tally = new Tally();
    [0.2, 0.2].forEach((value, step) => tally.take(judged('a', step, false, value)));
    [0.5, 0.5, 2, 2].forEach((value, step) => tally.take(judged('a', 2 + step, true, value)));
    [0.5, 0.5].forEach((value, step) => tally.take(judged('b', step, true, value)));
    tally.close();
    const figures = tally.figures(1);
    expect(figures.delay).toEqual({ median: 3, p95: 3, neverFlagged: 1 });
    expect(figures).toMatchObject({
      blamedSignals: { tirePressure11: 2 },
      normal: 2,
      failed: 6,
      rocAuc: 1,
      flagged: 2 / 6,
      blamed: { TIRE: 2 },
    });
  });

  it('counts episodes of healthy cars as false, by the hours that they drove, and no gap for longer than an hour', () => {
    const tally = new Tally();
    for (let step = 0; step <= 360; step++) tally.take(judged('a', step, null, step === 9 ? 2 : 0.5, step === 9));
    tally.take(judged('a', 1_000_000, null, 0.5));
    expect(tally.calm(1)).toMatchObject({
      readings: 362,
      flagged: 1 / 362,
      carHours: 2,
      falseEpisodes: 1,
      falseEpisodesPer1000CarHours: 500,
    });
  });

  it('takes the readings behind a failure neither for normal nor for failed while a memory knows it', () => {
    const tally = new Tally();
    tally.take(judged('a', 0, true, 3));
    for (let step = 1; step <= 25; step++) tally.take(judged('a', step, false, 0.1 * step));
    expect(tally.normal.count).toBe(5);
    expect([...tally.failed.values]).toEqual([3]);
  });

  it('says so where one class is missing', () => {
    const tally = new Tally();
    tally.take(judged('a', 0, true, 3));
    expect(() => tally.figures(1)).toThrow(OneClassError);
    const normal = new ScoresByCar();
    normal.add('b', 1);
    expect(() => tally.figures(1, normal)).not.toThrow();
  });
});
