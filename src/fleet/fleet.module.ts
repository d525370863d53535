import { type DynamicModule, Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { FleetAnalytics } from './analytics.js';
import { FleetFailures } from './failures.js';
import { Fleet, READ_LIMIT } from './fleet.js';
import { Refreshed } from './refreshed.js';
import { type Patience, Turns } from './turns.js';

/** Token of the `Fleet`. */
export const FLEET = Symbol('Fleet');

/** Token of the `FleetAnalytics`. */
export const ANALYTICS = Symbol('FleetAnalytics');

/** Token of the `FleetFailures`. */
export const FAILURES = Symbol('FleetFailures');

/** Token of the `Turns` of whatever passes over the fleet. */
export const SCANS = Symbol('Scans');

const PATIENCE: Patience = { time: 10_000, works: 200 };

@Module({})
export class FleetModule implements OnModuleDestroy {
  constructor(@Inject(Refreshed) private readonly refreshed: Refreshed) {}

  onModuleDestroy(): void {
    this.refreshed.close();
  }

  static with(settings: Settings, clock: () => number = Date.now): DynamicModule {
    const limits = { staleAfter: settings.STALE_AFTER * 1_000, offlineAfter: settings.OFFLINE_AFTER * 1_000 };
    const scans = new Turns(settings.LIMIT_SCANS, PATIENCE);
    const options = { clock, limits, maxTimeMS: READ_LIMIT, scans };
    const refreshed = { provide: Refreshed, useFactory: () => new Refreshed(clock) };
    const fleet = {
      provide: FLEET,
      inject: [DATABASE, Refreshed],
      useFactory: ({ collections }: Database, shared: Refreshed) => new Fleet(collections.twins, shared, options),
    };
    const analytics = {
      provide: ANALYTICS,
      inject: [DATABASE, Refreshed],
      useFactory: (database: Database, shared: Refreshed) => new FleetAnalytics(database, shared, options),
    };
    const failures = {
      provide: FAILURES,
      inject: [DATABASE, ANALYTICS, Refreshed],
      useFactory: (database: Database, cohorts: FleetAnalytics, shared: Refreshed) =>
        new FleetFailures(database, cohorts, shared, options),
    };
    const providers = [refreshed, fleet, analytics, failures, { provide: SCANS, useValue: scans }];
    return { module: FleetModule, providers, exports: [FLEET, ANALYTICS, FAILURES, SCANS] };
  }
}
