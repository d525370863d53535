import { ArgsType, Field, Float, ID, InputType } from '@nestjs/graphql';
import type { Range } from '../fleet/car-filter.js';
import type { Freshness } from '../fleet/freshness.js';
import type { Direction } from '../fleet/ranking.js';
import type { SignalName as Signal } from '../telemetry/signals.js';
import type { Status } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import { AnomalyKind, CarFreshness, CarOrderField, CarStatus, OrderDirection, SignalName } from './enums.js';
import { PageArgs } from './page.args.js';

@InputType({ description: 'A range, both ends included.' })
export class RangeInput implements Range {
  @Field(() => Float, { nullable: true, description: 'Lowest value, in the unit of what it is about.' })
  readonly min?: number | null;

  @Field(() => Float, { nullable: true, description: 'Highest value, in the unit of what it is about.' })
  readonly max?: number | null;
}

@InputType({ description: 'A signal that lies within a range; without bounds: that was reported at all.' })
export class SignalRangeInput extends RangeInput {
  @Field(() => SignalName, { description: 'The signal, in the unit that the car sends.' })
  readonly signal!: Signal;
}

@InputType({ description: 'Which cars are meant; conditions add up.' })
export class CarFilterInput {
  @Field(() => [ID], { nullable: true, description: 'Any of these car ids, at most 500.' })
  readonly ids?: string[] | null;

  @Field(() => [CarStatus], { nullable: true, description: 'Any of these (a single one needs no brackets).' })
  readonly status?: Status[] | null;

  @Field(() => [CarFreshness], { nullable: true, description: 'Any of these (a single one needs no brackets).' })
  readonly freshness?: Freshness[] | null;

  @Field(() => [Float], { nullable: true, description: 'Any of these versions of the control unit firmware.' })
  readonly firmware?: number[] | null;

  @Field(() => [String], { nullable: true, description: 'Any of these fleets (an attribute).' })
  readonly fleet?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Any of these models of car (an attribute).' })
  readonly model?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'All of these tags (an attribute).' })
  readonly tags?: string[] | null;

  @Field(() => RangeInput, { nullable: true, description: 'Score / threshold of the newest reading (no unit).' })
  readonly score?: RangeInput | null;

  @Field(() => [SignalRangeInput], { nullable: true, description: 'What the newest reading shows; all of these.' })
  readonly signals?: SignalRangeInput[] | null;

  @Field(() => [AnomalyKind], { nullable: true, description: 'Cars with an open anomaly of any of these kinds.' })
  readonly openKind?: EpisodeKind[] | null;
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
