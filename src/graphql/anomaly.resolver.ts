import { Inject } from '@nestjs/common';
import { ID, Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import type { Fleet } from '../fleet/fleet.js';
import { FLEET } from '../fleet/fleet.module.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { type AnomaliesPage, anomaliesPage, countAnomalies } from './anomalies-page.js';
import { AnomaliesArgs } from './anomaly.args.js';
import { Anomaly, AnomalyConnection, anomalyModel } from './anomaly.model.js';
import { type ArrayReadingModel, arrayReadingModel } from './array-reading.model.js';
import { CurrentViewer } from './current-viewer.js';
import { Car, carModel } from './car.model.js';
import { type Command, commandModel } from './desired/command.model.js';
import { LOADERS, type Loaders } from './loaders.js';
import { Node, nodeKind } from './node.model.js';
import { type Reading, readingModel } from './reading.model.js';
import { requireAllFleets } from './require-role.js';
import { commandFor, episodeFor, readingFor, twinFor } from './seen-by.js';
import { TypedArgs } from './typed-args.js';

@Resolver(() => Anomaly)
export class AnomalyResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @Query(() => AnomalyConnection, { description: 'Anomaly episodes, newest opening first.' })
  anomalies(
    @TypedArgs({ type: () => AnomaliesArgs }) args: AnomaliesArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<AnomaliesPage> {
    return anomaliesPage(this.database.collections.anomalies, args, viewer);
  }

  @ResolveField(() => Car, { nullable: true, description: 'The car as it is now, in the past as it was then.' })
  async car(@Parent() { carId, carThen }: Anomaly, @CurrentViewer() viewer: Viewer): Promise<Car | null> {
    if (carThen) return carThen;
    const twin = await twinFor(viewer, this.loaders, carId);
    return twin && carModel(twin, this.fleet.edges());
  }
}

@Resolver(() => AnomalyConnection)
export class AnomalyConnectionResolver {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @ResolveField(() => Int, { description: 'How many the filter lets through (a number); counted when asked for.' })
  totalCount(@Parent() { filter, within }: AnomaliesPage): Promise<number> {
    return countAnomalies(this.database.collections.anomalies, filter, within);
  }
}

@Resolver(() => Node)
export class NodeResolver {
  constructor(
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @Query(() => Node, { nullable: true, description: 'Anything by its id; null when there is no such thing.' })
  async node(
    @TypedArgs({
      name: 'id',
      type: () => ID,
      description: 'Id of a car, a command, an anomaly, a reading or an array.',
    })
    id: string,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Car | Command | Anomaly | Reading | ArrayReadingModel | null> {
    const kind = id.length <= 400 ? nodeKind(id) : null;
    if (kind === 'Car') return this.car(id, viewer);
    if (kind === 'Command') return commandFor(viewer, this.loaders, id).then((row) => row && commandModel(row));
    if (kind === 'Anomaly') return episodeFor(viewer, this.loaders, id).then((row) => row && anomalyModel(row));
    if (kind === 'Reading') return readingFor(viewer, this.loaders, id).then((row) => row && readingModel(row));
    if (kind !== 'ArrayReading') return null;
    requireAllFleets(viewer);
    return this.loaders.arrays.load(id).then((row) => row && arrayReadingModel(row));
  }

  private async car(id: string, viewer: Viewer): Promise<Car | null> {
    const twin = await twinFor(viewer, this.loaders, id);
    return twin && carModel(twin, this.fleet.edges());
  }
}
