import { type DynamicModule, Module } from '@nestjs/common';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';
import { METRICS } from './metrics.token.js';

/** /metrics in Prometheus' text format. `METRICS` is there for every stage to count with. */
@Module({})
export class MetricsModule {
  static with(): DynamicModule {
    return {
      module: MetricsModule,
      global: true,
      controllers: [MetricsController],
      providers: [{ provide: METRICS, useFactory: () => new Metrics() }],
      exports: [METRICS],
    };
  }
}
