import { type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { GraphQLModule, GraphQLSchemaHost } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { AUTHENTICATOR } from '../access/access.module.js';
import type { Authenticator } from '../access/authenticator.js';
import { CommandExpiry } from '../commands/command-expiry.js';
import { Comparison } from '../fleet/comparison.js';
import { READ_LIMIT } from '../fleet/fleet.js';
import { FleetModule, SCANS } from '../fleet/fleet.module.js';
import { Turns } from '../fleet/turns.js';
import { loadScorer } from '../score/load-scorer.js';
import { keptFor } from '../settings/kept-days.js';
import { rulesOf } from '../settings/episode-rules.js';
import { type Settings, SettingsError } from '../settings/settings.js';
import { loadValueCheck } from '../settings/value-schema.js';
import type { Database } from '../twin/database.js';
import { DATABASE } from '../twin/twin.module.js';
import { ATTRIBUTES_CHECK } from './attributes/attributes.resolver.js';
import { DESIRED_TOOLS, type DesiredTools } from './desired/desired.resolver.js';
import { EXPORT_TOOLS, ExportController, type ExportTools } from './export/export.controller.js';
import { Entrance, ENTRANCE_OPTIONS, type EntranceOptions } from './guard/entrance.js';
import { MutationAudit } from './guard/mutation-audit.js';
import { maskedFields, unknownMask } from './guard/masks.js';
import { type Limits, OperationGuard } from './guard/operation-guard.js';
import { PersistedOperations } from './guard/persisted-operations.js';
import { GraphiqlController } from './graphiql.controller.js';
import { API_CLOCK } from './handling.resolver.js';
import { EventStreamRoute, FAULT_REPORT, STREAM_ADMISSION } from './live/event-stream-route.js';
import { LiveFeeds, MOST_SUBSCRIPTIONS } from './live/live-feeds.js';
import { COMPARISON } from './fleet/compare.resolver.js';
import { KEPT_TOOLS, type KeptTools } from './history/kept-since.js';
import { LOADERS, type Loaders, loadersOf } from './loaders.js';
import { MODEL_TOOLS, type ModelTools } from './model.resolver.js';
import { RESOLVERS } from './resolvers.js';
import { PAST_TOOLS, type PastTools } from './time-travel/past-car.js';
import { mercuriusOptions, report, subscriptionAdmission } from './mercurius-options.js';

/** Histories that are folded at a time. */
const FOLDS = 4;

const MASKED_FIELDS = Symbol('MaskedFields');

/** GraphQL over HTTP and WebSocket at /graphql, and a page to try it at /graphiql where the settings say so. */
@Module({})
export class GraphqlModule implements OnApplicationBootstrap {
  constructor(
    @Inject(GraphQLSchemaHost) private readonly host: GraphQLSchemaHost,
    @Inject(MASKED_FIELDS) private readonly masked: string,
  ) {}

  /** @throws SettingsError for a mask that would hide nothing */
  onApplicationBootstrap(): void {
    const unknown = this.masked === '' ? null : unknownMask(this.masked, this.host.schema);
    if (unknown) throw new SettingsError(`MASKED_FIELDS: ${unknown}`);
  }

  static with(settings: Settings, clock: () => number = Date.now): DynamicModule {
    const retention = keptFor(settings.HISTORY_RETENTION);
    const loaders = {
      provide: LOADERS,
      inject: [DATABASE],
      useFactory: (database: Database) => loadersOf(database, clock, retention),
    };
    const limits = { staleAfter: settings.STALE_AFTER * 1_000, offlineAfter: settings.OFFLINE_AFTER * 1_000 };
    const comparison = {
      provide: COMPARISON,
      inject: [DATABASE, LOADERS, SCANS],
      useFactory: (database: Database, { windows }: Loaders, scans: Turns) =>
        new Comparison(database, windows, { clock, limits, maxTimeMS: READ_LIMIT, retention, scans }),
    };
    const { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator, MODEL_DIR: fallbackDir } = settings;
    const check = async (dir: string) => (await loadScorer({ dir, backend, evaluator, log: () => undefined })).close();
    const models = { provide: MODEL_TOOLS, useValue: { check, fallbackDir, clock } satisfies ModelTools };
    const past = {
      provide: PAST_TOOLS,
      useValue: {
        rules: rulesOf(settings),
        retention,
        limits,
        mostRows: settings.LIMIT_PAST_READINGS,
        clock,
        turns: new Turns(FOLDS),
      } satisfies PastTools,
    };
    const kept = {
      provide: KEPT_TOOLS,
      useValue: {
        retention: {
          RAW: retention,
          FIVE_MINUTES: keptFor(settings.ROLLUP_RETENTION),
          HOUR: keptFor(settings.ROLLUP_HOUR_RETENTION),
        },
        clock,
      } satisfies KeptTools,
    };
    const persisted = PersistedOperations.read(settings.PERSISTED_OPERATIONS, settings.PERSISTED_OPERATIONS_DIR);
    const limited = limitsOf(settings);
    const operations = new OperationGuard(limited, clock);
    const exports: ExportTools = {
      operations,
      masked: limited.masked,
      clock,
      most: settings.LIMIT_EXPORTS,
      stalled: settings.LIMIT_EXPORT_STALL * 1_000,
    };
    const entrance: EntranceOptions = {
      origins: settings.ALLOWED_ORIGINS ?? [],
      persisted,
      largestBody: settings.LIMIT_BODY,
      mostSockets: settings.LIMIT_SOCKETS,
    };
    const { LIMIT_BODY: largestBody, LIMIT_ALIASES: aliases } = settings;
    const introspection = settings.INTROSPECTION === 'on';
    const guards = { operations, persisted, aliases, introspection, largestBody };
    const admission = subscriptionAdmission(guards);
    const attributes = {
      provide: ATTRIBUTES_CHECK,
      useValue: loadValueCheck('ATTRIBUTES_SCHEMA', settings.ATTRIBUTES_SCHEMA),
    };
    const desired = {
      provide: DESIRED_TOOLS,
      useValue: {
        check: loadValueCheck('COMMANDS_SCHEMA', settings.COMMANDS_SCHEMA),
        expiry: settings.COMMAND_EXPIRY * 1_000,
      } satisfies DesiredTools,
    };
    const expiry = {
      provide: CommandExpiry,
      inject: [DATABASE],
      useFactory: ({ collections }: Database) => new CommandExpiry(collections.commands, clock),
    };
    return {
      module: GraphqlModule,
      imports: [
        FleetModule.with(settings, clock),
        GraphQLModule.forRootAsync<MercuriusDriverConfig>({
          driver: MercuriusDriver,
          inject: [DATABASE, AUTHENTICATOR],
          useFactory: (database: Database, authenticator: Authenticator | null) => {
            const audit = new MutationAudit(database.collections.audit, clock);
            return mercuriusOptions({ ...guards, authenticator, audit });
          },
        }),
      ],
      controllers: [ExportController, ...(settings.GRAPHIQL === 'on' ? [GraphiqlController] : [])],
      providers: [
        { provide: MASKED_FIELDS, useValue: settings.MASKED_FIELDS ?? '' },
        { provide: EXPORT_TOOLS, useValue: exports },
        { provide: ENTRANCE_OPTIONS, useValue: entrance },
        Entrance,
        { provide: MOST_SUBSCRIPTIONS, useValue: settings.LIMIT_SUBSCRIPTIONS },
        loaders,
        comparison,
        models,
        attributes,
        desired,
        expiry,
        past,
        kept,
        { provide: API_CLOCK, useValue: clock },
        LiveFeeds,
        { provide: STREAM_ADMISSION, useValue: admission },
        { provide: FAULT_REPORT, useValue: report },
        EventStreamRoute,
        ...RESOLVERS,
      ],
    };
  }
}

function limitsOf(settings: Settings): Limits {
  return {
    cost: settings.LIMIT_COST,
    rate: settings.LIMIT_RATE,
    introspection: settings.INTROSPECTION === 'on',
    masked: maskedFields(settings.MASKED_FIELDS),
  };
}
