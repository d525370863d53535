import { type Cohort, LOOK_BACK } from '../fleet/source.js';
import { Field, Float, Int, ObjectType } from '@nestjs/graphql';
import type { DatedSummary } from '../fleet/fleet.js';
import { FRESHNESSES, type Freshness } from '../fleet/freshness.js';
import { STATUSES, type Status } from '../twin/documents.js';
import { ScorePercentiles } from './car.model.js';
import { CarFreshness, CarStatus } from './enums.js';
import { DateTime } from './scalars.js';

@ObjectType({ description: 'How many cars have a status.' })
export class StatusCount {
  @Field(() => CarStatus, { description: 'The status.' })
  readonly status!: Status;

  @Field(() => Int, { description: 'Cars that have it (a number).' })
  readonly cars!: number;
}

@ObjectType({ description: 'How many cars have a freshness.' })
export class FreshnessCount {
  @Field(() => CarFreshness, { description: 'The freshness.' })
  readonly freshness!: Freshness;

  @Field(() => Int, { description: 'Cars that have it (a number).' })
  readonly cars!: number;
}

@ObjectType({ description: 'What an answer about the fleet rests on.' })
export class Coverage {
  @Field(() => Int, { description: 'Cars that were counted (a number).' })
  readonly cars!: number;

  @Field(() => Int, { description: 'Cars among them that have a score (a number): what percentiles rest on.' })
  readonly scored!: number;

  @Field(() => Int, { description: 'Cars among them that are not live (a number): counted with their last reading.' })
  readonly stale!: number;

  @Field(() => String, { description: 'TWINS as they are, or READINGS of the past.' })
  readonly source!: 'TWINS' | 'READINGS';

  @Field(() => Float, {
    nullable: true,
    description: 'Of the past: cars without a reading in so long before the instant are left out, s; null for now.',
  })
  readonly lookBack!: number | null;

  @Field(() => DateTime, { description: 'When they were counted.' })
  readonly asOf!: Date;
}

@ObjectType('Fleet', { description: 'All cars together, counted in the database.' })
export class FleetModel {
  /** Which cars, as of when. */
  readonly cohort!: Cohort;

  @Field(() => [StatusCount], {
    nullable: true,
    description: 'Cars by status; every status is listed. Null in the past.',
  })
  readonly byStatus!: StatusCount[] | null;

  @Field(() => [FreshnessCount], { description: 'Cars by freshness; every freshness is listed.' })
  readonly byFreshness!: FreshnessCount[];

  @Field(() => ScorePercentiles, { description: 'How score / threshold spreads over the cars.' })
  readonly score!: ScorePercentiles;

  @Field(() => Coverage, { description: 'What was counted and when; up to 15 s ago.' })
  readonly coverage!: Coverage;
}

export function fleetModel(summary: DatedSummary, cohort: Cohort): FleetModel {
  const [p50 = null, p90 = null, p95 = null, p99 = null] = summary.percentiles;
  return {
    cohort,
    byStatus: cohort.at ? null : STATUSES.map((status) => ({ status, cars: summary.byStatus[status] })),
    byFreshness: FRESHNESSES.map((freshness) => ({ freshness, cars: summary.byFreshness[freshness] })),
    score: { p50, p90, p95, p99 },
    coverage: {
      cars: summary.cars,
      scored: summary.scored,
      stale: summary.byFreshness.STALE + summary.byFreshness.OFFLINE,
      source: cohort.at ? 'READINGS' : 'TWINS',
      lookBack: cohort.at ? LOOK_BACK / 1_000 : null,
      asOf: new Date(summary.asOf),
    },
  };
}
