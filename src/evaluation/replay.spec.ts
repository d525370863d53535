import { describe, expect, it } from 'vitest';
import type { Reading } from '../telemetry/reading.js';
import type { Scorer } from '../telemetry/score.js';
import { noSignals } from '../telemetry/signals.js';
import { episodeOf, replay, type Judged } from './replay.js';

const RULES = { window: 3, open: 2, clear: 2, hysteresis: 0.9, major: 2, critical: 5, downgradeAfter: 60_000 };

/** Scores the speed, and remembers how often it saw the car. */
const scorer: Scorer = {
  model: 'test@1',
  score: (batch) =>
    Promise.resolve(
      batch.map(({ reading, memory }) => {
        const value = reading.signals.speed ?? 0;
        const seen = (memory?.state[0] ?? 0) + 1;
        const topSignals = [{ signal: 'tirePressure11', share: seen / 100 }] as const;
        const score = { value, threshold: 1, anomalous: value > 1, model: 'test@1', topSignals };
        return { kind: 'scored', score, memory: { features: 'test', state: [seen] } };
      }),
    ),
};

function reading(car: string, step: number, speed: number): Reading {
  return { car, at: step * 1_000, skewedAt: null, signals: { ...noSignals(), speed }, label: null };
}

async function replayed(readings: readonly Reading[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for await (const one of replay(readings, scorer, RULES)) judged.push(one);
  return judged;
}

const seenBy = ({ scored }: Judged) => (scored?.kind === 'scored' ? scored.score.topSignals[0]?.share : undefined);

describe('replay', () => {
  it('answers in the order of the input, each car with its own memory', async () => {
    const input = [reading('a', 0, 0), reading('b', 0, 0), reading('a', 1, 0), reading('a', 2, 0), reading('b', 1, 0)];
    const judged = await replayed(input);
    expect(judged.map((one) => one.reading)).toEqual(input);
    expect(judged.map(seenBy)).toEqual([0.01, 0.01, 0.02, 0.03, 0.02]);
  });

  it('says which episode a reading opens or extends', async () => {
    const judged = await replayed([3, 3, 3, 0, 0, 0].map((speed, step) => reading('a', step, speed)));
    expect(judged.map(episodeOf).map((one) => one !== null)).toEqual([false, true, true, false, false, false]);
    expect(new Set(judged.map(episodeOf).filter((one) => one !== null)).size).toBe(1);
    expect(episodeOf(judged[1] as Judged)).toContain('a/TIRE/');
  });

  it('knows late readings and those sent twice, as the pipeline does', async () => {
    const twice = reading('a', 5, 3);
    const judged = await replayed([twice, twice, reading('a', 4, 3), reading('a', 6, 0)]);
    expect(judged.map(({ arrival }) => arrival)).toEqual(['new', 'duplicate', 'late', 'new']);
    expect(judged.map(({ scored }) => scored?.kind ?? null)).toEqual(['scored', null, 'scored', 'scored']);
    // The late one was scored against the memory and left it as it was.
    expect(judged.map(seenBy)).toEqual([0.01, undefined, 0.02, 0.02]);
    expect(judged.flatMap(({ changes }) => changes)).toEqual([]);
  });
});
