import { Field, Float, ID, ObjectType } from '@nestjs/graphql';
import type { SignalName as Signal } from '../../telemetry/signals.js';
import type { Status } from '../../twin/documents.js';
import { CarStatus, SignalName } from '../enums.js';
import { DateTime } from '../scalars.js';

@ObjectType({ description: 'A signal that shows another value than before.' })
export class SignalChange {
  @Field(() => SignalName, { description: 'The signal.' })
  readonly signal!: Signal;

  @Field(() => String, { description: 'The unit of its values.' })
  readonly unit!: string;

  @Field(() => Float, { nullable: true, description: 'Its value before, in that unit; null for none.' })
  readonly from!: number | null;

  @Field(() => Float, { nullable: true, description: 'Its value after, in that unit; null for none.' })
  readonly to!: number | null;

  @Field(() => Float, { nullable: true, description: 'to - from, in that unit; null where one of them is.' })
  readonly change!: number | null;
}

@ObjectType({ description: 'What changed in a car between two instants, by event time.' })
export class CarDiff {
  @Field(() => DateTime, { description: 'The earlier instant.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'The later instant.' })
  readonly to!: Date;

  /** Counts the readings in between: it may cost more than all the rest. */
  readonly count!: () => Promise<number>;

  @Field(() => CarStatus, { nullable: true, description: 'Status before; null before the first reading.' })
  readonly statusFrom!: Status | null;

  @Field(() => CarStatus, { nullable: true, description: 'Status after; null before the first reading.' })
  readonly statusTo!: Status | null;

  @Field(() => Float, { nullable: true, description: 'Score / threshold before (no unit); null for no score.' })
  readonly ratioFrom!: number | null;

  @Field(() => Float, { nullable: true, description: 'Score / threshold after (no unit); null for no score.' })
  readonly ratioTo!: number | null;

  @Field(() => [SignalChange], { description: 'Signals that show another value than before.' })
  readonly signals!: readonly SignalChange[];

  @Field(() => [ID], { description: 'Ids of anomalies that are open after and were not before.' })
  readonly opened!: readonly string[];

  @Field(() => [ID], { description: 'Ids of anomalies that were open before and are not after.' })
  readonly cleared!: readonly string[];
}
