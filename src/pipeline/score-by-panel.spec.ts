import { describe, expect, it } from 'vitest';
import { NOON, aReading, aScore } from '../../test/builders/sensor.js';
import type { Panel, Scorer } from '../telemetry/score.js';
import { applyReading } from '../twin/apply-reading.js';
import type { Twin } from '../twin/documents.js';
import { scoreByPanel } from './score-by-panel.js';

const RULES = { window: 5, open: 3, clear: 3, hysteresis: 0.9, major: 2, critical: 5, downgradeAfter: 60_000 };

/** Its score is how many readings it remembers; it cannot read what a model of other features remembers. */
function counting(model: string, features: string): Scorer {
  return {
    model,
    score: (batch) =>
      Promise.resolve(
        batch.map(({ memory }) => {
          const seen = (memory?.features === features ? (memory.state[0] ?? 0) : 0) + 1;
          return { kind: 'scored', score: { ...aScore(0), value: seen }, memory: { features, state: [seen] } };
        }),
      ),
  };
}

describe('scoreByPanel', () => {
  it('a model that is activated goes on with what it remembers from the shadow, and so does one that is taken back', async () => {
    const one = counting('one@1', 'f1');
    const two = counting('two@1', 'f2');
    let twin: Twin | null = null;
    let second = 0;
    const send = async (panel: Omit<Panel, 'revision'>) => {
      second += 1;
      const reading = aReading({ at: NOON + second * 1_000 });
      const before = twin;
      const classified = [{ reading, arrival: 'new' as const }];
      const { scores, shadows } = await scoreByPanel(classified, () => before, { revision: 1, ...panel });
      const [scored = null] = scores;
      const source = { topic: 'sensor-data', partition: 0, offset: second };
      const arrived = { hash: 1, arrival: 'new' as const, receivedAt: reading.at, source };
      twin = applyReading(twin, { reading, scored, shadows: shadows[0] ?? [], ...arrived }, RULES).twin;
      return [scored, ...(shadows[0] ?? []).map((shadow) => shadow.scored)].map((said) =>
        said?.kind === 'scored' ? said.score.value : null,
      );
    };
    expect(await send({ champion: one, shadows: [two] })).toEqual([1, 1]);
    expect(await send({ champion: one, shadows: [two] })).toEqual([2, 2]);
    expect(await send({ champion: two, shadows: [one] })).toEqual([3, 3]);
    expect(await send({ champion: two, shadows: [one] })).toEqual([4, 4]);
    expect(await send({ champion: one, shadows: [] })).toEqual([5]);
    expect(twin).not.toHaveProperty('shadowMemory');
  });
});
