import { describe, expect, it } from 'vitest';
import { aReading } from '../../test/builders/sensor.js';
import { Tally } from './tally.js';

const score = (value: number) => ({
  value,
  threshold: 0.5,
  anomalous: value > 0.5,
  model: 'test@1',
  topSignals: [],
});
const readings = [
  { signals: aReading({ signals: { speed: 0.1 } }).signals, score: score(0.4) },
  { signals: aReading({ signals: { speed: 0.2 } }).signals, score: score(1) },
  { signals: aReading({ signals: { speed: null } }).signals },
  { signals: aReading({ signals: { speed: 0.3 } }).signals, score: score(0.2) },
];
const tallied = (some: typeof readings) => {
  const tally = new Tally();
  for (const reading of some) tally.addReading(reading);
  return tally.figures();
};

describe('Tally', () => {
  it('counts readings and anomalies, keeps the highest score and the figures of every signal', () => {
    const figures = tallied(readings);
    expect(figures).toMatchObject({ readings: 4, anomalies: 1, maxScore: 1, maxRatio: 2 });
    expect(figures.signals.speed).toEqual({ count: 3, min: 0.1, max: 0.3, sum: 0.6 });
  });

  it('is the same in any order', () => {
    expect(tallied([...readings].reverse())).toEqual(tallied(readings));
  });

  it('merges the figures of parts', () => {
    const merged = new Tally();
    merged.addFigures(tallied(readings.slice(2)));
    merged.addFigures(tallied(readings.slice(0, 2)));
    expect(merged.figures()).toMatchObject({ readings: 4, anomalies: 1, maxScore: 1, maxRatio: 2 });
    expect(merged.figures().signals.speed).toMatchObject({ count: 3, min: 0.1, max: 0.3 });
  });

  it('of nothing has no scores and no signals', () => {
    expect(tallied([])).toEqual({ readings: 0, anomalies: 0, maxScore: null, maxRatio: null, signals: {} });
  });
});
