import type { Random } from './random.js';

export const FAULT_NAMES = ['tire', 'shock', 'driveShaft', 'overheating', 'battery', 'firmware'] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** What breaks; an outdated firmware is a failure to the car's own label, but nothing that a workshop mends. */
export const MECHANICAL_FAULTS: readonly FaultName[] = ['tire', 'shock', 'driveShaft', 'overheating', 'battery'];

/** 11, 12, 21, 22: front left, front right, rear left, rear right. */
export type Wheel = 0 | 1 | 2 | 3;
export const WHEELS: readonly Wheel[] = [0, 1, 2, 3];

/** The chance a message that a healthy part fails; tires and shock absorbers: of each of the four. */
export type Hazards = Readonly<Record<FaultName, number>>;

export const NO_HAZARDS: Hazards = { tire: 0, shock: 0, driveShaft: 0, overheating: 0, battery: 0, firmware: 0 };

/** With the default repair after some 720 messages about 2 % of the rows of a long run are failed ones. */
export const DEFAULT_HAZARDS: Hazards = {
  tire: 2e-6,
  shock: 2e-6,
  driveShaft: 4e-6,
  overheating: 4e-6,
  battery: 4e-6,
  firmware: 4e-6,
};

/** Those of the demo that this simulator follows, where hardly a row is healthy; it has no battery degradation. */
export const ORIGINAL_HAZARDS: Hazards = {
  tire: 0.005,
  shock: 0.01,
  driveShaft: 0.01,
  overheating: 0.002,
  battery: 0,
  firmware: 0.04,
};

/** One strength, 0..1, or a range from which every fault draws its own. */
export type Strength = number | readonly [low: number, high: number];

/** How far the original's cars are broken: docs/simulator.md says what a strength does to each fault. */
export const FULL_STRENGTH: Readonly<Record<FaultName, Strength>> = {
  tire: 0.33,
  shock: 1,
  driveShaft: 1,
  overheating: 1,
  battery: 1,
  firmware: 1,
};

export interface ActiveFault {
  readonly name: FaultName;
  /** null for what a car has one of */
  readonly wheel: Wheel | null;
  /** 0..1 */
  readonly strength: number;
  /** The message, counted from the car's first in this run, from which on it is repaired. */
  readonly until: number;
}

export interface FaultRules {
  readonly hazards: Hazards;
  readonly strength: Readonly<Record<FaultName, Strength>>;
  /** Messages; a fault stays for 0.5 to 1.5 times as many. Infinity: for ever. */
  readonly repairAfter: number;
}

/** A fault that is bound to come: the given ones of a demo or an evaluation. */
export interface PlannedFault {
  readonly name: FaultName;
  readonly at: number;
}

/** The faults that are on at a car's message number `message`, from those that were on before. Latching: only a repair ends one. */
export function stepFaults(
  before: readonly ActiveFault[],
  message: number,
  rules: FaultRules,
  planned: readonly PlannedFault[],
  random: Random,
): readonly ActiveFault[] {
  let active = before.some(({ until }) => until <= message) ? before.filter(({ until }) => until > message) : before;
  for (const name of FAULT_NAMES) {
    const hazard = rules.hazards[name];
    if (hazard === 0) continue;
    for (const wheel of placesOf(name)) {
      if (random.chance(hazard)) active = withFault(active, name, wheel, message, rules, random);
    }
  }
  for (const { name, at } of planned) {
    if (at === message) active = withFault(active, name, random.integer(0, 3) as Wheel, message, rules, random);
  }
  return active;
}

const ONE: readonly null[] = [null];

function onWheels(name: FaultName): boolean {
  return name === 'tire' || name === 'shock';
}

function placesOf(name: FaultName): readonly (Wheel | null)[] {
  return onWheels(name) ? WHEELS : ONE;
}

function withFault(
  active: readonly ActiveFault[],
  name: FaultName,
  drawn: Wheel | null,
  message: number,
  { strength, repairAfter }: FaultRules,
  random: Random,
): readonly ActiveFault[] {
  const wheel = onWheels(name) ? drawn : null;
  const lasts = Math.max(1, Math.round(repairAfter * random.between(0.5, 1.5)));
  const fault = { name, wheel, strength: drawnStrength(strength[name], random), until: message + lasts };
  return active.some((other) => other.name === name && other.wheel === wheel) ? active : [...active, fault];
}

function drawnStrength(strength: Strength, random: Random): number {
  const [low, high] = typeof strength === 'number' ? [strength, strength] : strength;
  return random.between(low, high);
}
