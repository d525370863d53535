import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import type { Metrics } from './metrics.js';
import { METRICS } from './metrics.token.js';

/** What is used of the HTTP layer's reply. */
interface Reply {
  type(contentType: string): unknown;
}

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(METRICS) private readonly metrics: Metrics) {}

  @Get()
  @Header('cache-control', 'no-store')
  text(@Res({ passthrough: true }) reply: Reply): Promise<string> {
    reply.type(this.metrics.contentType);
    return this.metrics.text();
  }
}
