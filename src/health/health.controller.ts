import { Controller, Get, Header, Inject, ServiceUnavailableException } from '@nestjs/common';
import { HealthChecks, type HealthReport } from './health-checks.js';

@Controller('health')
export class HealthController {
  constructor(@Inject(HealthChecks) private readonly checks: HealthChecks) {}

  /** The process runs and answers; says nothing about what it depends on. */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when every needed check passes (`degraded` where one that is watched does not), 503 with the reasons otherwise. */
  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(): Promise<{ status: 'ok' | 'degraded' } & Pick<HealthReport, 'checks'>> {
    const { ready, degraded, checks } = await this.checks.report();
    if (!ready) throw new ServiceUnavailableException({ status: 'unavailable', checks });
    return { status: degraded ? 'degraded' : 'ok', checks };
  }
}
