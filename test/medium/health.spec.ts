import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HealthChecks } from '../../src/health/health-checks.js';
import type { Metrics } from '../../src/metrics/metrics.js';
import { METRICS } from '../../src/metrics/metrics.token.js';
import { type Api, startApi } from '../builders/api.js';

let api: Api;
let checks: HealthChecks;

beforeAll(async () => {
  api = await startApi({ database: `gql_health_${process.pid}` });
  checks = api.app.get(HealthChecks);
});
afterAll(() => api.stop());

const get = async (path: string) => {
  const response = await fetch(`${api.url}${path}`);
  return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
};

describe('/health', () => {
  it('is live whatever it depends on', async () => {
    const remove = checks.add('kafka', async () => 'away');
    expect(await get('/health/live')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    remove();
  });

  it('is ready when every check passes, and otherwise says why it is not', async () => {
    const remove = checks.add('mongodb', async () => void (await api.database.db.command({ ping: 1 })));
    const ready = await get('/health/ready');
    expect([ready.status, JSON.parse(ready.text)]).toMatchObject([200, { status: 'ok', checks: { mongodb: 'ok' } }]);
    const removeOther = checks.add('mqtt', async () => 'not connected');
    const unready = await get('/health/ready');
    expect([unready.status, JSON.parse(unready.text)]).toMatchObject([
      503,
      { status: 'unavailable', checks: { mongodb: 'ok', mqtt: 'not connected' } },
    ]);
    remove();
    removeOther();
  });
});

describe('/metrics', () => {
  it('is text for Prometheus, with the process and what was counted', async () => {
    const metrics = api.app.get<Metrics>(METRICS);
    metrics.count('stored', 5);
    metrics.stage('decode', 0.002);
    const { status, type, text } = await get('/metrics');
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('fleet_twin_stored_total 5');
    expect(text).toContain('fleet_twin_stage_seconds_bucket{le="0.0025",stage="decode"} 1');
  });
});

describe('/graphiql', () => {
  it('is a page that needs nothing from elsewhere', async () => {
    const { status, type, text } = await get('/graphiql');
    expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text.match(/(src|href)="(?!data:)[^"]*"|https?:\/\//g)).toBeNull();
  });

  it('is not there when it is switched off', async () => {
    const plain = await startApi({ database: `gql_noide_${process.pid}`, env: { GRAPHIQL: 'off' } });
    expect((await fetch(`${plain.url}/graphiql`)).status).toBe(404);
    await plain.stop();
  });
});
