import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eraseCar } from '../../src/pipeline/between-batches.js';
import { setAttributes } from '../../src/twin/set-attributes.js';
import { type Api, startApi } from '../builders/api.js';
import { aReading, aRecord, NOON } from '../builders/sensor.js';
import { rigOn, TestLog, type TestProcess } from '../ingest-rig.js';

let api: Api;
beforeAll(async () => {
  api = await startApi({ database: `attributes_erase_${process.pid}`, clock: () => NOON });
});
afterAll(() => api.stop());
afterEach(async () => {
  for (const collection of Object.values(api.database.collections))
    if (collection.collectionName !== 'meta') await collection.deleteMany({});
});

const say = (values: Record<string, string>, more: { mayChange?: (fleet: string | undefined) => boolean } = {}) =>
  setAttributes(api.database, { car: 'car-1', values, ifVersion: null, at: new Date(NOON), by: 'ann', ...more });
const erase = ({ writer, workshop, signal }: TestProcess) =>
  writer.between((held) => eraseCar(held, 'car-1', new Date(NOON + 5_000), workshop, signal));
const record = (n: number) => aRecord(n, aReading({ car: 'car-1', at: NOON + n * 1_000, signals: { speed: 50 } }));
const left = async () => {
  const { twins, cars, readings, anomalies } = api.database.collections;
  const counts = [twins.countDocuments(), readings.countDocuments(), anomalies.countDocuments()];
  return { counts: await Promise.all(counts), said: (await cars.findOne({ _id: 'car-1' }))?.attributes };
};
async function seenCar(): Promise<{ log: TestLog; process: TestProcess }> {
  const log = new TestLog();
  log.records.push(...[0, 1, 2, 3].map(record));
  const process = rigOn(api.database, log).process();
  await process.drain();
  return { log, process };
}

describe('attributes and an erase', () => {
  it('a twin that ingest remembers from before they were set is not erased by halves: the next round erases all', async () => {
    const { process } = await seenCar();
    await say({ fleet: 'north' });
    await expect(erase(process)).rejects.toThrow('written through another partition');
    expect(await left()).toMatchObject({ counts: [1, 4, 1], said: { version: 1, values: { fleet: 'north' } } });
    await erase(process);
    expect(await left()).toEqual({ counts: [0, 0, 0], said: undefined });
  });

  it('at the same time: either what was set goes with the car, or it is the first that is said of it again', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { log, process } = await seenCar();
      await say({ fleet: 'north' });
      const tries = async () => {
        for (let n = 0; n < 3; n += 1)
          if (
            await erase(process).then(
              () => true,
              () => false,
            )
          )
            return true;
        return false;
      };
      const [erased, set] = await Promise.all([tries(), say({ fleet: 'south' })]);
      expect([erased, set.kind]).toEqual([true, 'set']);
      const { counts, said } = await left();
      expect(counts).toEqual([0, 0, 0]);
      expect([undefined, 1]).toContain(said?.version);
      log.records.push(record(9));
      await process.drain(4);
      const twin = await api.database.collections.twins.findOne({ _id: 'car-1' });
      expect(twin?.attributes).toEqual(said?.values);
      expect(twin?.counters.readings).toBe(1);
      for (const collection of Object.values(api.database.collections))
        if (collection.collectionName !== 'meta') await collection.deleteMany({});
    }
  });
});

describe('a caller that may change the cars of some fleets', () => {
  const mayChange = (fleet: string | undefined) => fleet === 'north';

  it('changes none that has left them', async () => {
    await say({ fleet: 'south' });
    expect(await say({ fleet: 'north' }, { mayChange })).toEqual({ kind: 'refused' });
    expect((await left()).said).toMatchObject({ version: 1, values: { fleet: 'south' } });
  });

  it('does not fetch a car back that is moved in between', async () => {
    await say({ fleet: 'north' });
    const moved: ReturnType<typeof say>[] = [];
    const asked: (string | undefined)[] = [];
    await say(
      { fleet: 'north', plate: 'N 1' },
      {
        mayChange: (fleet) => {
          asked.push(fleet);
          if (moved.length === 0) moved.push(say({ fleet: 'south' }));
          return mayChange(fleet);
        },
      },
    );
    await Promise.all(moved);
    expect(asked[0]).toBe('north');
    expect((await left()).said?.values).toEqual({ fleet: 'south' });
  });
});

describe('a car of which everything said was taken back before it was seen', () => {
  it('has a twin without attributes', async () => {
    await say({ fleet: 'north' });
    await say({});
    await seenCar();
    const twin = await api.database.collections.twins.findOne({ _id: 'car-1' });
    expect(twin).toMatchObject({ counters: { readings: 4 } });
    expect(twin).not.toHaveProperty('attributes');
  });
});
