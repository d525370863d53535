import { type DynamicModule, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { FleetModule } from '../fleet/fleet.module.js';
import { loadScorer } from '../score/load-scorer.js';
import { rulesOf } from '../settings/episode-rules.js';
import type { Settings } from '../settings/settings.js';
import { loadValueCheck } from '../settings/value-schema.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { ATTRIBUTES_CHECK } from './attributes/attributes.resolver.js';
import { GraphiqlController } from './graphiql.controller.js';
import { API_CLOCK } from './handling.resolver.js';
import { LiveFeeds } from './live/live-feeds.js';
import { LOADERS, loadersOf } from './loaders.js';
import { MODEL_TOOLS, type ModelTools } from './model.resolver.js';
import { RESOLVERS } from './resolvers.js';
import { PAST_TOOLS, type PastTools } from './time-travel/past-car.js';
import { mercuriusOptions } from './mercurius-options.js';

const DAY = 86_400_000;

/** GraphQL over HTTP and WebSocket at /graphql, and a page to try it at /graphiql where the settings say so. */
@Module({})
export class GraphqlModule {
  static with(settings: Settings, clock: () => number = Date.now): DynamicModule {
    const retention = settings.HISTORY_RETENTION === 0 ? null : settings.HISTORY_RETENTION * DAY;
    const loaders = {
      provide: LOADERS,
      inject: [DATABASE],
      useFactory: (database: Database) => loadersOf(database, clock, retention),
    };
    const { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator, MODEL_DIR: fallbackDir } = settings;
    const check = async (dir: string) => (await loadScorer({ dir, backend, evaluator, log: () => undefined })).close();
    const models = { provide: MODEL_TOOLS, useValue: { check, fallbackDir, clock } satisfies ModelTools };
    const limits = { staleAfter: settings.STALE_AFTER * 1_000, offlineAfter: settings.OFFLINE_AFTER * 1_000 };
    const past = {
      provide: PAST_TOOLS,
      useValue: { rules: rulesOf(settings), retention, limits, clock } satisfies PastTools,
    };
    const attributes = {
      provide: ATTRIBUTES_CHECK,
      useValue: loadValueCheck('ATTRIBUTES_SCHEMA', settings.ATTRIBUTES_SCHEMA),
    };
    return {
      module: GraphqlModule,
      imports: [
        FleetModule.with(settings, clock),
        GraphQLModule.forRoot({ driver: MercuriusDriver, ...mercuriusOptions() }),
      ],
      controllers: settings.GRAPHIQL === 'on' ? [GraphiqlController] : [],
      providers: [loaders, models, attributes, past, { provide: API_CLOCK, useValue: clock }, LiveFeeds, ...RESOLVERS],
    };
  }
}
