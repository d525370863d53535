import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import type { Signals } from '../../telemetry/signals.js';
import type { AcceptedVersion, DesiredVersion } from '../../twin/car-documents.js';
import type { Difference } from './delta.js';
import { DateTime, Json } from '../scalars.js';
import { Command } from './command.model.js';

@ObjectType('DesiredDifference', { description: 'A value that is not as it is desired.' })
export class DesiredDifference implements Difference {
  @Field(() => String, { description: 'Name of the value; for a signal its name.' })
  readonly name!: string;

  @Field(() => Json, { description: 'How it is to be, in the unit that COMMANDS_SCHEMA says (signals: as sent).' })
  readonly desired!: unknown;

  @Field(() => Json, {
    nullable: true,
    description:
      'How it is, in the same unit: a signal as the car reported it, any other value as the car last accepted it; null where nothing is known.',
  })
  readonly reported!: unknown;
}

@ObjectType('AcceptedState', { description: 'The newest desired state that the car said it follows.' })
export class AcceptedState {
  @Field(() => Json, { description: 'The values by name, in the units that COMMANDS_SCHEMA says.' })
  readonly values!: unknown;

  @Field(() => Int, { description: 'Version of the desired state (a number).' })
  readonly version!: number;

  @Field(() => DateTime, { description: 'When the answer was noted, by the clock of the service.' })
  readonly at!: Date;
}

@ObjectType('DesiredState', { description: 'How a car is to be.' })
export class DesiredState {
  @Field(() => Json, { description: 'The values by name, in the units that COMMANDS_SCHEMA says.' })
  readonly values!: Readonly<Record<string, unknown>>;

  @Field(() => Int, { description: 'Rises by one with every change, from 1 (a number).' })
  readonly version!: number;

  @Field(() => DateTime, { description: 'Since when, by the clock of the service; rises with every version.' })
  readonly at!: Date;

  @Field(() => ID, { description: 'Who said so.' })
  readonly by!: string;

  @Field(() => AcceptedState, { nullable: true, description: 'What the car follows; null before the first answer.' })
  readonly accepted!: AcceptedState | null;

  readonly car!: string;
  /** What the car reports, where that is known already; in the past always. */
  readonly signals?: Signals | null;
}

@ObjectType('DesiredSet', { description: 'What became of setDesired.' })
export class DesiredSetModel {
  @Field(() => DesiredState, { description: 'How the car is to be now.' })
  readonly desired!: DesiredState;

  @Field(() => Command, { description: 'The command that tells the car.' })
  readonly command!: Command;
}

export function desiredModel(
  car: string,
  { values, version, at, by }: DesiredVersion,
  accepted: AcceptedVersion | null | undefined,
  signals?: Signals | null,
): DesiredState {
  const known = signals === undefined ? {} : { signals };
  return { car, values, version, at, by, accepted: accepted ?? null, ...known };
}
