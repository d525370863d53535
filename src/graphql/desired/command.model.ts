import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import type { CommandDocument, CommandStatus, CommandStep } from '../../twin/command-documents.js';
import { connectionOf } from '../connection.js';
import { CommandStatusEnum } from '../enums.js';
import { Node } from '../node.model.js';
import { DateTime, Json } from '../scalars.js';

@ObjectType('CommandStep', { description: 'A status of a command, with when and why.' })
export class CommandStepModel {
  @Field(() => CommandStatusEnum, { description: 'The status from then on.' })
  readonly status!: CommandStatus;

  @Field(() => DateTime, { description: 'When it was noted, by the clock of the service.' })
  readonly at!: Date;

  @Field(() => String, { nullable: true, description: "The car's or the service's reason; null for none." })
  readonly reason!: string | null;
}

@ObjectType({ implements: () => [Node], description: 'One desired state on its way to its car.' })
export class Command implements Node {
  @Field(() => ID, { description: 'The id of the car, a slash and a part that never comes again.' })
  readonly id!: string;

  @Field(() => ID, { description: 'Id of the car that it is for.' })
  readonly carId!: string;

  @Field(() => Int, { description: 'Version of the desired state that it carries (a number).' })
  readonly version!: number;

  @Field(() => Json, { description: 'All desired values by name, in the units that COMMANDS_SCHEMA says.' })
  readonly values!: unknown;

  @Field(() => CommandStatusEnum, { description: 'Where it is.' })
  readonly status!: CommandStatus;

  @Field(() => String, { nullable: true, description: 'Why the status is what it is; null where nothing is said.' })
  readonly reason!: string | null;

  @Field(() => DateTime, { description: 'When it was issued, by the clock of the service; rises with the version.' })
  readonly at!: Date;

  @Field(() => ID, { description: 'Who issued it.' })
  readonly by!: string;

  @Field(() => DateTime, { description: 'When it expires without an answer.' })
  readonly expiresAt!: Date;

  @Field(() => Int, {
    nullable: true,
    description: 'How often a bridge took it up to publish it (a number). Null in the past.',
  })
  readonly attempts!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'The newer version that goes to the car in its place (a number); null for none, and in the past.',
  })
  readonly supersededBy!: number | null;

  @Field(() => [CommandStepModel], { description: 'Every status that it had, the oldest first.' })
  readonly timeline!: readonly CommandStepModel[];
}

@ObjectType({ description: "A page of a car's commands." })
export class CommandConnection extends connectionOf(Command, 'Command', 'the commands') {}

/** @param asOf null for now; a command that was issued by then */
export function commandModel(command: CommandDocument, asOf: Date | null = null): Command {
  const { _id: id, car: carId, version, values, at, by, expiresAt, attempts, supersededBy, timeline } = command;
  const then = asOf ? timeline.filter((step) => step.at <= asOf) : timeline;
  const { status, reason } = then.at(-1) ?? ({ status: 'QUEUED', reason: null } satisfies Partial<CommandStep>);
  const tries = asOf ? { attempts: null, supersededBy: null } : { attempts, supersededBy: supersededBy ?? null };
  return { id, carId, version, values, status, reason, at, by, expiresAt, timeline: then, ...tries };
}
