import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOON, aScore } from '../../test/builders/sensor.js';
import type { Score } from '../telemetry/score.js';
import type { EpisodeChange } from './episode-step.js';
import { advanceEpisodes, downgradeEpisodes, statusOf, type EpisodeRules, type EpisodeState } from './episodes.js';
import { partScore } from './firmware-notice.js';

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

/** A model that judges signal by signal: an outdated firmware, and what the rest of the car looks like. */
const outdated = (ratio: number, signal: Score['topSignals'][number]['signal'] = 'tirePressure11'): Score => ({
  ...aScore(2_000, 'controlUnitFirmware'),
  mechanical: { value: ratio, topSignals: [{ signal, share: 0.9 }] },
});

function run(scores: readonly Score[], state = CALM, start = NOON) {
  const changes: EpisodeChange[] = [];
  scores.forEach((score, index) => {
    const step = advanceEpisodes('car1', state, new Date(start + index * 10_000), score, RULES);
    state = step.state;
    changes.push(...step.changes);
  });
  return { state, told: changes.flatMap(({ kind, event }) => (event ? [`${kind} ${event}`] : [])), changes };
}
const times = (count: number, score: Score) => Array<Score>(count).fill(score);

describe('an outdated firmware', () => {
  it('is noticed after k readings in a row, MINOR however strange it is, and leaves the status as it is', () => {
    const { state, told, changes } = run(times(30, outdated(0.5)));
    expect(told).toEqual(['FIRMWARE_OUTDATED OPENED']);
    expect(changes.every(({ severity }) => severity === 'MINOR')).toBe(true);
    expect([statusOf(state), state.recent.some((kind) => kind !== null)]).toEqual(['NORMAL', false]);
    expect(downgradeEpisodes(state, new Date(NOON + 86_400_000), RULES).changes).toEqual([]);
  });

  it('is over after m readings in a row without it', () => {
    const told = run([
      ...times(4, outdated(0.5)),
      ...times(2, aScore(0.5)),
      outdated(0.5),
      ...times(3, aScore(0.95)),
    ]).told;
    expect(told).toEqual(['FIRMWARE_OUTDATED OPENED', 'FIRMWARE_OUTDATED CLEARED']);
    expect(run([outdated(0), aScore(0), outdated(0), aScore(0), outdated(0), outdated(0)]).told).toEqual([]);
  });

  it('does not hide a fault: it opens, escalates and clears by its own score beside the notice', () => {
    const noticed = run(times(3, outdated(0.5)));
    const failing = run(times(3, outdated(1.5)), noticed.state, NOON + 60_000);
    expect(failing.told).toEqual(['TIRE OPENED']);
    expect(failing.changes.find(({ kind }) => kind === 'TIRE')).toMatchObject({ severity: 'MINOR', ratio: 1.5 });
    expect(statusOf(failing.state)).toBe('ANOMALOUS');
    const worse = run([outdated(6)], failing.state, NOON + 120_000);
    expect(worse.told).toEqual(['TIRE ESCALATED']);
    const mended = run(times(3, outdated(0.5)), worse.state, NOON + 130_000);
    expect(mended.told).toEqual(['TIRE CLEARED']);
    expect(Object.keys(mended.state.open)).toEqual(['FIRMWARE_OUTDATED']);
  });

  it('is parted by the shares where a model gives one sum for all signals', () => {
    const sum = (share: number): Score => ({
      ...aScore(1_000, 'controlUnitFirmware'),
      topSignals: [
        { signal: 'controlUnitFirmware', share },
        { signal: 'accelerometer22', share: 1 - share },
      ],
    });
    expect(run(times(4, sum(0.9995))).told).toEqual(['FIRMWARE_OUTDATED OPENED']);
    expect(run(times(4, sum(0.995))).told).toEqual(['SHOCK OPENED', 'FIRMWARE_OUTDATED OPENED']);
  });

  it('changes nothing of what becomes of the mechanical kinds', () => {
    const signal = fc.constantFrom('tirePressure11', 'accelerometer12', 'coolantTemp', 'speed' as const);
    const reading = fc.record({ ratio: fc.double({ min: 0, max: 7, noNaN: true }), signal, old: fc.boolean() });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 40 }), (readings) => {
        const plain = run(readings.map((one) => aScore(one.ratio, one.signal)));
        const mixed = run(
          readings.map(({ ratio, signal: of, old }) => (old ? outdated(ratio, of) : aScore(ratio, of))),
        );
        const mechanical = ({ told }: typeof plain) => told.filter((one) => !one.startsWith('FIRMWARE'));
        expect(mechanical(mixed)).toEqual(mechanical(plain));
        expect([mixed.state.recent, statusOf(mixed.state)]).toEqual([plain.state.recent, statusOf(plain.state)]);
      }),
    );
  });

  it('is blamed for nothing else: what is below the threshold is no notice', () => {
    const small = { signal: 'controlUnitFirmware', share: 0.3 } as const;
    const score = { ...aScore(3), topSignals: [...aScore(3).topSignals, small] };
    expect(partScore(score)).toEqual({ noticed: false, mechanical: aScore(3) });
  });
});
