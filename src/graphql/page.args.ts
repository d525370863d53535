import { ArgsType, Field, Int } from '@nestjs/graphql';
import type { SignalName as Signal } from '../telemetry/signals.js';
import { SignalName } from './enums.js';
import { DateTime } from './scalars.js';

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, description: 'Size of the page (a number): 50 unless given, at most 500.' })
  readonly first?: number | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the edge that the page begins behind.' })
  readonly after?: string | null;
}

@ArgsType()
export class HistoryArgs extends PageArgs {
  @Field(() => DateTime, { nullable: true, description: 'Earliest event time, included.' })
  readonly from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Latest event time, not included.' })
  readonly to?: Date | null;

  @Field(() => Int, { nullable: true, description: 'Instead of first: the newest so many (a number), at most 500.' })
  readonly last?: number | null;

  @Field(() => [SignalName], {
    nullable: true,
    description: 'Only these signals are read, the others are null; all without it.',
  })
  readonly signals?: Signal[] | null;

  @Field(() => String, { nullable: true, description: 'With last: cursor of the edge that the page ends before.' })
  readonly before?: string | null;
}
