import { Field, Float, ID, ObjectType } from '@nestjs/graphql';
import type { ArrayReadingDocument } from '../twin/array-documents.js';
import { positionOfArray } from '../twin/ids.js';
import { connectionOf } from './connection.js';
import { Node } from './node.model.js';
import { DateTime } from './scalars.js';
import { Source } from './score.model.js';

@ObjectType({ description: 'How far an array is from what the model makes of it, in both ways of measuring it.' })
export class ArrayErrors {
  @Field(() => Float, { description: "Mean of the squared differences (the square of the values' own unit)." })
  readonly raw!: number;

  @Field(() => Float, { description: 'The same after every value was brought to its normal range (no unit).' })
  readonly standardised!: number;
}

@ObjectType({ description: 'What the model of an array topic says about one array.' })
export class ArrayScore {
  @Field(() => Float, { description: "The error that the model goes by, in that error's unit; higher is stranger." })
  readonly value!: number;

  @Field(() => Float, { description: 'A score above it is anomalous; in the unit of the value.' })
  readonly threshold!: number;

  @Field(() => Boolean, { description: 'Whether the value is above the threshold.' })
  readonly anomalous!: boolean;

  @Field(() => ArrayErrors, { description: 'Both reconstruction errors.' })
  readonly errors!: ArrayErrors;

  @Field(() => String, { description: 'name@version of the model.' })
  readonly model!: string;
}

@ObjectType('ArrayReading', {
  implements: () => [Node],
  description: 'One array of a topic of arrays (ARRAY_TOPICS), as it was sent, with its score.',
})
export class ArrayReadingModel implements Node {
  @Field(() => ID, { description: 'array/topic/partition/offset/time of the record.' })
  readonly id!: string;

  @Field(() => ID, { description: 'The id in the payload: who or what the array is of.' })
  readonly sender!: string;

  @Field(() => DateTime, { description: 'Time of the Kafka record; the payload has none.' })
  readonly at!: Date;

  @Field(() => [Float], { description: 'The values in their order and in the unit of the sender.' })
  readonly values!: readonly number[];

  @Field(() => ArrayScore, { nullable: true, description: 'The score; null when there is none (see unscored).' })
  readonly score!: ArrayScore | null;

  @Field(() => String, { nullable: true, description: 'Why there is no score.' })
  readonly unscored!: string | null;

  @Field(() => Source, { description: 'The record that it came in.' })
  readonly source!: Source;
}

@ObjectType({ description: 'A page of the arrays of a topic, oldest first.' })
export class ArrayReadingConnection extends connectionOf(ArrayReadingModel, 'ArrayReading', 'the arrays') {}

export function arrayReadingModel(row: ArrayReadingDocument): ArrayReadingModel {
  const { _id: id, sender, at, values, score, unscored = null } = row;
  return { id, sender, at, values, score, unscored, source: positionOfArray(id) };
}
