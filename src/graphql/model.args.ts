import { ArgsType, Field, ID } from '@nestjs/graphql';
import { DateTime } from './scalars.js';

@ArgsType()
export class DriftArgs {
  @Field(() => ID, { nullable: true, description: 'name@version; the model in use when not given.' })
  readonly model?: string | null;

  @Field(() => DateTime, { description: 'Event time, included.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Event time, not included.' })
  readonly to!: Date;
}

@ArgsType()
export class ModelComparisonArgs {
  @Field(() => ID, { description: 'name@version of the model that was in the shadow.' })
  readonly model!: string;

  @Field(() => DateTime, { description: 'Event time, included.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Event time, not included; at most 31 days after from.' })
  readonly to!: Date;
}

@ArgsType()
export class ModelChangeArgs {
  @Field(() => ID, { description: 'name@version.' })
  readonly model!: string;

  @Field(() => String, { description: 'Who wants it.' })
  readonly by!: string;
}
