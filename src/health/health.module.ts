import { type DynamicModule, Module } from '@nestjs/common';
import { HealthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';

/** /health/live and /health/ready. `HealthChecks` is there for every stage to add to. */
@Module({})
export class HealthModule {
  static with(): DynamicModule {
    return {
      module: HealthModule,
      global: true,
      controllers: [HealthController],
      providers: [{ provide: HealthChecks, useFactory: () => new HealthChecks() }],
      exports: [HealthChecks],
    };
  }
}
