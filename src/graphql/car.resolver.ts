import { Inject } from '@nestjs/common';
import { ID, Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import { FLEET } from '../fleet/fleet.module.js';
import type { Fleet } from '../fleet/fleet.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { Anomaly, anomalyModel } from './anomaly.model.js';
import { ApiError } from './api-error.js';
import { CarsArgs } from './car.args.js';
import { Car, CarConnection, carModel, Counters } from './car.model.js';
import { type CarsPage, carsPage } from './cars-page.js';
import { CurrentViewer } from './current-viewer.js';
import { type Connection, pageOf, pageSize } from './connection.js';
import { checkRange, timedCursor, timedPlace } from './keyset.js';
import { LOADERS, type Loaders } from './loaders.js';
import { HistoryArgs } from './page.args.js';
import { type Reading, ReadingConnection, readingModel } from './reading.model.js';
import { twinFor } from './seen-by.js';
import { DateTime } from './scalars.js';
import { PAST_TOOLS, type PastTools, pastCar } from './time-travel/past-car.js';
import { TypedArgs } from './typed-args.js';

@Resolver(() => Car)
export class CarResolver {
  constructor(
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) readonly loaders: Loaders,
    @Inject(DATABASE) readonly database: Database,
    @Inject(PAST_TOOLS) readonly tools: PastTools,
  ) {}

  @Query(() => Car, { nullable: true, description: 'The twin of a car; null when no such car was seen (by then).' })
  async car(
    @TypedArgs({ name: 'id', type: () => ID, description: 'Car id, as in the MQTT topic.' }) id: string,
    @TypedArgs({
      name: 'at',
      type: () => DateTime,
      nullable: true,
      description: 'As of this instant by event time, with everything in it; now without it.',
    })
    at: Date | null,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Car | null> {
    if (at) return pastCar(this, viewer, id, at);
    const twin = await twinFor(viewer, this.loaders, id);
    return twin ? carModel(twin, this.fleet.edges()) : null;
  }

  @Query(() => CarConnection, { description: 'The cars, page by page.' })
  cars(@TypedArgs({ type: () => CarsArgs }) args: CarsArgs, @CurrentViewer() viewer: Viewer): Promise<CarsPage> {
    return carsPage(this.fleet, this.loaders, args, viewer);
  }

  @ResolveField(() => Counters, { description: 'How many of its messages ended where.' })
  counters(@Parent() { counters, countThen }: Car): Counters | Promise<Counters> {
    return countThen ? countThen() : counters;
  }

  @ResolveField(() => [Anomaly], { description: 'Anomalies that are open, at most one per kind.' })
  async openEpisodes(@Parent() car: Car): Promise<Anomaly[]> {
    const { openEpisodeIds, openThen } = car;
    if (openThen) return openThen.map((episode) => Object.assign(anomalyModel(episode), { carThen: car }));
    const episodes = await Promise.all(openEpisodeIds.map((id) => this.loaders.anomalies.load(id)));
    return episodes.flatMap((episode) => (episode?.status === 'OPEN' ? [anomalyModel(episode)] : []));
  }

  @ResolveField(() => ReadingConnection, { description: 'Readings of the car by event time, oldest first.' })
  async history(
    @Parent() { id, asOf }: Car,
    @TypedArgs({ type: () => HistoryArgs }) args: HistoryArgs,
  ): Promise<Connection<Reading>> {
    const { backwards, count, cursor } = direction(args);
    checkRange(args);
    const place = cursor ? timedPlace('history', cursor) : null;
    const range = { from: args.from, to: upTo(args.to, asOf) };
    const rows = await this.loaders.histories.load({
      car: id,
      range,
      place,
      backwards,
      limit: count + 1,
      signals: args.signals ?? null,
    });
    const entry = (row: (typeof rows)[number]) => ({
      cursor: timedCursor('history', { at: row.at.getTime(), id: row._id }),
      node: readingModel(row),
    });
    return pageOf(rows, count, entry, { backwards, started: place !== null });
  }
}

/** Ranges leave their end out, an instant is in what it shows. */
function upTo(to: Date | null | undefined, asOf: Date | null): Date | null | undefined {
  const end = asOf && new Date(asOf.getTime() + 1);
  return end && (!to || to > end) ? end : to;
}

function direction({ first, after, last, before }: HistoryArgs) {
  const forwards = first != null || after != null;
  const backwards = last != null || before != null;
  if (forwards && backwards) throw new ApiError('BAD_ARGUMENT', 'Give first and after, or last and before');
  return backwards
    ? { backwards, count: pageSize(last), cursor: before }
    : { backwards, count: pageSize(first), cursor: after };
}

@Resolver(() => CarConnection)
export class CarConnectionResolver {
  constructor(@Inject(FLEET) private readonly fleet: Fleet) {}

  @ResolveField(() => Int, { description: 'How many cars the filter lets through (a number); counted when asked for.' })
  totalCount(@Parent() { filter }: CarsPage): Promise<number> {
    return this.fleet.count(filter);
  }
}
