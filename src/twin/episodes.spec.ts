import { describe, expect, it } from 'vitest';
import { NOON, aScore } from '../../test/builders/sensor.js';
import type { EpisodeChange } from './episode-step.js';
import { advanceEpisodes, downgradeEpisodes, statusOf, type EpisodeRules, type EpisodeState } from './episodes.js';

const RULES: EpisodeRules = {
  window: 5,
  open: 3,
  clear: 3,
  hysteresis: 0.9,
  major: 2,
  critical: 5,
  downgradeAfter: 60_000,
};
const CALM: EpisodeState = { open: {}, recent: [], cleared: {}, noticed: 0 };

/** Runs ratios through, ten seconds apart. */
function run(ratios: readonly number[], state = CALM, start = NOON, signal?: Parameters<typeof aScore>[1]) {
  const changes: EpisodeChange[] = [];
  ratios.forEach((ratio, index) => {
    const step = advanceEpisodes('car1', state, new Date(start + index * 10_000), aScore(ratio, signal), RULES);
    state = step.state;
    changes.push(...step.changes);
  });
  return { state, changes, events: changes.flatMap(({ event }) => event ?? []) };
}

describe('anomaly episodes', () => {
  it('open after k of the last n readings above the threshold', () => {
    expect(statusOf(run([1.5, 0, 1.5]).state)).toBe('SUSPECT');
    const { state, events, changes } = run([1.5, 0, 1.5, 0, 1.5]);
    expect(events).toEqual(['OPENED']);
    expect(statusOf(state)).toBe('ANOMALOUS');
    expect(changes[0]).toMatchObject({
      id: `car1/TIRE/${new Date(NOON + 40_000).toISOString()}`,
      severity: 'MINOR',
      readings: 1,
    });
  });

  it('do not open when the readings above the threshold are too far apart', () => {
    expect(run([1.5, 0, 0, 1.5, 0, 0, 1.5, 0, 0, 1.5]).events).toEqual([]);
  });

  it('escalate at once and fall by one severity when it was not reached for long enough', () => {
    expect(run([1.5, 1.5, 1.5, 6]).events).toEqual(['OPENED', 'ESCALATED']);
    const { changes } = run([1.5, 1.5, 1.5, 6, ...Array<number>(15).fill(1.2)]);
    expect(changes.filter(({ event }) => event !== null).map(({ severity }) => severity)).toEqual([
      'MINOR',
      'CRITICAL',
      'MAJOR',
      'MINOR',
    ]);
  });

  it('clear after m readings in a row below the hysteresis band, and the band starts the count again', () => {
    const open = [1.5, 1.5, 1.5];
    expect(run([...open, 0.5, 0.5, 0.95, 0.5, 0.5]).events).toEqual(['OPENED']);
    const { state, events } = run([...open, 0.5, 0.5, 0.95, 0.5, 0.5, 0.5]);
    expect(events).toEqual(['OPENED', 'CLEARED']);
    expect(statusOf(state)).toBe('NORMAL');
  });

  it('never use an id twice: what cleared at an instant does not open again at it', () => {
    const { state } = run([1.5, 1.5, 1.5, 0, 0, 0]);
    const at = state.cleared.TIRE ?? new Date(0);
    let again: EpisodeState = state;
    for (let i = 0; i < 5; i += 1) again = advanceEpisodes('car1', again, at, aScore(2), RULES).state;
    expect(again.open).toEqual({});
    expect(advanceEpisodes('car1', again, new Date(at.getTime() + 1), aScore(2), RULES).state.open).toHaveProperty(
      'TIRE',
    );
  });

  it('hold one open episode for each kind', () => {
    const tire = run([2, 2, 2]);
    const mixed = run([2, 2], tire.state, NOON + 60_000, 'accelerometer12');
    const tireAgain = run([2], mixed.state, NOON + 80_000);
    const both = run([2], tireAgain.state, NOON + 90_000, 'accelerometer12');
    expect(Object.keys(both.state.open)).toEqual(['TIRE', 'SHOCK']);
    expect(run([2, 2, 2], both.state, NOON + 100_000).events).toEqual(['CLEARED']);
  });

  it('are downgraded by the clock alone where the car is silent', () => {
    const { state } = run([6, 6, 6]);
    const soon = downgradeEpisodes(state, new Date(NOON + 30_000), RULES);
    expect(soon.changes).toEqual([]);
    const later = downgradeEpisodes(state, new Date(NOON + 120_000), RULES);
    expect(later.changes).toMatchObject([{ event: 'DOWNGRADED', severity: 'MAJOR', score: null }]);
  });
});
