import type { Signals } from '../telemetry/signals.js';
import { newCar, stepCar, VARIED, type Car, type CarState, type Variety } from './car.js';
import {
  DEFAULT_HAZARDS,
  FAULT_NAMES,
  FULL_STRENGTH,
  MECHANICAL_FAULTS,
  stepFaults,
  type ActiveFault,
  type FaultName,
  type FaultRules,
  type Hazards,
  type PlannedFault,
  type Strength,
} from './faults.js';
import { Random } from './random.js';
import { driveRoad, startOfRoad, type Location, type RoadState } from './road.js';

/** One message of one car, before it is encoded. */
export interface CarMessage {
  readonly car: string;
  /** ms since 1970 */
  readonly at: number;
  readonly signals: Signals;
  /** `failure_occurred`: any failure is on, an outdated firmware included; null when not known. */
  readonly label: boolean | null;
  /** What is on, in the order of FAULT_NAMES; never sent. */
  readonly failures: readonly FaultName[];
  /** Where the car is; not there when nobody asked for it. */
  readonly location?: Location;
}

export interface FleetOptions {
  readonly cars: number;
  readonly seed: number;
  /** ms since 1970 */
  readonly start: number;
  /** s between two messages of a car */
  readonly stepSeconds: number;
  readonly hazards?: Partial<Hazards>;
  /** Of every fault, or fault by fault; without it as in the original. */
  readonly strength?: Strength | Partial<Record<FaultName, Strength>>;
  /** Of all cars together; without it they drive for ever. */
  readonly messages?: number;
  /** The number of the first car; the cars are called `car1`, `car2`, … by default. */
  readonly firstCar?: number;
  readonly variety?: Partial<Variety>;
  /** Share of the cars that are bound to fail soon, beside the hazards. */
  readonly faults?: number;
  /** What those cars fail with: one of these, or `faultsAtOnce` of them. All mechanical ones by default. */
  readonly faultModes?: readonly FaultName[];
  readonly faultsAtOnce?: number;
  /** The message from which to which they fail, counted from 0. */
  readonly faultAfter?: readonly [first: number, last: number];
  /** Messages until a fault is repaired, give or take a half; Infinity: never. */
  readonly repairAfter?: number;
  /** Whether the messages say where the car is. */
  readonly location?: boolean;
}

/** A car on its way. */
interface Driver {
  readonly name: string;
  readonly car: Car;
  readonly driving: Random;
  readonly breaking: Random;
  readonly planned: readonly PlannedFault[];
  state: CarState;
  faults: readonly ActiveFault[];
  readonly way: Way | null;
}

interface Way {
  readonly turning: Random;
  readonly stepSeconds: number;
  at: RoadState;
}

/** Streams of random numbers of a car */
const DRIVING = 1;
const BREAKING = 2;
const TURNING = 3;

/** The messages of a whole fleet in order of time, the cars spread evenly over each step. The same options, the same messages. */
export function* simulateFleet(options: FleetOptions): Generator<CarMessage, void, undefined> {
  const { cars, start, stepSeconds, messages = Infinity } = options;
  const rules = rulesOf(options);
  const drivers: Driver[] = [];
  for (let sent = 0; sent < messages; sent++) {
    const index = sent % cars;
    const round = Math.floor(sent / cars);
    const driver = (drivers[index] ??= driverOf(options, index));
    const at = start + Math.floor((round + index / cars) * stepSeconds * 1_000);
    yield nextMessage(driver, at, round, rules);
  }
}

function nextMessage(driver: Driver, at: number, round: number, rules: FaultRules): CarMessage {
  driver.faults = stepFaults(driver.faults, round, rules, driver.planned, driver.breaking);
  const { signals, state } = stepCar(driver.car, driver.state, driver.faults, driver.driving);
  driver.state = state;
  const message = { car: driver.name, at, signals, label: driver.faults.length > 0, failures: namesOf(driver.faults) };
  return driver.way === null ? message : { ...message, location: nextLocation(driver.way, state.speed) };
}

/** Rounded to a tenth of a metre, as a receiver would say it. */
function nextLocation(way: Way, speed: number): Location {
  way.at = driveRoad(way.at, speed * way.stepSeconds, way.turning);
  return { lat: Number(way.at.lat.toFixed(6)), lon: Number(way.at.lon.toFixed(6)) };
}

function wayOf({ seed, stepSeconds }: FleetOptions, number: number): Way {
  const turning = new Random(seed, number, TURNING);
  return { turning, stepSeconds, at: startOfRoad(turning) };
}

const NONE: readonly FaultName[] = [];

function namesOf(faults: readonly ActiveFault[]): readonly FaultName[] {
  return faults.length === 0 ? NONE : FAULT_NAMES.filter((name) => faults.some((fault) => fault.name === name));
}

function driverOf(options: FleetOptions, index: number): Driver {
  const number = (options.firstCar ?? 1) + index;
  const driving = new Random(options.seed, number, DRIVING);
  const breaking = new Random(options.seed, number, BREAKING);
  const planned = plannedFaults(options, breaking);
  return {
    name: `car${number}`,
    ...newCar(driving, { ...VARIED, ...options.variety }),
    driving,
    breaking,
    planned,
    faults: [],
    way: options.location === true ? wayOf(options, number) : null,
  };
}

function plannedFaults(options: FleetOptions, random: Random): PlannedFault[] {
  const { faults = 0, faultsAtOnce = 1, faultModes = MECHANICAL_FAULTS, faultAfter = [5, 30] } = options;
  if (!random.chance(faults)) return [];
  const left = [...faultModes];
  const at = random.integer(...faultAfter);
  const planned: PlannedFault[] = [];
  while (planned.length < faultsAtOnce && left.length > 0) {
    const [name] = left.splice(random.integer(0, left.length - 1), 1);
    if (name !== undefined) planned.push({ name, at });
  }
  return planned;
}

function rulesOf({ hazards, strength, repairAfter = 720 }: FleetOptions): FaultRules {
  const single = typeof strength === 'number' || Array.isArray(strength);
  const all = single ? Object.fromEntries(Object.keys(FULL_STRENGTH).map((name) => [name, strength])) : strength;
  return {
    hazards: { ...DEFAULT_HAZARDS, ...hazards },
    strength: { ...FULL_STRENGTH, ...(all as Partial<Record<FaultName, Strength>> | undefined) },
    repairAfter,
  };
}
