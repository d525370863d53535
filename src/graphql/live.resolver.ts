import { Inject } from '@nestjs/common';
import { Parent, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import type { DatedSummary, Fleet } from '../fleet/fleet.js';
import { FLEET } from '../fleet/fleet.module.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { Anomaly, anomalyModel } from './anomaly.model.js';
import { Car, carModel } from './car.model.js';
import { CurrentViewer, CutConnection, type RequestContext, viewerIn } from './current-viewer.js';
import { FleetModel, fleetModel } from './fleet.model.js';
import { AnomalyEventsArgs, CarUpdatesArgs, FleetUpdatesArgs } from './live.args.js';
import { AnomalyEvent, AnomalyFeedItem, CarFeedItem, CarUpdate, eventModel } from './live.model.js';
import type { AnomalyItem } from './live/anomaly-subscription.js';
import type { CarItem } from './live/car-subscription.js';
import { eventCursor } from './live/heads.js';
import { LiveFeeds } from './live/live-feeds.js';
import { readPlace } from './live/store-place.js';
import { subscribeAnomalies, subscribeCars, subscribeFleet } from './live/subscribe.js';
import { LOADERS, type Loaders } from './loaders.js';
import { episodeFor, twinFor } from './seen-by.js';
import { TypedArgs } from './typed-args.js';

@Resolver()
export class LiveResolver {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(LiveFeeds) private readonly feeds: LiveFeeds,
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @Query(() => String, {
    description:
      'Where the events of anomalies are now. Ask for it, then for the state, then subscribe to anomalies after it: nothing is missed in between.',
  })
  async liveCursor(): Promise<string> {
    return eventCursor(await readPlace(this.database));
  }

  @Subscription(() => AnomalyFeedItem, {
    description: 'What happens to anomalies: first all since the cursor, then live. At least once, in order per car.',
    resolve: (item: AnomalyItem) => ('reason' in item ? item : eventModel(item)),
  })
  anomalies(
    @TypedArgs({ type: () => AnomalyEventsArgs }) args: AnomalyEventsArgs,
    @CurrentViewer() viewer: Viewer,
    @CutConnection() cut: () => void,
  ) {
    return subscribeAnomalies(this.feeds, this.database, args, { viewer, cut });
  }

  @Subscription(() => CarFeedItem, {
    description:
      'Cars that change, each with its newest state: a subscriber that does not keep up gets fewer and newer ones.',
    resolve(this: LiveResolver, item: CarItem) {
      return 'reason' in item ? item : { cursor: item.cursor, car: carModel(item.twin, this.fleet.edges()) };
    },
  })
  carUpdates(
    @TypedArgs({ type: () => CarUpdatesArgs }) args: CarUpdatesArgs,
    @CurrentViewer() viewer: Viewer,
    @CutConnection() cut: () => void,
  ) {
    const { feeds, loaders, fleet } = this;
    return subscribeCars({ feeds, loaders, fleet }, args, { viewer, cut });
  }

  @Subscription(() => FleetModel, {
    description:
      'All cars together, now and then every so many seconds, whether anything changed or not; `coverage` says as of when.',
    resolve: (summary: DatedSummary, _args: unknown, context: RequestContext) =>
      fleetModel(summary, { filter: { within: viewerIn(context).fleets }, at: null }),
  })
  fleetUpdates(
    @TypedArgs({ type: () => FleetUpdatesArgs }) args: FleetUpdatesArgs,
    @CurrentViewer() viewer: Viewer,
    @CutConnection() cut: () => void,
  ) {
    return subscribeFleet(this.feeds, args, { viewer, cut });
  }
}

@Resolver(() => CarUpdate)
export class CarUpdateResolver {
  @ResolveField(() => Car, { description: 'Its newest state.' })
  car(@Parent() { car }: CarUpdate): Car {
    return car;
  }
}

@Resolver(() => AnomalyEvent)
export class AnomalyEventResolver {
  constructor(
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @ResolveField(() => Car, { nullable: true, description: 'The car as it is now.' })
  async car(@Parent() { carId }: AnomalyEvent, @CurrentViewer() viewer: Viewer): Promise<Car | null> {
    const twin = await twinFor(viewer, this.loaders, carId);
    return twin && carModel(twin, this.fleet.edges());
  }

  @ResolveField(() => Anomaly, { nullable: true, description: 'The anomaly as it is now.' })
  async anomaly(@Parent() { anomalyId }: AnomalyEvent, @CurrentViewer() viewer: Viewer): Promise<Anomaly | null> {
    const episode = await episodeFor(viewer, this.loaders, anomalyId);
    return episode && anomalyModel(episode);
  }
}
