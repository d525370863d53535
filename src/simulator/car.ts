import { noSignals, type Signals } from '../telemetry/signals.js';
import type { ActiveFault, Wheel } from './faults.js';
import type { Random } from './random.js';

/** m/s that a fully open throttle strives for */
const TOP_SPEED = 38.889;
/** Share of the messages on a bump, which all wheels feel. */
const BUMPS = 0.05;
/** Steps after which a car's speed no longer knows how it began. */
const SETTLED = 200;

/** In which way the cars of a fleet differ. */
export interface Variety {
  /** 0: all drive alike; 1: from sedate to hectic, from light to heavy foot. */
  readonly style: number;
  /** °C of the intake air */
  readonly climate: readonly [low: number, high: number];
  /** Messages that a car has sent before its first one here. */
  readonly age: readonly [low: number, high: number];
  /** % at a car's very first message */
  readonly battery: readonly [low: number, high: number];
}

/** The cars of the formulas, all new. */
export const PLAIN: Variety = { style: 0, climate: [15, 40], age: [0, 0], battery: [30, 100] };

/** A fleet as one meets it: within the formulas, of several ages and habits. */
export const VARIED: Variety = { style: 0.5, climate: [15, 40], age: [0, 1_000], battery: [30, 100] };

/** As far apart as the formulas allow: batteries far below 0 % are healthy in them. */
export const WIDE: Variety = { style: 1, climate: [15, 40], age: [0, 5_000], battery: [30, 100] };

/** What never changes in a car's life. */
export interface Car {
  /** °C */
  readonly intakeAirTemp: number;
  /** m/s */
  readonly intakeAirFlowSpeed: number;
  /** V */
  readonly batteryVoltage: number;
  /** How far the throttle moves, 1 as in the formulas. */
  readonly restless: number;
  /** Added to every movement of the throttle: a heavy foot above 0. */
  readonly foot: number;
}

export interface CarState {
  readonly throttle: number;
  /** m/s */
  readonly speed: number;
  /** % */
  readonly battery: number;
  /** Messages sent so far; the very first one draws what it has no past for. */
  readonly sent: number;
}

export function newCar(random: Random, variety: Variety): { car: Car; state: CarState } {
  const speed = random.between(0, 50);
  const battery = random.between(...variety.battery);
  const car: Car = {
    intakeAirTemp: random.between(...variety.climate),
    intakeAirFlowSpeed: 4 * speed,
    batteryVoltage: 180 + 80 * battery,
    restless: 1 + variety.style * random.between(-0.7, 0.5),
    foot: variety.style * random.between(-0.08, 0.08),
  };
  const age = random.integer(...variety.age);
  return { car, state: aged(car, { throttle: 0, speed, battery, sent: 0 }, age, random) };
}

/**
 * One message: the signals and the state after them (DESIGN 3.4). Pure but for what it draws, which is the same number of
 * draws whatever faults are on, so that a fault changes nothing but what it does itself.
 */
export function stepCar(
  car: Car,
  before: CarState,
  faults: readonly ActiveFault[],
  random: Random,
): { signals: Signals; state: CarState } {
  const drain = 1 + 4 * strongest(faults, 'battery');
  const state = driven(car, before, drain, random);
  const power = powerOf(car, state, strongest(faults, 'battery'));
  const signals = noSignals();
  signals.intakeAirTemp = car.intakeAirTemp;
  signals.intakeAirFlowSpeed = car.intakeAirFlowSpeed;
  signals.throttlePos = state.throttle;
  signals.speed = state.speed;
  signals.batteryPercentage = state.battery;
  signals.batteryVoltage = power.voltage;
  signals.currentDraw = power.current;
  signals.coolantTemp = coolantBase(car, before, random) + heat(faults) * power.current;
  signals.engineVibrationAmplitude = (100 + 50 * strongest(faults, 'driveShaft')) * state.speed;
  signals.controlUnitFirmware = Math.round(2_000 - 1_000 * strongest(faults, 'firmware'));
  setWheels(signals, faults, random);
  return { signals, state };
}

function driven(car: Car, before: CarState, drain: number, random: Random): CarState {
  const first = before.sent === 0;
  const drawn = random.next();
  const throttle = first ? drawn : clamp(before.throttle + car.restless * (0.5 - drawn) + car.foot);
  return {
    throttle,
    speed: 0.8 * before.speed + 0.2 * throttle * TOP_SPEED,
    battery: first ? before.battery : before.battery - drain * 0.001 * before.speed,
    sent: before.sent + 1,
  };
}

/**
 * A degraded cell (strength 1): the battery drains five times as fast, its voltage sags by 10 % at rest and 25 % at full
 * throttle, and the motor draws the more current from it, for the same power.
 */
function powerOf(car: Car, { throttle }: CarState, degraded: number): { voltage: number; current: number } {
  const voltage = car.batteryVoltage * (1 - degraded * (0.1 + 0.15 * throttle));
  const healthy = Math.max(throttle * (Math.abs(260 - car.batteryVoltage) + 4), 80);
  return { voltage, current: (healthy * car.batteryVoltage) / voltage };
}

/** °C: the very first message comes from a car that stood somewhere warm. */
function coolantBase(car: Car, before: CarState, random: Random): number {
  const warmer = random.between(0, 20);
  return before.sent === 0 ? car.intakeAirTemp + warmer : car.intakeAirTemp;
}

/** °C a ampere */
function heat(faults: readonly ActiveFault[]): number {
  return 0.1 + 0.4 * strongest(faults, 'overheating');
}

function setWheels(signals: Signals, faults: readonly ActiveFault[], random: Random): void {
  const bump = random.chance(BUMPS);
  signals.tirePressure11 = tire(0, faults, random);
  signals.tirePressure12 = tire(1, faults, random);
  signals.tirePressure21 = tire(2, faults, random);
  signals.tirePressure22 = tire(3, faults, random);
  signals.accelerometer11 = acceleration(0, bump, faults, random);
  signals.accelerometer12 = acceleration(1, bump, faults, random);
  signals.accelerometer21 = acceleration(2, bump, faults, random);
  signals.accelerometer22 = acceleration(3, bump, faults, random);
}

/** psi, an integer as the sensor sends it */
function tire(wheel: Wheel, faults: readonly ActiveFault[], random: Random): number {
  return Math.round(random.integer(30, 34) * (1 - strongest(faults, 'tire', wheel)));
}

function acceleration(wheel: Wheel, bump: boolean, faults: readonly ActiveFault[], random: Random): number {
  const worn = strongest(faults, 'shock', wheel);
  return bump ? random.between(2 + 3 * worn, 3 + 4 * worn) : random.next() + 3 * worn;
}

function strongest(faults: readonly ActiveFault[], name: ActiveFault['name'], wheel: Wheel | null = null): number {
  let strength = 0;
  for (const fault of faults) {
    if (fault.name === name && fault.wheel === wheel) strength = Math.max(strength, fault.strength);
  }
  return strength;
}

/** The state after `age` healthy messages: driven until speed has settled, the battery's way reckoned from there. */
function aged(car: Car, start: CarState, age: number, random: Random): CarState {
  let state = start;
  let way = 0;
  const steps = Math.min(age, SETTLED);
  for (let i = 0; i < steps; i++) {
    way += state.speed;
    state = driven(car, state, 1, random);
  }
  const left = age - steps;
  return left > 0 ? { ...state, battery: state.battery - (0.001 * way * left) / steps, sent: age } : state;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
