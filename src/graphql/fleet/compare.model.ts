import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import type { Measure } from '../../fleet/measure.js';
import { FleetMeasure } from './analytics.model.js';
import { Coverage } from './coverage.model.js';

@ObjectType({ description: 'A measure of one cohort.' })
export class CohortSample {
  @Field(() => Int, { description: 'Cars that have it (a number).' })
  readonly count!: number;

  @Field(() => Float, { nullable: true, description: 'Mean, in its unit; null without any.' })
  readonly mean!: number | null;

  @Field(() => Float, { nullable: true, description: 'Standard deviation, in its unit; null for fewer than two.' })
  readonly deviation!: number | null;
}

@ObjectType({ description: 'A measure in two cohorts.' })
export class CohortComparison {
  @Field(() => FleetMeasure, { description: 'The measure.' })
  readonly measure!: Measure;

  @Field(() => CohortSample, { description: 'In the first cohort.' })
  readonly left!: CohortSample;

  @Field(() => CohortSample, { description: 'In the second one.' })
  readonly right!: CohortSample;

  @Field(() => Float, {
    nullable: true,
    description: 'Second mean minus first, in its unit; null for fewer than two cars.',
  })
  readonly difference!: number | null;

  @Field(() => Float, { nullable: true, description: 'Lower end of its 95 % interval, in its unit.' })
  readonly low!: number | null;

  @Field(() => Float, { nullable: true, description: 'Upper end of its 95 % interval, in its unit.' })
  readonly high!: number | null;
}

@ObjectType({ description: 'Two cohorts beside each other.' })
export class FleetComparison {
  @Field(() => [Coverage], { description: 'What the first and the second rest on.' })
  readonly coverage!: readonly Coverage[];

  @Field(() => [CohortComparison], { description: 'Measure by measure.' })
  readonly measures!: readonly CohortComparison[];
}
