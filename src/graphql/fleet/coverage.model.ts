import { Field, Int, ObjectType } from '@nestjs/graphql';
import { DateTime } from '../scalars.js';

@ObjectType({ description: 'What an answer about the fleet rests on.' })
export class Coverage {
  @Field(() => Int, { description: 'Cars that were counted (a number).' })
  readonly cars!: number;

  @Field(() => Int, {
    description:
      'Cars among them that have all that was measured (a number): what means and percentiles rest on. All of them where nothing was.',
  })
  readonly measured!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Cars among them that were not live (a number), counted with their last reading: a filter leaves them out. Null over a window.',
  })
  readonly stale!: number | null;

  @Field(() => String, {
    description: 'TWINS as they are, READINGS of the past, or ROLLUPS, which say the same.',
  })
  readonly source!: 'TWINS' | 'READINGS' | 'ROLLUPS';

  @Field(() => DateTime, {
    nullable: true,
    description: 'Readings from this event time on: cars without any since are left out. Null for now: none is.',
  })
  readonly from!: Date | null;

  @Field(() => DateTime, {
    description: 'When it was read; of the past the instant, or the end of the window, that was asked for.',
  })
  readonly asOf!: Date;
}
