import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STEPS, stretchesOf, windowStart, windowsBetween, windowsOf, type Step } from './window.js';

const NOON = Date.UTC(2026, 5, 1, 12);
const MINUTE = 60_000;
const steps = fc.constantFrom<Step>('FIVE_MINUTES', 'HOUR');
const instants = fc.integer({ min: -STEPS.HOUR * 1_000, max: 4e12 });

describe('windows', () => {
  it('begin at whole steps of the epoch and hold their start but not their end', () => {
    expect(windowStart(NOON, 'FIVE_MINUTES')).toBe(NOON);
    expect(windowStart(NOON - 1, 'FIVE_MINUTES')).toBe(NOON - 5 * MINUTE);
    expect(windowStart(NOON + 59 * MINUTE, 'HOUR')).toBe(NOON);
    expect(windowStart(-1, 'HOUR')).toBe(-STEPS.HOUR);
  });

  it('hold every instant exactly once', () => {
    fc.assert(
      fc.property(instants, steps, (at, step) => {
        const start = windowStart(at, step);
        expect(start % STEPS[step] === 0 && start <= at && at < start + STEPS[step]).toBe(true);
      }),
    );
  });

  it('are listed once each, rising', () => {
    expect(windowsOf([NOON + 1, NOON - 1, NOON], 'FIVE_MINUTES')).toEqual([NOON - 5 * MINUTE, NOON]);
  });

  it('between two instants are those that begin there', () => {
    expect(windowsBetween(NOON + 1, NOON + 10 * MINUTE, 'FIVE_MINUTES')).toEqual([NOON + 5 * MINUTE]);
    expect(windowsBetween(NOON, NOON + 1, 'HOUR')).toEqual([NOON]);
    expect(windowsBetween(NOON, NOON - STEPS.HOUR, 'HOUR')).toEqual([]);
  });

  it('that touch each other are one stretch', () => {
    const [a, b, c] = [NOON, NOON + 5 * MINUTE, NOON + 20 * MINUTE];
    expect(stretchesOf([a, b, c], 'FIVE_MINUTES')).toEqual([
      { from: a, to: NOON + 10 * MINUTE },
      { from: c, to: c + 5 * MINUTE },
    ]);
  });
});
