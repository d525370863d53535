import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { HealthChecks, type Weight } from '../health/health-checks.js';
import type { Settings } from '../settings/settings.js';
import { type Database, openDatabase } from './database.js';

/** Token of the open `Database`. */
export const DATABASE = Symbol('Database');
const WEIGHT = Symbol('Weight');

/** The connection to MongoDB, shared by every stage of the process that needs it. */
@Module({})
export class TwinModule implements OnApplicationShutdown {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(HealthChecks) health: HealthChecks,
    @Inject(WEIGHT) weight: Weight,
  ) {
    health.add('mongodb', async () => void (await database.db.command({ ping: 1 })), weight);
  }

  /** @param weight what it means to this process that MongoDB is away */
  static with(settings: Settings, weight: Weight = 'needed'): DynamicModule {
    const database = {
      provide: DATABASE,
      useFactory: () => openDatabase(settings.MONGODB_URI, settings.MONGODB_DATABASE, 'fleet-twin'),
    };
    return {
      module: TwinModule,
      global: true,
      providers: [database, { provide: WEIGHT, useValue: weight }],
      exports: [DATABASE],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.client.close();
  }
}
