import { Inject } from '@nestjs/common';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import { READ_LIMIT } from '../../fleet/fleet.js';
import { readingsBetween } from '../../history/counters-at.js';
import type { Database } from '../../twin/database.js';
import { DATABASE } from '../../twin/twin.module.js';
import { Car } from '../car.model.js';
import { CurrentViewer } from '../current-viewer.js';
import { checkRange } from '../keyset.js';
import { LOADERS, type Loaders } from '../loaders.js';
import { DateTime, Long } from '../scalars.js';
import { TypedArgs } from '../typed-args.js';
import { diffOf } from './diff.js';
import { CarDiff } from './diff.model.js';
import { countersThen, PAST_TOOLS, type PastTools, pastTwin } from './past-car.js';

@Resolver(() => Car)
export class DiffResolver {
  constructor(
    @Inject(DATABASE) readonly database: Database,
    @Inject(LOADERS) readonly loaders: Loaders,
    @Inject(PAST_TOOLS) readonly tools: PastTools,
  ) {}

  @ResolveField(() => CarDiff, { description: 'What changed between two instants, by event time.' })
  async diff(
    @Parent() { id, asOf }: Car,
    @TypedArgs({ name: 'from', type: () => DateTime, description: 'The earlier instant.' }) from: Date,
    @TypedArgs({
      name: 'to',
      type: () => DateTime,
      nullable: true,
      description: 'The later instant; the one that the car is shown as of without it.',
    })
    to: Date | null,
    @CurrentViewer() viewer: Viewer,
  ): Promise<CarDiff> {
    const end = asOf ?? new Date(this.tools.clock());
    const until = to && to < end ? to : end;
    checkRange({ from, to: until });
    const [before, after] = await Promise.all([from, until].map((at) => pastTwin(this, viewer, id, at)));
    const range = { from, to: until };
    const count = async () =>
      before
        ? readingsBetween(this.database.collections, id, range, READ_LIMIT)
        : (await countersThen(this, viewer, id, until)).readings;
    return { ...range, ...diffOf(before ?? null, after ?? null), count };
  }
}

@Resolver(() => CarDiff)
export class DiffReadingsResolver {
  @ResolveField(() => Long, { description: 'Readings in between (a number); counted when asked for.' })
  readings(@Parent() { count }: CarDiff): Promise<number> {
    return count();
  }
}
