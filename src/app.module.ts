import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import { CommandsModule } from './commands/commands.module.js';
import { GraphqlModule } from './graphql/graphql.module.js';
import { HealthModule } from './health/health.module.js';
import type { Log } from './log/log.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { MqttBridgeModule } from './mqtt-bridge/mqtt-bridge.module.js';
import { ArrayIngestModule } from './pipeline/array-ingest.module.js';
import { IngestModule } from './pipeline/ingest.module.js';
import type { Observed } from './pipeline/observer.js';
import { RollupModule } from './rollup/rollup.module.js';
import type { Settings } from './settings/settings.js';
import { TwinModule } from './twin/twin.module.js';

/** The table of contents: the stages in the order of the data's way, each where the roles of this process want it. */
@Module({})
export class AppModule {
  static with(settings: Settings, log: Log, watch?: Observed): DynamicModule {
    const has = (role: Settings['ROLES'][number]) => settings.ROLES.includes(role);
    const commands = settings.COMMANDS === 'on';
    return {
      module: AppModule,
      imports: [
        HealthModule.with(),
        MetricsModule.with(),
        ...(has('bridge') ? [MqttBridgeModule.with(settings, log)] : []),
        ...(has('ingest') || has('api') ? [TwinModule.with(settings)] : []),
        // The bridge alone goes on without MongoDB: then only commands wait for it.
        ...(has('bridge') && commands && !has('ingest') && !has('api') ? [TwinModule.with(settings, 'watched')] : []),
        ...(has('bridge') && commands ? [CommandsModule.with(settings, log)] : []),
        ...(has('ingest') ? [IngestModule.with(settings, log, watch)] : []),
        ...(has('ingest') && settings.ARRAY_TOPICS ? [ArrayIngestModule.with(settings, log, watch)] : []),
        ...(has('ingest') ? [RollupModule.with(settings, log)] : []),
        ...(has('api') ? [AccessModule.with(settings), GraphqlModule.with(settings)] : []),
      ],
    };
  }
}
