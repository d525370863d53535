import { Field, InputType, registerEnumType } from '@nestjs/graphql';
import type { SignalName } from '../../telemetry/signals.js';
import { type Conversion, conversionOf, SAME, unitOf } from '../../telemetry/units.js';

/** By the name in GraphQL, which takes letters only, the unit. */
const UNITS = {
  METRES_PER_SECOND: 'm/s',
  KILOMETRES_PER_HOUR: 'km/h',
  MILES_PER_HOUR: 'mph',
  PSI: 'psi',
  KILOPASCAL: 'kPa',
  BAR: 'bar',
  CELSIUS: '°C',
  FAHRENHEIT: '°F',
  KELVIN: 'K',
} as const;
export type UnitName = keyof typeof UNITS;

function register<T extends UnitName>(
  name: string,
  description: string,
  names: readonly T[],
): { readonly [N in T]: N } {
  const values = Object.fromEntries(names.map((one) => [one, one])) as { readonly [N in T]: N };
  const described = names.map((one) => [one, { description: `${UNITS[one]}.` }]);
  const valuesMap = Object.fromEntries(described) as Record<T, { description: string }>;
  registerEnumType(values, { name, description, valuesMap });
  return values;
}

export const SpeedUnit = register('SpeedUnit', 'A unit of speed.', [
  'METRES_PER_SECOND',
  'KILOMETRES_PER_HOUR',
  'MILES_PER_HOUR',
]);
export const PressureUnit = register('PressureUnit', 'A unit of pressure.', ['PSI', 'KILOPASCAL', 'BAR']);
export const TemperatureUnit = register('TemperatureUnit', 'A unit of temperature.', [
  'CELSIUS',
  'FAHRENHEIT',
  'KELVIN',
]);

/** The enum of the units that a signal can be given in; undefined where there is one unit only. */
export function unitEnumOf(signal: SignalName): object | undefined {
  return { 'm/s': signal === 'speed' ? SpeedUnit : undefined, psi: PressureUnit, '°C': TemperatureUnit }[
    unitOf(signal)
  ];
}

export function conversionTo(signal: SignalName, unit: UnitName | null | undefined): Conversion {
  return unit ? (conversionOf(signal, UNITS[unit]) ?? SAME) : SAME;
}

@InputType({ description: 'The units that an answer is given in; those of the cars without it.' })
export class UnitsInput {
  @Field(() => SpeedUnit, { nullable: true, description: 'Of speed.' })
  readonly speed?: UnitName | null;

  @Field(() => PressureUnit, { nullable: true, description: 'Of tire pressures.' })
  readonly pressure?: UnitName | null;

  @Field(() => TemperatureUnit, { nullable: true, description: 'Of temperatures.' })
  readonly temperature?: UnitName | null;
}

export interface Given {
  readonly unit: string;
  readonly conversion: Conversion;
}

/** The unit that a signal is given in, and how to get there. */
export function givenIn(signal: SignalName, units: UnitsInput | null | undefined): Given {
  const kinds = new Map<object | undefined, UnitName | null | undefined>([
    [SpeedUnit, units?.speed],
    [PressureUnit, units?.pressure],
    [TemperatureUnit, units?.temperature],
  ]);
  const wanted = kinds.get(unitEnumOf(signal));
  return { unit: wanted ? UNITS[wanted] : unitOf(signal), conversion: conversionTo(signal, wanted) };
}
