import { ArgsType, Field, InputType } from '@nestjs/graphql';
import type { Freshness } from '../fleet/freshness.js';
import type { Direction } from '../fleet/ranking.js';
import type { Status } from '../twin/documents.js';
import { CarFreshness, CarOrderField, CarStatus, OrderDirection } from './enums.js';
import { PageArgs } from './page.args.js';

@InputType({ description: 'Which cars are meant; conditions add up.' })
export class CarFilterInput {
  @Field(() => [CarStatus], { nullable: true, description: 'Any of these (a single one needs no brackets).' })
  readonly status?: Status[] | null;

  @Field(() => [CarFreshness], { nullable: true, description: 'Any of these (a single one needs no brackets).' })
  readonly freshness?: Freshness[] | null;
}

@InputType({ description: 'The order of cars.' })
export class CarOrderInput {
  @Field(() => CarOrderField, { description: 'What to order by.' })
  readonly field!: keyof typeof CarOrderField;

  @Field(() => OrderDirection, { defaultValue: 'ASC', description: 'Rising or falling.' })
  readonly direction!: Direction;
}

@ArgsType()
export class CarsArgs extends PageArgs {
  @Field(() => CarFilterInput, { nullable: true, description: 'Which cars; all without it.' })
  readonly filter?: CarFilterInput | null;

  @Field(() => CarOrderInput, { nullable: true, description: 'Their order; by id rising without it.' })
  readonly orderBy?: CarOrderInput | null;
}
