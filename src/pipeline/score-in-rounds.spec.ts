import { describe, expect, it } from 'vitest';
import { loadScorer } from '../score/load-scorer.js';
import { simulateFleet } from '../simulator/fleet.js';
import { scoreInRounds, type Classified } from './score-in-rounds.js';
import { turnsDuring } from '../../test/builders/turns.js';

const READINGS = 4_096;

function ofCars(cars: number): Classified[] {
  const messages = simulateFleet({ cars, seed: 4_242, start: 0, stepSeconds: 10, messages: READINGS });
  return [...messages].map((message) => ({ reading: { ...message, skewedAt: null }, arrival: 'new' }));
}

describe('scoreInRounds', () => {
  it.each([1, 16])('gives the event loop its turns, however few cars (%i) a batch is of', async (cars) => {
    const scorer = await loadScorer({
      dir: 'models/default',
      backend: 'auto',
      evaluator: 'auto',
      log: () => undefined,
    });
    try {
      expect(scorer.evaluator).toBe('dense');
      const batch = ofCars(cars);
      const turns = await turnsDuring(() => scoreInRounds(batch, () => null, scorer));
      expect(turns).toBeGreaterThanOrEqual(READINGS / 512 - 1);
    } finally {
      await scorer.close();
    }
  });

  it('counts the rows of calls that are each too small for a turn', async () => {
    const [batch, answer] = [ofCars(1).slice(0, 100), { kind: 'unscored', reason: 'test' } as const];
    const scorer = { model: 'test@1', score: (rows: readonly unknown[]) => Promise.resolve(rows.map(() => answer)) };
    const turns = await turnsDuring(async () => {
      for (let call = 0; call < 40; call++) await scoreInRounds(batch, () => null, scorer);
    });
    expect(turns).toBeGreaterThanOrEqual(4_000 / 512 - 1);
  });
});
