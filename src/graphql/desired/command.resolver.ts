import { Inject } from '@nestjs/common';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../../access/viewer.js';
import type { Fleet } from '../../fleet/fleet.js';
import { FLEET } from '../../fleet/fleet.module.js';
import type { CommandDocument } from '../../twin/command-documents.js';
import { Car, carModel } from '../car.model.js';
import { type Connection, pageOf, pageSize } from '../connection.js';
import { CurrentViewer } from '../current-viewer.js';
import { timedCursor, timedPlace } from '../keyset.js';
import { LOADERS, type Loaders } from '../loaders.js';
import { PageArgs } from '../page.args.js';
import { twinFor } from '../seen-by.js';
import { TypedArgs } from '../typed-args.js';
import { Command, CommandConnection, commandModel } from './command.model.js';

@Resolver(() => Car)
export class CarCommandsResolver {
  constructor(@Inject(LOADERS) private readonly loaders: Loaders) {}

  @ResolveField(() => CommandConnection, { description: 'What it was told to be, the newest first.' })
  async commands(
    @Parent() { id, asOf }: Car,
    @TypedArgs({ type: () => PageArgs }) { first, after }: PageArgs,
  ): Promise<Connection<Command>> {
    const count = pageSize(first);
    const place = after == null ? null : timedPlace('commands', after);
    const range = asOf ? { to: new Date(asOf.getTime() + 1) } : {};
    const rows = await this.loaders.commandPages.load({ car: id, range, place, backwards: true, limit: count + 1 });
    const entry = (row: CommandDocument) => ({
      cursor: timedCursor('commands', { at: row.at.getTime(), id: row._id }),
      node: commandModel(row, asOf),
    });
    return pageOf(rows, count, entry, { started: place !== null });
  }
}

@Resolver(() => Command)
export class CommandResolver {
  constructor(
    @Inject(FLEET) private readonly fleet: Fleet,
    @Inject(LOADERS) private readonly loaders: Loaders,
  ) {}

  @ResolveField(() => Car, { nullable: true, description: 'The car as it is now; null where it was never seen.' })
  async car(@Parent() { carId }: Command, @CurrentViewer() viewer: Viewer): Promise<Car | null> {
    const twin = await twinFor(viewer, this.loaders, carId);
    return twin && carModel(twin, this.fleet.edges());
  }
}
