import { finite } from './finite.js';
import { SIGNALS, type SignalName } from './signals.js';

/** Units that people convert between; the value of one unit in another is `value * factor + offset`. */
const CONVERSIONS: Readonly<Record<string, Readonly<Record<string, Conversion>>>> = {
  // International mile of 1,609.344 m
  'm/s': {
    'm/s': { factor: 1, offset: 0 },
    'km/h': { factor: 3.6, offset: 0 },
    mph: { factor: 3_600 / 1_609.344, offset: 0 },
  },
  // 1 psi = 6,894.757293168 Pa (NIST SP 811)
  psi: {
    psi: { factor: 1, offset: 0 },
    kPa: { factor: 6.894_757_293_168, offset: 0 },
    bar: { factor: 0.068_947_572_931_68, offset: 0 },
  },
  '°C': {
    '°C': { factor: 1, offset: 0 },
    '°F': { factor: 1.8, offset: 32 },
    K: { factor: 1, offset: 273.15 },
  },
};

export interface Conversion {
  readonly factor: number;
  readonly offset: number;
}

export const SAME: Conversion = { factor: 1, offset: 0 };

const unitBySignal = new Map(SIGNALS.map(({ name, unit }) => [name, unit]));

export function unitOf(signal: SignalName): string {
  return unitBySignal.get(signal) ?? '';
}

/** The units that a signal can be given in, its own first. */
export function unitsOf(signal: SignalName): string[] {
  const own = unitOf(signal);
  return Object.keys(CONVERSIONS[own] ?? { [own]: SAME });
}

/** From the signal's own unit; undefined where it is not given in that one. */
export function conversionOf(signal: SignalName, unit: string): Conversion | undefined {
  const own = unitOf(signal);
  if (unit === own) return SAME;
  const others = CONVERSIONS[own];
  return others && Object.hasOwn(others, unit) ? others[unit] : undefined;
}

/** Null where the value is too large for that unit. */
export function converted(value: number | null, { factor, offset }: Conversion): number | null {
  return value === null ? null : finite(value * factor + offset);
}
