import { ArgsType, Field, ID } from '@nestjs/graphql';
import { PageArgs } from './page.args.js';
import { DateTime } from './scalars.js';

@ArgsType()
export class ArrayReadingsArgs extends PageArgs {
  @Field(() => String, { description: 'The Kafka topic that the arrays came in.' })
  readonly topic!: string;

  @Field(() => ID, { nullable: true, description: 'Only arrays with this id in the payload.' })
  readonly sender?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Earliest time of the record, included.' })
  readonly from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Latest time of the record, not included.' })
  readonly to?: Date | null;
}
