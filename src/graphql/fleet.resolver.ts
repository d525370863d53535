import { Inject } from '@nestjs/common';
import { Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import type { Fleet } from '../fleet/fleet.js';
import type { FleetAnalytics } from '../fleet/analytics.js';
import { ANALYTICS, FLEET } from '../fleet/fleet.module.js';
import type { Cohort } from '../fleet/source.js';
import { ApiError } from './api-error.js';
import type { CarFilterInput } from './car.args.js';
import { Car } from './car.model.js';
import { carsPage } from './cars-page.js';
import { CurrentViewer } from './current-viewer.js';
import { FleetModel, fleetModel } from './fleet.model.js';
import { FleetArgs } from './fleet/analytics.args.js';
import { cohortOf } from './fleet/cohort-of.js';
import { LOADERS, type Loaders } from './loaders.js';
import { keptSince, PAST_TOOLS, type PastTools } from './time-travel/past-car.js';
import { TypedArgs } from './typed-args.js';

/** What was asked for; the scope is put on again. */
function unscoped({ filter: { within: _within, ...filter } }: Cohort): CarFilterInput {
  return filter as CarFilterInput;
}

const BY_SCORE = { field: 'SCORE', direction: 'DESC' } as const;

@Resolver(() => FleetModel)
export class FleetResolver {
  constructor(
    @Inject(FLEET) private readonly cars: Fleet,
    @Inject(ANALYTICS) private readonly analytics: FleetAnalytics,
    @Inject(LOADERS) private readonly loaders: Loaders,
    @Inject(PAST_TOOLS) private readonly past: PastTools,
  ) {}

  @Query(() => FleetModel, { name: 'fleet', description: 'Cars together.' })
  async summary(
    @TypedArgs({ type: () => FleetArgs }) args: FleetArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<FleetModel> {
    const cohort = cohortOf(args, viewer, keptSince(this.past));
    const { filter, at } = cohort;
    return fleetModel(at ? await this.analytics.summaryAt(cohort, at) : await this.cars.summary(filter), cohort);
  }

  @ResolveField(() => [Car], {
    description: 'The cars with the highest score / threshold, highest first. Not of the past: extremes has them.',
  })
  async top(
    @Parent() { cohort }: FleetModel,
    @TypedArgs({ name: 'first', type: () => Int, defaultValue: 10, description: 'How many (a number), at most 500.' })
    first: number,
    @CurrentViewer() viewer: Viewer,
  ): Promise<readonly Car[]> {
    if (cohort.at) throw new ApiError('BAD_ARGUMENT', 'top shows cars as they are now: ask for extremes');
    const page = await carsPage(
      this.cars,
      this.loaders,
      { first, filter: unscoped(cohort), orderBy: BY_SCORE },
      viewer,
    );
    return page.nodes;
  }
}
