import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { disordered, DUPLICATE_WITHIN, LATE_BY, meanDelay, ORDER, SKEW_UP_TO, type Disorder } from './disorder.js';
import { simulateFleet, type CarMessage } from './fleet.js';
import { jsonLine } from './wire.js';

const START = Date.UTC(2026, 0, 1);

function fleet(messages = 5_000): CarMessage[] {
  return [...simulateFleet({ cars: 50, seed: 3, start: START, stepSeconds: 10, messages })];
}

function sent(source: readonly CarMessage[], disorder: Partial<Disorder>, seed = 1): CarMessage[] {
  return [...disordered(source, { ...ORDER, ...disorder }, seed)];
}

/** s that each message came after the newest before it */
function lagsOf(messages: readonly CarMessage[]): number[] {
  let newest = -Infinity;
  return messages.map(({ at }) => ((newest = Math.max(newest, at)) - at) / 1_000);
}

function timesSent(messages: readonly CarMessage[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const message of messages) times.set(jsonLine(message), (times.get(jsonLine(message)) ?? 0) + 1);
  return times;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const anyDisorder = fc.record({
  dup: share,
  shuffle: fc.integer({ min: 0, max: 300 }),
  late: share,
  skew: fc.constant(0),
});

describe('disordered', () => {
  it('changes nothing when nothing is asked for', () => {
    const messages = fleet();
    expect(sent(messages, {})).toEqual(messages);
  });

  it('is the same for the same seed, and another for another', () => {
    const messages = fleet();
    const all = { dup: 0.1, shuffle: 30, late: 0.1, skew: 0.1 };
    expect(sent(messages, all)).toEqual(sent(messages, all));
    expect(sent(messages, all, 2)).not.toEqual(sent(messages, all));
  });

  it('loses nothing and makes nothing up: every message once or twice, the same set as without', () => {
    const messages = fleet(300);
    fc.assert(
      fc.property(anyDisorder, fc.maxSafeNat(), (disorder, seed) => {
        const times = timesSent(sent(messages, disorder, seed));
        expect(new Set(times.keys())).toEqual(new Set(messages.map(jsonLine)));
        expect([...times.values()].every((count) => count === 1 || (count === 2 && disorder.dup > 0))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('sends the share of --dup again, soon', () => {
    const messages = fleet(20_000);
    const out = sent(messages, { dup: 0.1 });
    expect((out.length - 20_000) / 20_000).toBeCloseTo(0.1, 2);
    expect(Math.max(...lagsOf(out))).toBeLessThanOrEqual(DUPLICATE_WITHIN);
    expect(sent(messages, { dup: 1 })).toHaveLength(40_000);
  });

  it('displaces within the time of --shuffle', () => {
    const out = sent(fleet(), { shuffle: 30 });
    const lags = lagsOf(out);
    expect(Math.max(...lags)).toBeLessThanOrEqual(30);
    expect(Math.max(...lags)).toBeGreaterThan(20);
    // With 5 messages a second and 30 s hardly one stays where it was.
    expect(lags.filter((lag) => lag > 0).length / out.length).toBeGreaterThan(0.8);
  });

  it('holds the share of --late back by minutes', () => {
    const lags = lagsOf(sent(fleet(20_000), { late: 0.05 }));
    const late = lags.filter((lag) => lag > 0);
    expect(late.length / lags.length).toBeCloseTo(0.05, 2);
    expect(Math.max(...late)).toBeLessThanOrEqual(LATE_BY[1]);
    expect(Math.max(...late)).toBeGreaterThan(LATE_BY[1] / 2);
  });

  it('puts the clocks of the share of --skew ahead or behind, half of them each, by its own time throughout', () => {
    const messages = [...simulateFleet({ cars: 1_000, seed: 3, start: START, stepSeconds: 10, messages: 3_000 })];
    const out = sent(messages, { skew: 0.2 });
    const aheadBy = new Map<string, Set<number>>();
    out.forEach(({ car, at }, i) => {
      aheadBy.set(car, (aheadBy.get(car) ?? new Set()).add(at - (messages[i]?.at ?? NaN)));
    });
    const offsets = [...aheadBy.values()].map(([only = NaN, ...others]) => (others.length === 0 ? only : NaN));
    const skewed = offsets.filter((offset) => offset !== 0);
    expect(skewed.length / 1_000).toBeCloseTo(0.2, 1);
    expect(skewed.every((offset) => Math.abs(offset) <= SKEW_UP_TO * 1_000)).toBe(true);
    expect(skewed.filter((offset) => offset < 0).length / skewed.length).toBeCloseTo(0.5, 1);
    expect(new Set(skewed).size).toBeGreaterThan(0.9 * skewed.length);
    expect(out.map(({ signals }) => signals)).toEqual(messages.map(({ signals }) => signals));
  });

  it('draws the same duplicates whatever else is on', () => {
    const messages = fleet();
    const twice = (out: readonly CarMessage[]) =>
      [...timesSent(out)]
        .filter(([, count]) => count === 2)
        .map(([line]) => line)
        .sort();
    expect(twice(sent(messages, { dup: 0.1, shuffle: 60, late: 0.3 }))).toEqual(twice(sent(messages, { dup: 0.1 })));
  });

  it('keeps no more than what is held back', () => {
    let pulled = 0;
    let yielded = 0;
    let most = 0;
    const counted = (function* () {
      for (const message of fleet(20_000)) {
        pulled++;
        yield message;
      }
    })();
    for (const _ of disordered(counted, { ...ORDER, shuffle: 20 }, 1)) most = Math.max(most, pulled - ++yielded);
    // 5 messages a second, 10 s on average
    expect(most).toBeLessThan(150);
    expect(meanDelay({ ...ORDER, shuffle: 20, late: 0.01 })).toBeCloseTo(13.3);
  });
});
