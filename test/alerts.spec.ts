import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../src/metrics/metrics.js';

const rules = readFileSync(join(import.meta.dirname, '..', 'deploy', 'prometheus-alerts.yaml'), 'utf8');

describe('deploy/prometheus-alerts.yaml', () => {
  it('asks only for metrics that the service has', async () => {
    const served = await new Metrics({ processDefaults: false }).text();
    const asked = new Set(rules.match(/fleet_twin_[a-z_]+/g));
    expect(asked.size).toBeGreaterThan(4);
    expect([...asked].filter((name) => !served.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it('alarms when readings go unscored', () => {
    expect(rules).toContain('sum(increase(fleet_twin_unscored_total[5m]))');
  });
});
