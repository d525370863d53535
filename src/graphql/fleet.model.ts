import { Field, Int, ObjectType } from '@nestjs/graphql';
import { coverageOf } from '../fleet/coverage.js';
import type { DatedSummary } from '../fleet/fleet.js';
import { FRESHNESSES, type Freshness } from '../fleet/freshness.js';
import type { Cohort } from '../fleet/source.js';
import { STATUSES, type Status } from '../twin/documents.js';
import { ScorePercentiles } from './car.model.js';
import { CarFreshness, CarStatus } from './enums.js';
import { Coverage } from './fleet/coverage.model.js';

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

  @Field(() => Coverage, { description: 'What was counted, measured by score, and when: up to 15 s ago.' })
  readonly coverage!: Coverage;
}

export function fleetModel(summary: DatedSummary, cohort: Cohort): FleetModel {
  const { cars, scored, byFreshness } = summary;
  const { STALE, OFFLINE } = byFreshness;
  const [p50 = null, p90 = null, p95 = null, p99 = null] = summary.percentiles;
  return {
    cohort,
    byStatus: cohort.at ? null : STATUSES.map((status) => ({ status, cars: summary.byStatus[status] })),
    byFreshness: FRESHNESSES.map((freshness) => ({ freshness, cars: byFreshness[freshness] })),
    score: { p50, p90, p95, p99 },
    coverage: coverageOf({ cars, measured: scored, stale: STALE + OFFLINE }, cohort, summary.asOf),
  };
}
