import { ArgsType, Field, InputType } from '@nestjs/graphql';
import type { Measure } from '../../fleet/measure.js';
import { CarFilterInput } from '../car.args.js';
import { DateTime } from '../scalars.js';
import { AT } from './analytics.args.js';
import { FleetMeasure } from './analytics.model.js';

@InputType({ description: 'A stretch of time, by event time.' })
export class CompareWindow {
  @Field(() => DateTime, { description: 'Its start.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Its end, not included; at most a year later.' })
  readonly to!: Date;
}

@InputType({ description: 'A cohort of cars: as they are, as they were, or over a window.' })
export class CohortInput {
  @Field(() => CarFilterInput, { nullable: true, description: 'Which cars; all without it.' })
  readonly filter?: CarFilterInput | null;

  @Field(() => DateTime, { nullable: true, description: AT })
  readonly at?: Date | null;

  @Field(() => CompareWindow, {
    nullable: true,
    description: 'What the cars sent in this window: each of them counts with its mean. Not together with `at`.',
  })
  readonly window?: CompareWindow | null;
}

@ArgsType()
export class CompareArgs {
  @Field(() => CohortInput, { description: 'The first cohort.' })
  readonly left!: CohortInput;

  @Field(() => CohortInput, { description: 'The second cohort.' })
  readonly right!: CohortInput;

  @Field(() => [FleetMeasure], { description: 'What is compared, 1 to 19 measures.' })
  readonly measures!: Measure[];
}
