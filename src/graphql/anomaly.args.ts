import { ArgsType, Field, ID, InputType } from '@nestjs/graphql';
import type { EpisodeDocument, Severity } from '../twin/documents.js';
import type { EpisodeKind } from '../twin/episode-kind.js';
import { AnomalyKind, AnomalySeverity, AnomalyStatus } from './enums.js';
import { PageArgs } from './page.args.js';
import { DateTime } from './scalars.js';

@InputType({ description: 'Which anomalies are meant; conditions add up.' })
export class AnomalyFilterInput {
  @Field(() => ID, { nullable: true, description: 'Car id.' })
  readonly car?: string | null;

  @Field(() => [AnomalyKind], { nullable: true, description: 'Any of these kinds.' })
  readonly kind?: EpisodeKind[] | null;

  @Field(() => AnomalyStatus, { nullable: true, description: 'Open or cleared.' })
  readonly status?: EpisodeDocument['status'] | null;

  @Field(() => [AnomalySeverity], { nullable: true, description: 'Any of these severities.' })
  readonly severity?: Severity[] | null;

  @Field(() => DateTime, { nullable: true, description: 'Earliest event time of the opening, included.' })
  readonly from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Latest event time of the opening, not included.' })
  readonly to?: Date | null;
}

@ArgsType()
export class AnomaliesArgs extends PageArgs {
  @Field(() => AnomalyFilterInput, { nullable: true, description: 'Which anomalies; all without it.' })
  readonly filter?: AnomalyFilterInput | null;
}
