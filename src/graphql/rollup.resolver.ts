import { Inject } from '@nestjs/common';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import { narrows } from '../fleet/car-filter.js';
import { ApiError } from './api-error.js';
import { Car } from './car.model.js';
import type { Connection } from './connection.js';
import { CurrentViewer } from './current-viewer.js';
import { FleetModel } from './fleet.model.js';
import { LOADERS, type Loaders } from './loaders.js';
import { requireAllFleets } from './require-role.js';
import { RollupArgs } from './rollup.args.js';
import { RollupConnection, type RollupModel } from './rollup.model.js';
import { rollupsQuery } from './rollups-page.js';
import { TypedArgs } from './typed-args.js';

@Resolver(() => Car)
export class CarRollupsResolver {
  constructor(@Inject(LOADERS) private readonly loaders: Loaders) {}

  @ResolveField(() => RollupConnection, { description: "The car's readings as figures per window, oldest first." })
  async rollups(
    @Parent() { id, asOf }: Car,
    @TypedArgs({ type: () => RollupArgs }) args: RollupArgs,
  ): Promise<Connection<RollupModel>> {
    return (await this.loaders.rollups.load(rollupsQuery(args, id, asOf)))();
  }
}

@Resolver(() => FleetModel)
export class FleetRollupsResolver {
  constructor(@Inject(LOADERS) private readonly loaders: Loaders) {}

  @ResolveField(() => RollupConnection, { description: "All cars' readings as figures per window, oldest first." })
  async rollups(
    @Parent() { cohort: { filter, at } }: FleetModel,
    @TypedArgs({ type: () => RollupArgs }) args: RollupArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Connection<RollupModel>> {
    requireAllFleets(viewer);
    if (at || narrows(filter))
      throw new ApiError(
        'BAD_ARGUMENT',
        'Rollups of the fleet are those of all cars: neither filter nor at narrows them',
      );
    return (await this.loaders.rollups.load(rollupsQuery(args)))();
  }
}
