import { ArgsType, Field, ID, InputType } from '@nestjs/graphql';
import type { EpisodeEventType, Severity } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import type { HandlingEventType } from '../twin/handling-documents.js';
import { CarFilterInput } from './car.args.js';
import { AnomalyEventType, AnomalyKind, AnomalySeverity } from './enums.js';

@InputType({ description: 'Which events are meant; conditions add up.' })
export class AnomalyEventFilterInput {
  @Field(() => ID, { nullable: true, description: 'Car id.' })
  readonly car?: string | null;

  @Field(() => [AnomalyKind], { nullable: true, description: 'Any of these kinds.' })
  readonly kind?: EpisodeKind[] | null;

  @Field(() => [AnomalySeverity], { nullable: true, description: 'Any of these severities.' })
  readonly severity?: Severity[] | null;

  @Field(() => [AnomalyEventType], { nullable: true, description: 'Any of these events.' })
  readonly event?: (EpisodeEventType | HandlingEventType)[] | null;

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

  @Field(() => String, AFTER)
  readonly after?: string | null;
}
