import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../src/evaluation/replay.js';
import { loadScorer, type LoadedScorer } from '../src/score/load-scorer.js';
import { rulesOf } from '../src/settings/episode-rules.js';
import { readSettings } from '../src/settings/settings.js';
import { NO_HAZARDS, type FaultName, type Strength } from '../src/simulator/faults.js';
import { simulateFleet, type CarMessage, type FleetOptions } from '../src/simulator/fleet.js';
import { Random } from '../src/simulator/random.js';
import { readingOf } from '../src/simulator/training-cars.js';
import type { Reading } from '../src/telemetry/reading.js';
import type { EpisodeKind } from '../src/twin/episode-kind.js';

const RULES = rulesOf(readSettings({}));
const STEP = 10_000;
const HOUR = 3_600_000;
/** Readings after a repair until a car's memory has forgotten the fault. */
const FORGETS = 20;

const KINDS: Readonly<Record<FaultName, EpisodeKind>> = {
  tire: 'TIRE',
  shock: 'SHOCK',
  driveShaft: 'DRIVE_SHAFT',
  overheating: 'OVERHEATING',
  battery: 'BATTERY',
  firmware: 'FIRMWARE_OUTDATED',
};

/** One fault of one car: ms, the first failed reading and the last. */
interface Fault {
  readonly name: FaultName;
  readonly from: number;
  to: number;
  /** What opened while it was on or not yet forgotten. */
  readonly opened: EpisodeKind[];
}

interface Count {
  readonly faults: readonly Fault[];
  /** Faults with exactly one episode, of their own kind. */
  readonly right: number;
  readonly falseEpisodes: number;
  readonly normalHours: number;
}

/** Cars of all ages and styles, not of the seeds of training; 5 % of them are bound to fail once. */
function fleet(cars: number, messages: number, more: Partial<FleetOptions>): Iterable<CarMessage> {
  const size = {
    cars,
    messages: cars * messages,
    seed: 20_261,
    start: Date.UTC(2026, 0, 1),
    stepSeconds: STEP / 1_000,
  };
  const variety = { style: 1, age: [0, 6_000] as const };
  return simulateFleet({ ...size, hazards: NO_HAZARDS, variety, faults: 0.05, faultAfter: [25, 60], ...more });
}

async function count(messages: Iterable<CarMessage>, scorer: LoadedScorer): Promise<Count> {
  const faults = new Map<string, Fault>();
  function* readings(): Generator<Reading> {
    const random = new Random(1, 0, 4);
    for (const message of messages) {
      const [name] = message.failures;
      const known = faults.get(message.car);
      if (name && known) known.to = message.at;
      else if (name) faults.set(message.car, { name, from: message.at, to: message.at, opened: [] });
      yield readingOf(message, 0, random);
    }
  }
  let [falseEpisodes, normalReadings] = [0, 0];
  for await (const { reading, changes } of replay(readings(), scorer, RULES)) {
    const fault = faults.get(reading.car);
    const failing = fault !== undefined && reading.at >= fault.from && reading.at <= fault.to + FORGETS * STEP;
    const opened = changes.flatMap(({ event, kind }) => (event === 'OPENED' ? kind : []));
    if (failing) fault.opened.push(...opened);
    else {
      normalReadings += 1;
      falseEpisodes += opened.length;
    }
  }
  const all = [...faults.values()];
  const right = all.filter(({ name, opened }) => opened.length === 1 && opened[0] === KINDS[name]).length;
  return { faults: all, right, falseEpisodes, normalHours: (normalReadings * STEP) / HOUR };
}

function said(what: string, { faults, right, falseEpisodes, normalHours }: Count): void {
  const wrong = faults.filter(({ name, opened }) => opened.length !== 1 || opened[0] !== KINDS[name]);
  const list = wrong.map(({ name, opened }) => `${name}: ${opened.join('+') || 'none'}`).join(', ');
  const rate = (1_000 * falseEpisodes) / normalHours;
  process.stderr.write(
    `${what}: ${right} of ${faults.length} faults with one episode${list && ` (${list})`}; ` +
      `${falseEpisodes} false ones in ${normalHours.toFixed(0)} normal car-hours, ${rate.toFixed(2)} per 1,000\n`,
  );
}

describe('a fleet of which 5 % fail', () => {
  let scorer: LoadedScorer;
  beforeAll(async () => {
    scorer = await loadScorer({ dir: 'models/default', backend: 'wasm', evaluator: 'auto', log: () => undefined });
  });
  afterAll(() => scorer.close());

  const SUBTLE_AND_UP: Partial<Record<FaultName, Strength>> = {
    tire: [0.1, 0.33],
    shock: [0.2, 1],
    driveShaft: [0.3, 1],
    overheating: [0.125, 1],
    battery: [0.2, 1],
  };
  it('has one episode for each fault of any strength, and hardly a false one', async () => {
    const result = await count(fleet(4_000, 130, { repairAfter: Infinity, strength: SUBTLE_AND_UP }), scorer);
    said('of any strength', result);
    const { faults, right, falseEpisodes, normalHours } = result;
    expect(faults.length).toBeGreaterThan(150);
    expect(right / faults.length).toBeGreaterThanOrEqual(0.99);
    expect(normalHours).toBeGreaterThan(1_000);
    expect((1_000 * falseEpisodes) / normalHours).toBeLessThanOrEqual(6);
  }, 240_000);

  // Of fewer cars, and so too few hours to count false ones in.
  it.each<[string, Partial<FleetOptions>]>([
    ['that are repaired', { repairAfter: 40 }],
    ['an outdated firmware among them', { repairAfter: Infinity, faultModes: ['firmware', 'tire'] }],
  ])(
    'has one episode for each fault, %s',
    async (what, more) => {
      const result = await count(fleet(400, 130, { faults: 0.25, ...more }), scorer);
      said(what, result);
      expect(result.faults.length).toBeGreaterThan(75);
      expect(result.right / result.faults.length).toBeGreaterThanOrEqual(0.99);
    },
    120_000,
  );
});
