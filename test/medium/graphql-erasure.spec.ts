import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ingest } from '../../src/pipeline/ingest.js';
import { type Api, startApi } from '../builders/api.js';
import { as, authEnv } from '../builders/keys.js';
import { NOON, aReading, aRecord } from '../builders/sensor.js';
import { rigOn, TestLog, TOPIC, type Rig } from '../ingest-rig.js';

interface Receipt {
  readonly doneAt: string | null;
  readonly removed: Record<string, number> | null;
}

describe('a car that is erased over GraphQL', () => {
  const now = NOON + 60_000;
  let api: Api;
  let rig: Omit<Rig, 'close'>;
  let log: TestLog;

  beforeAll(async () => {
    api = await startApi({ database: `gql_erasure_${process.pid}`, clock: () => now, env: authEnv() });
    log = new TestLog();
    rig = rigOn(api.database, log);
    const at = new Date(NOON);
    const values = { fleet: 'north', plate: 'N 1' };
    for (const car of ['car-1', 'car-2'])
      await api.database.collections.cars.insertOne({ _id: car, attributes: { values, version: 1, at, by: 'seed' } });
    send();
    await drain();
  });
  afterAll(() => api.stop());

  const process_ = () => rig.process({ clock: () => now });
  const drain = async () => {
    const process = process_();
    await process.drain();
    process.stop();
  };
  /** Ten readings of each of two cars, fast enough for an anomaly. */
  const send = () => {
    for (let n = 0; n < 10; n += 1)
      for (const car of ['car-1', 'car-2'])
        log.records.push(aRecord(log.high, aReading({ car, at: NOON + n * 1_000, signals: { speed: 50 } })));
  };
  const between = async () => {
    const ingest = new Ingest(process_().workshop, () => Promise.resolve(0));
    ingest.assigned(TOPIC, [0]);
    await ingest.betweenBatches();
    await ingest.stop();
  };
  const receipt = async () => {
    const fields = 'doneAt removed { twins attributes readings anomalies events rollups }';
    const { data } = await api.query<{ erasure: Receipt | null }>(
      `{ erasure(car: "car-1") { ${fields} } }`,
      {},
      as('admin'),
    );
    return data.erasure;
  };
  const seen = async (car: string) => {
    const query = `{ car(id: "${car}") { id attributes { plate } history { nodes { id } } }
      anomalies(filter: { car: "${car}" }) { totalCount } }`;
    return (await api.query(query, {}, as('admin'))).data;
  };
  const leftOf = async (car: string) => {
    const { twins, cars, readings, anomalies, events, handlings, commands } = api.database.collections;
    const counts = await Promise.all([
      twins.countDocuments({ _id: car }),
      cars.countDocuments({ _id: car }),
      ...[readings, anomalies, events, handlings, commands].map((one) => one.countDocuments({ car })),
    ]);
    return counts.reduce((sum, count) => sum + count, 0);
  };

  it('is gone when an ingest process has done it, with a receipt, and stays gone when its records are replayed', async () => {
    expect(await receipt()).toBeNull();
    expect(await leftOf('car-1')).toBeGreaterThan(12);
    const before = await leftOf('car-2');

    const asked = await api.query('mutation { eraseCar(id: "car-1") { doneAt removed { twins } } }', {}, as('admin'));
    expect(asked.data).toEqual({ eraseCar: { doneAt: null, removed: null } });
    // Nobody does it while no ingest process runs.
    expect(await receipt()).toEqual({ doneAt: null, removed: null });

    await between();
    const done = await receipt();
    expect(done?.doneAt).not.toBeNull();
    expect(done?.removed).toMatchObject({ twins: 1, attributes: 1, readings: 10, anomalies: 1, rollups: 0 });
    expect(done?.removed?.['events']).toBeGreaterThan(0);
    expect(await seen('car-1')).toEqual({ car: null, anomalies: { totalCount: 0 } });
    expect([await leftOf('car-1'), await leftOf('car-2')]).toEqual([0, before]);

    send();
    await drain();
    expect(await seen('car-1')).toEqual({ car: null, anomalies: { totalCount: 0 } });
    expect(await leftOf('car-1')).toBe(0);
    expect((await api.database.collections.positions.findOne({}))?.counts.erased).toBe(10);

    // What it sends from then on is a new car's.
    log.records.push(aRecord(log.high, aReading({ car: 'car-1', at: now + 1_000 })));
    await drain();
    expect(await seen('car-1')).toMatchObject({ car: { id: 'car-1', attributes: null, history: { nodes: [{}] } } });
  });

  it('asked for again, the receipt keeps what went before and adds what goes now', async () => {
    const former = (await receipt())?.removed;
    const again = 'mutation { eraseCar(id: "car-1") { doneAt removed { readings } } }';
    const { data } = await api.query(again, {}, as('admin'));
    expect(data).toEqual({ eraseCar: { doneAt: null, removed: { readings: 10 } } });
    await between();
    const done = await receipt();
    expect(done?.doneAt).not.toBeNull();
    expect(done?.removed).toEqual({ ...former, twins: 2, attributes: 2, readings: 11 });
    expect(await leftOf('car-1')).toBe(0);
  });

  it('is noted in the audit log', async () => {
    const query = '{ auditLog(first: 1) { nodes { operation viewer args outcome } } }';
    expect((await api.query(query, {}, as('admin'))).data).toEqual({
      auditLog: { nodes: [{ operation: 'eraseCar', viewer: 'admin', args: { id: 'car-1' }, outcome: 'OK' }] },
    });
  });
});
