import { finite } from '../telemetry/finite.js';

/** 97.5 % point of the normal distribution: two-sided 95 %. */
const Z = 1.959_963_984_540_054;

export type Interval = readonly [low: number, high: number];

/** Wilson's 95 % interval of a share (E. B. Wilson, JASA 22, 1927): also right for few cars and shares near 0 and 1. */
export function wilson(part: number, whole: number): Interval {
  if (whole === 0) return [0, 1];
  const share = part / whole;
  const z2 = Z ** 2;
  const centre = (share + z2 / (2 * whole)) / (1 + z2 / whole);
  const half = (Z / (1 + z2 / whole)) * Math.sqrt((share * (1 - share)) / whole + z2 / (4 * whole ** 2));
  // At 0 and 1 both are the share itself, but for rounding.
  return [part === 0 ? 0 : Math.max(0, centre - half), part === whole ? 1 : Math.min(1, centre + half)];
}

export interface Sample {
  readonly count: number;
  readonly mean: number | null;
  /** Of the sample; null for fewer than two values, or where they are too large. */
  readonly deviation: number | null;
}

export interface Difference {
  readonly value: number;
  /** Null where the values are too large for it. */
  readonly interval: Interval | null;
}

/**
 * Difference of two means with a 95 % interval (Welch's, by the normal distribution: for samples of 30 cars or more).
 * @returns null where one of them has fewer than two values, or it is beyond all numbers
 */
export function difference(one: Sample, other: Sample): Difference | null {
  if (one.count < 2 || other.count < 2 || one.mean === null || other.mean === null) return null;
  const value = finite(other.mean - one.mean);
  if (value === null) return null;
  const half = Z * Math.hypot(standardError(one), standardError(other));
  return { value, interval: Number.isFinite(Math.abs(value) + half) ? [value - half, value + half] : null };
}

function standardError({ deviation, count }: Sample): number {
  return deviation === null ? Number.NaN : deviation / Math.sqrt(count);
}
