import { Field, Float, ObjectType } from '@nestjs/graphql';
import type { SignalName as Name } from '../telemetry/signals.js';
import { SIGNALS, type Signals as SignalValues } from '../telemetry/signals.js';
import { SignalName } from './enums.js';
import { Long } from './scalars.js';

@ObjectType({ description: 'The signals of one reading, as the car sent them; null where it sent none.' })
export class Signals {}

for (const { name, title, unit, vssPath } of SIGNALS) {
  const description = `${title}, ${unit}.${vssPath ? ` VSS: ${vssPath}` : ' Not in VSS.'}`;
  Field(() => Float, { nullable: true, description })(Signals.prototype, name);
}

export type SignalsModel = SignalValues;

@ObjectType({ description: 'How much of a score comes from one signal.' })
export class SignalShare {
  @Field(() => SignalName, { description: 'The signal.' })
  readonly signal!: Name;

  @Field(() => Float, { description: 'Its part of the whole error, 0..1.' })
  readonly share!: number;
}

@ObjectType({ description: 'What a model said about a reading.' })
export class Score {
  @Field(() => Float, { description: "The anomaly score, in the model's own unit: compare with threshold." })
  readonly value!: number;

  @Field(() => Float, { description: "The model's threshold, in the unit of value." })
  readonly threshold!: number;

  @Field(() => Float, { description: 'value / threshold: above 1 is anomalous. No unit; comparable between models.' })
  readonly ratio!: number;

  @Field(() => Boolean, { description: 'Whether value lies above threshold.' })
  readonly anomalous!: boolean;

  @Field(() => Float, {
    nullable: true,
    description: 'The share of normal readings that score lower, 0..1; null where the model did not say.',
  })
  readonly worseThan?: number;

  @Field(() => String, { description: 'name@version of the model.' })
  readonly model!: string;

  @Field(() => [SignalShare], { description: 'Up to three signals that the error comes from, largest share first.' })
  readonly topSignals!: readonly SignalShare[];
}

@ObjectType({ description: 'Where a record lies in Kafka.' })
export class Source {
  @Field(() => String, { description: 'Topic.' })
  readonly topic!: string;

  @Field(() => Long, { description: 'Partition number.' })
  readonly partition!: number;

  @Field(() => Long, { description: 'Offset in the partition.' })
  readonly offset!: number;
}
