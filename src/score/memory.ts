/**
 * What is remembered of a car, as plain numbers (they are stored with its twin): the time of the last reading, the charge,
 * speed and drain then, the highest voltage of late, and of each wheel the lowest and highest pressure of late, the level
 * of its accelerometer against the other wheels, and its lowest of late.
 */
export const AT = 0;
export const CHARGE = 1;
export const SPEED = 2;
export const DRAIN = 3;
export const FULL_VOLTAGE = 4;
export const LOW_TIRE = 5;
export const HIGH_TIRE = 9;
export const LEVEL = 13;
export const LOW_BUMP = 17;
export const VIBRATION = 21;
export const DRAIN_BEFORE = 22;
export const HIGH_BUMP = 23;
const SIZE = 27;

/** Stands for a number that is not known: NaN would not live through JSON. */
export const UNKNOWN = -1e99;

const NEW: readonly number[] = Array.from({ length: SIZE }, () => UNKNOWN);

export function newState(): readonly number[] {
  return NEW;
}

/** What is beyond all measure is not remembered: sums of it would be infinite. */
export function storable(value: number | null): number {
  return value !== null && Math.abs(value) < 1e15 ? value : UNKNOWN;
}
