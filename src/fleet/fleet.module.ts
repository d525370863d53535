import { type DynamicModule, Module } from '@nestjs/common';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { FleetAnalytics } from './analytics.js';
import { Fleet, READ_LIMIT } from './fleet.js';

/** Token of the `Fleet`. */
export const FLEET = Symbol('Fleet');

/** Token of the `FleetAnalytics`. */
export const ANALYTICS = Symbol('FleetAnalytics');

@Module({})
export class FleetModule {
  static with(settings: Settings, clock: () => number = Date.now): DynamicModule {
    const limits = { staleAfter: settings.STALE_AFTER * 1_000, offlineAfter: settings.OFFLINE_AFTER * 1_000 };
    const fleet = {
      provide: FLEET,
      inject: [DATABASE],
      useFactory: ({ collections }: Database) => new Fleet(collections.twins, { clock, limits }),
    };
    const analytics = {
      provide: ANALYTICS,
      inject: [DATABASE],
      useFactory: (database: Database) => new FleetAnalytics(database, { clock, limits, maxTimeMS: READ_LIMIT }),
    };
    return { module: FleetModule, providers: [fleet, analytics], exports: [FLEET, ANALYTICS] };
  }
}
