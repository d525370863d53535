import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { ReadingDocument } from '../twin/documents.js';
import { positionOfReading } from '../twin/ids.js';
import { connectionOf } from './connection.js';
import { Node } from './node.model.js';
import { DateTime } from './scalars.js';
import { Score, Signals, type SignalsModel, Source } from './score.model.js';

@ObjectType({ implements: () => [Node], description: 'One decoded message of a car, as kept in the history.' })
export class Reading implements Node {
  @Field(() => ID, { description: 'topic/incarnation/partition/offset of the record.' })
  readonly id!: string;

  @Field(() => ID, { description: 'Id of the car that sent it.' })
  readonly carId!: string;

  @Field(() => DateTime, { description: 'Event time: when the car measured.' })
  readonly at!: Date;

  @Field(() => DateTime, { description: 'Time of the Kafka record.' })
  readonly receivedAt!: Date;

  @Field(() => Signals, { description: 'The signals in the units the car sent.' })
  readonly signals!: SignalsModel;

  @Field(() => Score, { nullable: true, description: 'The score; null when there is none (see unscored).' })
  readonly score!: Score | null;

  @Field(() => String, { nullable: true, description: 'Why there is no score.' })
  readonly unscored!: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'failure_occurred as sent: a label, never an input of a model.',
  })
  readonly failureOccurred!: boolean | null;

  @Field(() => Boolean, { description: 'Whether it arrived after a newer reading of the car.' })
  readonly late!: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'The time that the car sent, where it lay too far ahead and the time of the record was taken.',
  })
  readonly skewedAt!: Date | null;

  @Field(() => Source, { description: 'The record that it came in.' })
  readonly source!: Source;
}

@ObjectType({ description: "A page of a car's history, oldest first." })
export class ReadingConnection extends connectionOf(Reading, 'Reading', 'the readings') {}

export function readingModel(row: ReadingDocument): Reading {
  const { score } = row;
  return {
    id: row._id,
    carId: row.car,
    at: row.at,
    receivedAt: row.receivedAt,
    signals: row.signals,
    score: score ? { ...score, ratio: score.value / score.threshold } : null,
    unscored: row.unscored ?? null,
    failureOccurred: row.label ?? null,
    late: row.late ?? false,
    skewedAt: row.skewedAt ?? null,
    source: positionOfReading(row._id),
  };
}
