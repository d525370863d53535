import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { onlyScorer, type Scorer } from '../../src/telemetry/score.js';
import { setAttributes } from '../../src/twin/set-attributes.js';
import { type Api, startApi } from '../builders/api.js';
import { someEpisode } from '../builders/episode.js';
import { aReading, aRecord, NOON } from '../builders/sensor.js';
import { someTwin } from '../builders/twin.js';
import { rigOn, speedScorer, TestLog } from '../ingest-rig.js';

let api: Api;
beforeAll(async () => {
  api = await startApi({ database: `gql_attributes_${process.pid}`, clock: () => NOON });
});
afterAll(() => api.stop());
afterEach(async () => {
  for (const collection of Object.values(api.database.collections))
    if (collection.collectionName !== 'meta') await collection.deleteMany({});
});

const SET = `mutation ($car: ID!, $values: JSON!, $ifVersion: Int) {
  setAttributes(car: $car, values: $values, ifVersion: $ifVersion) { version fleet model plate tags values by at }
}`;
const set = (car: string, values: unknown, ifVersion?: number) =>
  api.query<{ setAttributes: { version: number } }>(SET, { car, values, ifVersion });

describe('attributes', () => {
  it('are set as a whole, in versions, and shown at the car with what they were before', async () => {
    await api.database.collections.twins.insertOne(someTwin({ revision: 7 }));
    expect((await set('car-1', { fleet: 'north', model: 'van', tags: ['a', 'b'] })).data.setAttributes).toEqual({
      version: 1,
      fleet: 'north',
      model: 'van',
      plate: null,
      tags: ['a', 'b'],
      values: { fleet: 'north', model: 'van', tags: ['a', 'b'] },
      by: 'anonymous',
      at: new Date(NOON).toISOString(),
    });
    await set('car-1', { fleet: 'south', plate: 'X 1' }, 1);
    const { data } = await api.query(
      '{ car(id: "car-1") { revision attributes { fleet model plate version } formerAttributes { fleet version } } }',
    );
    expect(data['car']).toEqual({
      revision: 9,
      attributes: { fleet: 'south', model: null, plate: 'X 1', version: 2 },
      formerAttributes: [{ fleet: 'north', version: 1 }],
    });
    await set('car-1', {});
    expect((await api.query('{ car(id: "car-1") { attributes { fleet } } }')).data['car']).toEqual({
      attributes: null,
    });
    expect(await api.database.collections.twins.findOne({ _id: 'car-1' })).not.toHaveProperty('attributes');
  });

  it('take the version that they are to replace', async () => {
    expect((await set('car-9', { model: 'van' }, 1)).errors?.[0]).toMatchObject({
      message: 'The attributes are at version 0',
      extensions: { code: 'VERSION_CONFLICT' },
    });
    expect((await set('car-9', { model: 'van' }, 0)).data.setAttributes.version).toBe(1);
    expect((await set('car-9', { model: 'hatch' }, 0)).errors?.[0]?.extensions.code).toBe('VERSION_CONFLICT');
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((model) => set('car-9', { model }, 1)));
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
  });

  it.each([
    ['a value that the schema does not allow', { fleet: 7 }, 'fleet: must be string'],
    ['a name that it does not know', { colour: 'red' }, '(colour)'],
    ['an operator', { $where: '1' }, '"$where": is not a name'],
    ['a key of the prototype', JSON.parse('{"__proto__": {"fleet": "x"}}'), 'Body is not valid JSON'],
    ['a list', ['fleet'], 'must be an object'],
    ['nothing', null, ''],
    ['too much', { tags: Array.from({ length: 2_000 }, (_, n) => `tag number ${n}`) }, 'must be shorter'],
  ])('refuse %s', async (_what, values, message) => {
    const { errors } = await set('car-1', values);
    expect(errors?.[0]?.message).toContain(message);
    expect(['INVALID_ATTRIBUTES', 'BAD_REQUEST']).toContain(errors?.[0]?.extensions.code);
    expect(await api.database.collections.cars.countDocuments()).toBe(0);
  });

  it('move the episodes of a car to its new fleet; what was told stays as it was', async () => {
    await set('car-1', { fleet: 'north' });
    const log = new TestLog();
    for (let n = 0; n < 6; n += 1)
      log.records.push(aRecord(n, aReading({ car: 'car-1', at: NOON + n * 1_000, signals: { speed: 50 } })));
    await rigOn(api.database, log).process().drain();
    const { anomalies, events, twins } = api.database.collections;
    expect((await twins.findOne({ _id: 'car-1' }))?.attributes).toEqual({ fleet: 'north' });
    expect((await anomalies.find().toArray()).map(({ fleet }) => fleet)).toEqual(['north']);
    await anomalies.insertOne(someEpisode({ car: 'car-2', fleet: 'north' }));
    await set('car-1', { fleet: 'south' });
    expect((await anomalies.find().sort({ car: 1 }).toArray()).map(({ fleet }) => fleet)).toEqual(['south', 'north']);
    expect((await events.find().toArray()).map(({ fleet }) => fleet)).toEqual(['north']);
    log.records.push(...[6, 7, 8].map((n) => aRecord(n, aReading({ car: 'car-1', at: NOON + n * 1_000 }))));
    await rigOn(api.database, log).process().drain(6);
    expect((await events.find().sort({ _id: 1 }).toArray()).map(({ event, fleet }) => [event, fleet])).toEqual([
      ['OPENED', 'north'],
      ['CLEARED', 'south'],
    ]);
  });
});

describe('attributes that are set while ingest is between reading and writing the car', () => {
  /** Scores as ever, but sets attributes first, once. */
  const meanwhile = (car: string, fleet: string): Scorer => {
    let waiting = true;
    return {
      ...speedScorer,
      score: async (batch) => {
        if (waiting) {
          waiting = false;
          const change = { car, values: { fleet }, ifVersion: null, at: new Date(NOON), by: 'ann' };
          await setAttributes(api.database, change);
        }
        return speedScorer.score(batch);
      },
    };
  };
  const state = async () => {
    const { twins, readings, positions } = api.database.collections;
    const [twin] = await twins.find().toArray();
    const [position] = await positions.find().toArray();
    return {
      fleet: twin?.attributes?.fleet,
      readings: twin?.counters.readings,
      rows: await readings.countDocuments(),
      stored: position?.counts.stored,
    };
  };

  it.each([
    ['of a car that is known', true],
    ['of a car that is seen for the first time', false],
  ])('%s: both are kept, and every reading counts once', async (_what, known) => {
    const log = new TestLog();
    const record = (n: number) => aRecord(n, aReading({ car: 'car-1', at: NOON + n * 1_000 }));
    log.records.push(...[0, 1, 2].map(record));
    if (known) await rigOn(api.database, log).process().drain();
    if (known) log.records.push(...[3, 4].map(record));
    const scorers = onlyScorer(meanwhile('car-1', 'north'));
    await rigOn(api.database, log).process({ scorers }).drain();
    const all = log.records.length;
    expect(await state()).toEqual({ fleet: 'north', readings: all, rows: all, stored: all });
  });

  it('of a car that has attributes already and is seen for the first time', async () => {
    await set('car-1', { fleet: 'south' });
    const log = new TestLog();
    log.records.push(aRecord(0, aReading({ car: 'car-1' })));
    await rigOn(api.database, log)
      .process({ scorers: onlyScorer(meanwhile('car-1', 'north')) })
      .drain();
    expect(await state()).toEqual({ fleet: 'north', readings: 1, rows: 1, stored: 1 });
  });
});
