import { describe, expect, it } from 'vitest';
import { HealthChecks } from './health-checks.js';

describe('HealthChecks', () => {
  it('is ready with no checks at all', async () => {
    expect(await new HealthChecks().report()).toEqual({ ready: true, degraded: false, checks: {} });
  });

  it('is ready when every check passes, and says so by name', async () => {
    const checks = new HealthChecks();
    checks.add('mongodb', async () => {});
    checks.add('kafka', async () => 'ok');
    expect(await checks.report()).toEqual({
      ready: true,
      degraded: false,
      checks: { mongodb: 'ok', kafka: 'ok' },
    });
  });

  it('is ready but degraded while a check that is only watched does not pass', async () => {
    const checks = new HealthChecks();
    checks.add('mongodb', async () => {});
    checks.add('scoring', async () => 'readings have no score', 'watched');
    expect(await checks.report()).toEqual({
      ready: true,
      degraded: true,
      checks: { mongodb: 'ok', scoring: 'readings have no score' },
    });
  });

  it('gives the reason of a check that answers with one, rejects, or does not answer', async () => {
    const checks = new HealthChecks(20);
    checks.add('reason', async () => 'not connected yet');
    checks.add('fault', () => Promise.reject(new Error('refused')));
    checks.add('silent', () => new Promise(() => {}));
    expect(await checks.report()).toEqual({
      ready: false,
      degraded: false,
      checks: { reason: 'not connected yet', fault: 'refused', silent: 'no answer within 20 ms' },
    });
  });

  it('forgets a check that was taken away, but not one that took its place', async () => {
    const checks = new HealthChecks();
    const takeAway = checks.add('a', async () => 'old');
    checks.add('a', async () => 'new');
    takeAway();
    expect((await checks.report()).checks).toEqual({ a: 'new' });
  });
});
