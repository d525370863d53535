import { Inject } from '@nestjs/common';
import { ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import { READ_LIMIT } from '../../fleet/fleet.js';
import { isCarId } from '../../telemetry/car-id.js';
import type { Database } from '../../twin/database.js';
import { requestErasure } from '../../twin/erase-receipt.js';
import { DATABASE } from '../../twin/twin.module.js';
import { ApiError } from '../api-error.js';
import { CurrentViewer } from '../current-viewer.js';
import { API_CLOCK } from '../handling.resolver.js';
import { requireAllFleets, requireRole } from '../require-role.js';
import { TypedArgs } from '../typed-args.js';
import { Erasure, erasureModel } from './erasure.model.js';

const ID_OF_CAR = { type: () => ID, description: 'Car id.' };

@Resolver(() => Erasure)
export class ErasureResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(API_CLOCK) private readonly clock: () => number,
  ) {}

  @Mutation(() => Erasure, {
    description:
      'Has a car forgotten: twin, history, anomalies, rollups, attributes and commands. An ingest process does it; old records that come again are not taken. Role admin, for all fleets.',
  })
  async eraseCar(
    @TypedArgs({ name: 'id', ...ID_OF_CAR }) id: string,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Erasure> {
    requireRole(viewer, 'admin');
    requireAllFleets(viewer);
    if (!isCarId(id)) throw new ApiError('BAD_ARGUMENT', 'That is not a car id');
    return erasureModel(await requestErasure(this.database, id, new Date(this.clock())));
  }

  @Query(() => Erasure, {
    nullable: true,
    description: 'The receipt of an erased car; null where nobody asked for it. Role admin, for all fleets.',
  })
  async erasure(
    @TypedArgs({ name: 'car', ...ID_OF_CAR }) car: string,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Erasure | null> {
    requireRole(viewer, 'admin');
    requireAllFleets(viewer);
    const found = await this.database.collections.erasures.findOne({ _id: car }, { maxTimeMS: READ_LIMIT });
    return found && erasureModel(found);
  }
}
