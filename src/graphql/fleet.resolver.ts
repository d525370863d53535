import { Inject } from '@nestjs/common';
import { Int, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import type { Fleet } from '../fleet/fleet.js';
import { FLEET } from '../fleet/fleet.module.js';
import { Car } from './car.model.js';
import { carsPage } from './cars-page.js';
import { CurrentViewer } from './current-viewer.js';
import { FleetModel, fleetModel } from './fleet.model.js';
import { LOADERS, type Loaders } from './loaders.js';
import { TypedArgs } from './typed-args.js';

const BY_SCORE = { field: 'SCORE', direction: 'DESC' } as const;

@Resolver(() => FleetModel)
export class FleetResolver {
  constructor(
    @Inject(FLEET) private readonly cars: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @Query(() => FleetModel, { name: 'fleet', description: 'All cars together.' })
  async summary(@CurrentViewer() viewer: Viewer): Promise<FleetModel> {
    return fleetModel(await this.cars.summary({ within: viewer.fleets }));
  }

  @ResolveField(() => [Car], { description: 'The cars with the highest score / threshold, highest first.' })
  async top(
    @TypedArgs({ name: 'first', type: () => Int, defaultValue: 10, description: 'How many (a number), at most 500.' })
    first: number,
    @CurrentViewer() viewer: Viewer,
  ): Promise<readonly Car[]> {
    const page = await carsPage(this.cars, this.loaders, { first, orderBy: BY_SCORE }, viewer);
    return page.nodes;
  }
}
