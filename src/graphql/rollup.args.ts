import { ArgsType, Field } from '@nestjs/graphql';
import type { Step } from '../telemetry/window.js';
import { RollupStep } from './enums.js';
import { PageArgs } from './page.args.js';
import { DateTime } from './scalars.js';

@ArgsType()
export class RollupArgs extends PageArgs {
  @Field(() => RollupStep, { description: 'Length of the windows.' })
  readonly step!: Step;

  @Field(() => DateTime, { description: 'Windows that begin at this instant or later.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'Windows that begin before this instant; at most 5,000 windows after from.' })
  readonly to!: Date;
}
