import { ArgsType, Field, Float, ID, InputType, Int } from '@nestjs/graphql';
import type { EpisodeEventType, Severity } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import type { HandlingEventType } from '../twin/handling-documents.js';
import { CarFilterInput } from './car.args.js';
import { AnomalyEventType, AnomalyKind, AnomalySeverity } from './enums.js';

@InputType({ description: 'Which events are meant; conditions add up.' })
export class AnomalyEventFilterInput {
  @Field(() => ID, { nullable: true, description: 'Car id.' })
  readonly car?: string | null;

  @Field(() => [ID], { nullable: true, description: 'Any of these car ids, at most 500.' })
  readonly cars?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Cars that belonged to any of these fleets.' })
  readonly fleet?: string[] | null;

  @Field(() => [AnomalyKind], { nullable: true, description: 'Any of these kinds.' })
  readonly kind?: EpisodeKind[] | null;

  @Field(() => [AnomalySeverity], { nullable: true, description: 'Any of these severities.' })
  readonly severity?: Severity[] | null;

  @Field(() => [AnomalyEventType], { nullable: true, description: 'Any of these events.' })
  readonly event?: (EpisodeEventType | HandlingEventType)[] | null;

  @Field(() => Float, { nullable: true, description: 'Score / threshold at least this much (no unit).' })
  readonly minRatio?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'false: not what happens to an anomaly while it is snoozed; true: only that.',
  })
  readonly snoozed?: boolean | null;
}

@InputType({ description: 'Which cars are meant, by their newest state; conditions add up.' })
export class CarUpdateFilterInput extends CarFilterInput {}

const AFTER = {
  nullable: true,
  description: 'The last cursor that was seen: what came since comes first. Without it the stream begins now.',
};

@ArgsType()
export class AnomalyEventsArgs {
  @Field(() => AnomalyEventFilterInput, { nullable: true, description: 'Which events; all without it.' })
  readonly filter?: AnomalyEventFilterInput | null;

  @Field(() => String, AFTER)
  readonly after?: string | null;
}

@ArgsType()
export class CarUpdatesArgs {
  @Field(() => CarUpdateFilterInput, { nullable: true, description: 'Which cars; all without it.' })
  readonly filter?: CarUpdateFilterInput | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Cars a second at most, 0.001 to 1,000, evenly; the newest state of each. As they come without it.',
  })
  readonly maxRate?: number | null;

  @Field(() => String, AFTER)
  readonly after?: string | null;
}

@ArgsType()
export class FleetUpdatesArgs {
  @Field(() => Int, { defaultValue: 5, description: 'Seconds between two answers, 1 to 3,600.' })
  readonly every!: number;
}
