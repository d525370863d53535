import { describe, expect, it } from 'vitest';
import { Judge } from './judge.js';

const feature = (name: string, signal: 'speed' | 'throttlePos') => ({
  name,
  signal,
  derivation: name,
  mean: 10,
  scale: 2,
  normalError: { below: 1, above: 2 },
});
const rules = {
  features: [feature('a', 'speed'), feature('b', 'throttlePos')],
  name: 'm',
  version: '1',
  threshold: 1,
  inputLimit: 4,
};

function judged(values: number[], outputs: number[]) {
  const judge = new Judge(rules);
  const features = Float64Array.from(values);
  const inputs = judge.toInputs(features);
  return { inputs: [...inputs], score: judge.score(features, Float32Array.from(outputs), 0) };
}

describe('Judge', () => {
  it('takes the worst feature over its normal error, each side by its own', () => {
    expect(judged([14, 10], [0, 0]).score).toMatchObject({ value: 1, anomalous: false, threshold: 1, model: 'm@1' });
    expect(judged([6, 10], [0, 0]).score).toMatchObject({ value: 2, anomalous: true });
  });

  it('shares the error out to the signals, the largest first', () => {
    expect(judged([14, 6], [0, 0]).score?.topSignals).toEqual([
      { signal: 'throttlePos', share: 0.8 },
      { signal: 'speed', share: 0.2 },
    ]);
  });

  it('cuts what the network is given, and judges by the value itself', () => {
    const { inputs, score } = judged([1_010, 10], [4, 0]);
    expect(inputs).toEqual([4, 0]);
    expect(score?.value).toBe(248);
  });

  it('leaves a missing feature out', () => {
    expect(judged([NaN, 14], [3, 0])).toMatchObject({
      inputs: [0, 2],
      score: { value: 1, topSignals: [{ share: 1 }] },
    });
  });

  it('makes no score of nothing, of NaN and of infinity', () => {
    expect(judged([NaN, NaN], [0, 0]).score).toBeNull();
    expect(judged([10, 10], [NaN, 0]).score).toBeNull();
    expect(judged([10, 10], [0, Infinity]).score).toBeNull();
    expect(judged([Infinity, 10], [0, 0]).score).toBeNull();
  });

  it('says what is left of a score without an outdated firmware, and only then', () => {
    const firmware = { ...feature('c', 'throttlePos'), signal: 'controlUnitFirmware' as const };
    const judge = new Judge({ ...rules, features: [...rules.features, firmware] });
    const scoreOf = (...values: number[]) => {
      const features = Float64Array.from(values);
      judge.toInputs(features);
      return judge.score(features, new Float32Array(3), 0);
    };
    expect(scoreOf(6, 10, -1_990)).toMatchObject({
      value: 1_000,
      topSignals: [{ signal: 'controlUnitFirmware' }, { signal: 'speed' }],
      mechanical: { value: 2, topSignals: [{ signal: 'speed', share: 1 }] },
    });
    expect(scoreOf(10, 10, -1_990)?.mechanical).toEqual({ value: 0, topSignals: [] });
    expect(scoreOf(6, 10, 10)).not.toHaveProperty('mechanical');
  });
});
