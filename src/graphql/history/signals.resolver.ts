import { Field, Float, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { SIGNALS, type Signal, type SignalName as Name } from '../../telemetry/signals.js';
import { converted, unitsOf } from '../../telemetry/units.js';
import { SignalName } from '../enums.js';
import { Signals, type SignalsModel } from '../score.model.js';
import { TypedArgs } from '../typed-args.js';
import { conversionTo, unitEnumOf, type UnitName } from './units.args.js';

/** The signals that people convert: each has an argument for its unit. */
@Resolver(() => Signals)
export class SignalUnitsResolver {}

for (const { name, title, unit, vssPath } of SIGNALS) {
  const units = unitEnumOf(name);
  if (!units) continue;
  const prototype = SignalUnitsResolver.prototype as unknown as Record<string, unknown>;
  prototype[name] = (signals: SignalsModel, wanted: UnitName | null) =>
    converted(signals[name] ?? null, conversionTo(name, wanted));
  const description = `${title}, ${unit} unless asked otherwise. VSS: ${vssPath ?? 'none'}`;
  Parent()(SignalUnitsResolver.prototype, name, 0);
  TypedArgs({ name: 'unit', type: () => units, nullable: true, description: `Its unit; ${unit} without it.` })(
    SignalUnitsResolver.prototype,
    name,
    1,
  );
  ResolveField(() => Float, { name, nullable: true, description })(
    SignalUnitsResolver.prototype,
    name,
    Object.getOwnPropertyDescriptor(prototype, name) ?? {},
  );
}

@ObjectType('Signal', { description: 'A signal that cars send.' })
export class SignalModel {
  @Field(() => SignalName, { description: 'Its name here.' })
  readonly name!: Name;

  @Field(() => String, { description: 'Its name for people.' })
  readonly title!: string;

  @Field(() => String, { description: 'The unit that cars send it in.' })
  readonly unit!: string;

  @Field(() => [String], { description: 'The units that it can be given in, that of the cars first.' })
  readonly units!: readonly string[];

  @Field(() => String, { description: 'How it is spelled in messages; other spellings are taken, too.' })
  readonly wire!: string;

  @Field(() => String, { nullable: true, description: 'Its path in the COVESA VSS; null where that has none.' })
  readonly vssPath!: string | null;
}

@Resolver(() => SignalModel)
export class SignalResolver {
  @Query(() => [SignalModel], { description: 'The signals that cars send.' })
  signals(): SignalModel[] {
    return SIGNALS.map((signal: Signal) => ({ ...signal, units: unitsOf(signal.name) }));
  }
}
