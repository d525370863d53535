import { Field, ID, Int, ObjectType } from '@nestjs/graphql';
import type { ErasureDocument, Removed } from '../../twin/erasure-documents.js';
import { DateTime, Long } from '../scalars.js';

@ObjectType({ description: 'What of a car was removed.' })
export class ErasedDocuments implements Removed {
  @Field(() => Int, { description: 'Twins (a number): 1, or 0 for a car that had none.' })
  readonly twins!: number;

  @Field(() => Int, { description: 'Documents of what was said of it (a number).' })
  readonly attributes!: number;

  @Field(() => Long, { description: 'Readings of its history (a number).' })
  readonly readings!: number;

  @Field(() => Int, { description: 'Anomalies (a number).' })
  readonly anomalies!: number;

  @Field(() => Int, { description: 'Events of anomalies (a number).' })
  readonly events!: number;

  @Field(() => Int, { description: 'Handlings of anomalies that were not told yet (a number).' })
  readonly handlings!: number;

  @Field(() => Int, { description: 'Rollups of its windows (a number).' })
  readonly rollups!: number;

  @Field(() => Int, { description: 'Commands (a number).' })
  readonly commands!: number;
}

@ObjectType({ description: 'That a car is to be forgotten, and the receipt when it was.' })
export class Erasure {
  @Field(() => ID, { description: 'Id of the car.' })
  readonly carId!: string;

  @Field(() => DateTime, { description: 'Readings up to this event time are forgotten and will not be taken again.' })
  readonly upTo!: Date;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  readonly requestedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it was done; null while an ingest process has yet to.' })
  readonly doneAt!: Date | null;

  @Field(() => ErasedDocuments, {
    nullable: true,
    description: 'What was removed so far, on this request and those before it; null before ingest has begun.',
  })
  readonly removed!: Removed | null;
}

export function erasureModel({ _id: carId, upTo, requestedAt, doneAt, removed }: ErasureDocument): Erasure {
  return { carId, upTo, requestedAt, doneAt, removed: removed ?? null };
}
