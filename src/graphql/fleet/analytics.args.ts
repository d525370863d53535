import { ArgsType, Field, Float, Int } from '@nestjs/graphql';
import type { Measure } from '../../fleet/measure.js';
import type { Dimension } from '../../fleet/pipelines.js';
import type { EpisodeKind } from '../../twin/episode-kind.js';
import { CarFilterInput } from '../car.args.js';
import { AnomalyKind } from '../enums.js';
import { Duration } from '../history/duration.js';
import { DateTime } from '../scalars.js';
import { FleetDimension, FleetMeasure } from './analytics.model.js';

const PERCENTILES = { description: 'Which percentiles (0 to 1, no unit), at most 10.' };
const MEASURE = { description: 'What is measured.' };
export const AT =
  'As of this instant by event time, from the newest reading of each car in the ten minutes before; now without it. Status and open anomalies are not known then.';

@ArgsType()
export class FleetArgs {
  @Field(() => CarFilterInput, { nullable: true, description: 'Which cars; all without it.' })
  readonly filter?: CarFilterInput | null;

  @Field(() => DateTime, { nullable: true, description: AT })
  readonly at?: Date | null;
}

@ArgsType()
export class GroupArgs {
  @Field(() => [FleetDimension], { description: 'One or two dimensions.' })
  readonly by!: Dimension[];

  @Field(() => FleetMeasure, { nullable: true, description: 'What is measured in each group; nothing without it.' })
  readonly measure?: Measure | null;

  @Field(() => [Float], { ...PERCENTILES, defaultValue: [0.5, 0.95] })
  readonly percentiles!: number[];
}

@ArgsType()
export class DistributionArgs {
  @Field(() => FleetMeasure, MEASURE)
  readonly measure!: Measure;

  @Field(() => [Float], { ...PERCENTILES, defaultValue: [0.5, 0.9, 0.95, 0.99] })
  readonly percentiles!: number[];

  @Field(() => Int, { defaultValue: 20, description: 'Bins of the histogram (a number), 1 to 1,000.' })
  readonly bins!: number;
}

@ArgsType()
export class ExtremesArgs {
  @Field(() => FleetMeasure, MEASURE)
  readonly measure!: Measure;

  @Field(() => Int, { defaultValue: 10, description: 'How many (a number), at most 500.' })
  readonly first!: number;

  @Field(() => Boolean, { defaultValue: false, description: 'The lowest instead of the highest.' })
  readonly lowest!: boolean;
}

@ArgsType()
export class WindowArgs {
  @Field(() => DateTime, {
    nullable: true,
    description: 'Anomalies opened at this event time or later; together with `to`.',
  })
  readonly from?: Date | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Anomalies opened before this event time, at most a year after `from`.',
  })
  readonly to?: Date | null;

  @Field(() => Duration, {
    nullable: true,
    description:
      'Anomalies opened within so long before now, at most a year, in place of `from` and `to`: what dashboards ask again and again.',
  })
  readonly last?: number | null;

  @Field(() => [AnomalyKind], {
    nullable: true,
    description: 'Of these kinds; of all that a workshop mends without it.',
  })
  readonly kinds?: EpisodeKind[] | null;
}

@ArgsType()
export class FailureArgs extends WindowArgs {
  @Field(() => FleetDimension, { defaultValue: 'FIRMWARE', description: 'What cars are grouped by, as it is now.' })
  readonly by!: Dimension;
}
