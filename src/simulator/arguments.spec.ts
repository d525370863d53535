import { describe, expect, it } from 'vitest';
import {
  ageOf,
  amountOf,
  countOf,
  durationOf,
  faultNamesOf,
  rangeOf,
  seedOf,
  shareOf,
  startOf,
  strengthOf,
} from './arguments.js';

describe('arguments', () => {
  it('are turned into values', () => {
    expect(countOf('12')).toBe(12);
    expect(amountOf('0.5')).toBe(0.5);
    expect(seedOf('0')).toBe(0);
    expect(shareOf('5%')).toBe(0.05);
    expect(shareOf('0.05')).toBe(0.05);
    expect(rangeOf('-10..5.5')).toEqual([-10, 5.5]);
    expect(rangeOf('20')).toEqual([20, 20]);
    expect(ageOf('0..1000')).toEqual([0, 1_000]);
    expect(['30', '30s', '500ms', '2m', '0'].map(durationOf)).toEqual([30, 30, 0.5, 120, 0]);
    expect(faultNamesOf('tire,battery')).toEqual(['tire', 'battery']);
    expect(strengthOf('0.2')).toBe(0.2);
    expect(strengthOf('0.1..0.3')).toEqual([0.1, 0.3]);
    expect(strengthOf('tire=0.1,shock=0.2..1')).toEqual({ tire: 0.1, shock: [0.2, 1] });
    expect(startOf('now', 42)).toBe(42);
    expect(startOf('2026-01-31T12:00:00Z', 42)).toBe(Date.UTC(2026, 0, 31, 12));
  });

  it.each([
    ['countOf', countOf, ['0', '-1', '1.5', 'x', '', '1e3']],
    ['amountOf', amountOf, ['0', '-1', 'x', '', 'Infinity']],
    ['seedOf', seedOf, ['-1', '1.5', 'x', '', '99999999999999999999']],
    ['shareOf', shareOf, ['-0.1', '1.1', '101%', '%', '', 'x']],
    ['rangeOf', rangeOf, ['', '5..1', '1..2..3', '1..', 'hot']],
    ['ageOf', ageOf, ['', '-1..5', '0.5..2', '5..1']],
    ['durationOf', durationOf, ['', 's', '-1s', '1.2.3s', '1x', '1d']],
    ['faultNamesOf', faultNamesOf, ['', 'tires', 'tire,']],
    ['strengthOf', strengthOf, ['', '1.1', '-1', '0.3..0.1', '0..1..2', 'tire=', 'tyre=1', 'x']],
    ['startOf', (text: string) => startOf(text, 0), ['', 'yesterday', '5', '2026-13-45']],
  ])('%s says what would be right', (_name, parse, bad) => {
    for (const text of bad) expect(() => parse(text), text).toThrow(/^must/);
  });
});
