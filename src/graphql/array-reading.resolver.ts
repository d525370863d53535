import { Inject } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { Viewer } from '../access/viewer.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { ArrayReadingsArgs } from './array-reading.args.js';
import { ArrayReadingConnection, ArrayReadingModel } from './array-reading.model.js';
import { arrayReadingsPage } from './array-readings-page.js';
import { CurrentViewer } from './current-viewer.js';
import type { Connection } from './connection.js';
import { requireAllFleets } from './require-role.js';
import { TypedArgs } from './typed-args.js';

@Resolver(() => ArrayReadingModel)
export class ArrayReadingResolver {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @Query(() => ArrayReadingConnection, { description: 'The arrays of a topic (see ARRAY_TOPICS), oldest first.' })
  arrayReadings(
    @TypedArgs({ type: () => ArrayReadingsArgs }) args: ArrayReadingsArgs,
    @CurrentViewer() viewer: Viewer,
  ): Promise<Connection<ArrayReadingModel>> {
    requireAllFleets(viewer);
    return arrayReadingsPage(this.database.collections.arrayReadings, args);
  }
}
