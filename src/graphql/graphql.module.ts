import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { FleetModule } from '../fleet/fleet.module.js';
import { HealthChecks } from '../health/health-checks.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { GraphiqlController } from './graphiql.controller.js';
import { LiveFeeds } from './live/live-feeds.js';
import { LOADERS, loadersOf } from './loaders.js';
import { RESOLVERS } from './resolvers.js';
import { mercuriusOptions } from './mercurius-options.js';

/** GraphQL over HTTP and WebSocket at /graphql, and a page to try it at /graphiql where the settings say so. */
@Module({})
export class GraphqlModule {
  constructor(@Inject(HealthChecks) health: HealthChecks, @Inject(DATABASE) { db }: Database) {
    health.add('mongodb', async () => void (await db.command({ ping: 1 })));
  }

  static with(settings: Settings, clock: () => number = Date.now): DynamicModule {
    return {
      module: GraphqlModule,
      imports: [
        FleetModule.with(settings, clock),
        GraphQLModule.forRoot({ driver: MercuriusDriver, ...mercuriusOptions() }),
      ],
      controllers: settings.GRAPHIQL === 'on' ? [GraphiqlController] : [],
      providers: [{ provide: LOADERS, inject: [DATABASE], useFactory: loadersOf }, LiveFeeds, ...RESOLVERS],
    };
  }
}
