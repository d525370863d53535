import { FAULT_NAMES, MECHANICAL_FAULTS, NO_HAZARDS, type FaultName, type Strength } from '../simulator/faults.js';
import { simulateFleet, type FleetOptions } from '../simulator/fleet.js';
import { Random } from '../simulator/random.js';
import { readingOf } from '../simulator/training-cars.js';
import type { Reading } from '../telemetry/reading.js';

/** Cars of one kind, all healthy or each with a fault that it gets between its 5th and 30th reading and keeps. */
export interface Trial {
  readonly name: string;
  /** null where every car is healthy. */
  readonly faults: string | null;
  readings(): Iterable<Reading>;
}

export interface TrialSize {
  readonly seed: number;
  readonly cars: number;
  /** a car */
  readonly messages: number;
  /** Standard deviation of every sensor, as a part of its value; in addition to what a trial is about. */
  readonly noise?: number;
  /** °C of the air that all cars drive in. */
  readonly climate?: readonly [low: number, high: number];
}

/** The weakest faults that are worth finding. */
export const SUBTLE: Readonly<Record<FaultName, number>> = {
  tire: 0.1,
  shock: 0.2,
  driveShaft: 0.3,
  overheating: 0.125,
  battery: 0.2,
  firmware: 0.1,
};

/** Of all ages and driving styles; what models are trained on differs in climate and charge as well. */
const VARIED = { style: 1, age: [0, 6_000] as const };
const ALL_STRENGTHS: Partial<Record<FaultName, Strength>> = {
  tire: [0.1, 0.33],
  shock: [0.2, 1],
  driveShaft: [0.3, 1],
  overheating: [0.125, 1],
  battery: [0.2, 1],
};

/** Healthy cars: the first are what failed readings are compared with. */
export function healthyTrials(size: TrialSize): Trial[] {
  const healthy = (name: string, variety: FleetOptions['variety'], noise = 0): Trial =>
    trial(name, null, size, variety === undefined ? {} : { variety }, noise);
  return [
    trial('of all ages and styles', null, { ...size, cars: 2 * size.cars }, { variety: VARIED }, 0),
    healthy('new, as in the plain formulas', { style: 0, age: [0, 0] }),
    healthy('at -30 °C', { ...VARIED, climate: [-30, -30] }),
    healthy('sensors with 1 % noise', VARIED, 0.01),
  ];
}

/** Cars with one fault each, at full and at the weakest strength; with two at once; with any mechanical one at any strength. */
export function faultTrials(size: TrialSize): Trial[] {
  const broken = (name: string, faults: string, more: Partial<FleetOptions>): Trial =>
    trial(name, faults, size, { variety: VARIED, faults: 1, repairAfter: Infinity, ...more }, 0);
  const single = FAULT_NAMES.flatMap((mode) => [
    broken(mode, 'full', { faultModes: [mode] }),
    broken(mode, `subtle (${SUBTLE[mode]})`, { faultModes: [mode], strength: SUBTLE }),
  ]);
  return [
    ...single,
    broken('two at once', 'full', { faultsAtOnce: 2 }),
    broken('any mechanical', 'any', { faultModes: MECHANICAL_FAULTS, strength: ALL_STRENGTHS }),
  ];
}

function trial(
  name: string,
  faults: string | null,
  { seed, cars, messages, noise: noisier = 0, climate }: TrialSize,
  more: Partial<FleetOptions>,
  noise: number,
): Trial {
  const base = { cars, seed, start: Date.UTC(2026, 0, 1), stepSeconds: 10, hazards: NO_HAZARDS };
  return {
    name,
    faults,
    *readings() {
      const random = new Random(seed, 0, 4);
      const variety = climate ? { climate, ...more.variety } : (more.variety ?? {});
      for (const message of simulateFleet({ ...base, messages: cars * messages, ...more, variety }))
        yield readingOf(message, Math.max(noise, noisier), random);
    },
  };
}
