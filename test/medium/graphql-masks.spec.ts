import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { AFTERWARDS, seedSmallFleet } from '../builders/small-fleet.js';
import { Subscriber } from '../builders/subscriber.js';

let api: Api;
const MASKED = 'viewer:Signals.controlUnitFirmware,viewer:CarAttributes.fleet,viewer:Score.ratio,viewer:Car.status';
const start = (masked: string, name = 'gql_masks') =>
  startApi({
    database: `${name}_${process.pid}`,
    clock: () => AFTERWARDS,
    env: { ...authEnv(), MASKED_FIELDS: masked },
  });
beforeAll(async () => {
  api = await start(MASKED);
  await seedSmallFleet(api.database);
});
afterAll(() => api.stop());

const TIMES = 'from: "2026-06-01T00:00:00.000Z", to: "2026-06-02T00:00:00.000Z"';

describe('masked fields', () => {
  it.each([
    ['{ fleet { byFirmware { groups { values } } } }', {}],
    [`{ fleet { failureRates(${TIMES}) { groups { value } } } }`, {}],
    ['{ cars(filter: { firmware: [2100] }) { totalCount } }', {}],
    ['query ($f: CarFilterInput) { cars(filter: $f) { totalCount } }', { f: { score: { min: 1 } } }],
    ['query ($o: CarOrderInput) { cars(orderBy: $o) { totalCount } }', { o: { field: 'SCORE', direction: 'DESC' } }],
    ['query ($d: FleetDimension!) { fleet { groupBy(by: [$d]) { groups { values } } } }', { d: 'STATUS' }],
  ])('are not told by another name: %s', async (query, variables) => {
    const { errors } = await api.query(query, variables, as('viewer'));
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const { data, errors: none } = await api.query(query, variables, as('operator'));
    expect([none, data === null]).toEqual([undefined, false]);
  });

  it('are not told by subscriptions and exports', async () => {
    const query = 'subscription { carUpdates(filter: { firmware: [2100] }) { __typename } }';
    const subscriber = new Subscriber(api.url, query, {}, { headers: as('viewer') });
    await subscriber.until(({ errors }) => errors !== null);
    expect(JSON.stringify(subscriber.errors)).toContain('FORBIDDEN');
    await subscriber.close();
    const ask = (query: string, who: 'viewer' | 'operator') =>
      fetch(`${api.url}/export/history.csv${query}`, { headers: as(who) });
    expect((await ask('?fleet=north', 'viewer')).status).toBe(403);
    expect((await ask('?fleet=north', 'operator')).status).toBe(200);
    const [head] = (await (await ask('', 'viewer')).text()).split('\n');
    expect(head?.split(',')).not.toEqual(expect.arrayContaining(['ratio']));
  });

  it('that there are not end the start', async () => {
    await expect(start('viewer:Signals.tirePressure11,viewer:Signals.Speed', 'gql_mistake')).rejects.toThrow(
      'MASKED_FIELDS: there is no Signals.Speed in the schema; the nearest is Signals.speed',
    );
  });
});
