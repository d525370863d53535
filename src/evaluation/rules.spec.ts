import { describe, expect, it } from 'vitest';
import { NO_HAZARDS, type FaultName } from '../simulator/faults.js';
import { simulateFleet, type CarMessage } from '../simulator/fleet.js';
import { noSignals } from '../telemetry/signals.js';
import { kindOf } from '../twin/episode-kind.js';
import { replay, type Judged } from './replay.js';
import { RulesScorer } from './rules.js';

const EPISODES = { window: 5, open: 3, clear: 3, hysteresis: 0.9, major: 2, critical: 5, downgradeAfter: 60_000 };

async function judged(messages: Iterable<CarMessage>): Promise<Judged[]> {
  const all: Judged[] = [];
  const readings = [...messages].map((message) => ({ ...message, skewedAt: null }));
  for await (const one of replay(readings, new RulesScorer(), EPISODES)) all.push(one);
  return all;
}

const fleet = (faultModes: readonly FaultName[]) =>
  simulateFleet({
    cars: 60,
    seed: 515,
    start: 0,
    stepSeconds: 10,
    messages: 3_600,
    hazards: NO_HAZARDS,
    faults: faultModes.length === 0 ? 0 : 1,
    faultModes,
    repairAfter: Infinity,
    variety: { style: 1, age: [0, 5_000], climate: [-30, 40] },
  });
const flagged = ({ scored }: Judged) => scored?.kind === 'scored' && scored.score.anomalous;

describe('the rules', () => {
  it('flag no reading of a healthy car', async () => {
    const all = await judged(fleet([]));
    expect(all).toHaveLength(3_600);
    expect(all.filter(flagged)).toEqual([]);
  });

  it.each([
    ['tire', 'TIRE'],
    ['shock', 'SHOCK'],
    ['driveShaft', 'DRIVE_SHAFT'],
    ['overheating', 'OVERHEATING'],
    ['battery', 'BATTERY'],
    ['firmware', 'FIRMWARE_OUTDATED'],
  ] as const)('flag %s, and blame %s', async (mode, kind) => {
    const failed = (await judged(fleet([mode]))).filter(({ reading }) => reading.label === true);
    const found = failed.filter(flagged);
    expect(found.length / failed.length).toBeGreaterThan(0.995);
    const kinds = found.map(({ scored }) => scored?.kind === 'scored' && kindOf(scored.score.topSignals[0]?.signal));
    expect(kinds.filter((one) => one === kind).length / found.length).toBeGreaterThan(0.99);
  });

  it('say nothing about a reading without signals', async () => {
    const empty = { car: 'a', at: 0, signals: noSignals(), label: null, failures: [] };
    const [one] = await judged([empty]);
    expect(one?.scored).toEqual({ kind: 'unscored', reason: 'no rule says anything about this reading' });
  });
});
