import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import { DriftWatch } from '../../src/registry/drift-watch.js';
import { registerModel } from '../../src/registry/model-store.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { type Api, startApi } from '../builders/api.js';
import { DEFAULT_MODEL, aModelFolder } from '../builders/model.js';
import { SOME_INSTANT, someReading } from '../builders/reading.js';

let api: Api;
let parent: string;
const NOW = new Date(SOME_INSTANT + 3_600_000);

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'graphql-models-'));
  api = await startApi({ database: `gql_models_${process.pid}`, clock: () => NOW.getTime() });
  for (const version of ['1', '2'])
    await registerModel(api.database, aModelFolder(parent, { name: 'cars', version }), {
      by: 'ann',
      note: 'n',
      now: NOW,
    });
  const broken = aModelFolder(parent, { name: 'cars', version: '3', inputLimit: 0.01 });
  await registerModel(api.database, broken, { by: 'ann', note: '', now: NOW });
  const cars = [...simulateFleet({ seed: 3, cars: 50, messages: 1_000, start: SOME_INSTANT, stepSeconds: 10 })];
  const shadows = [{ model: 'cars@2', value: 2, threshold: 1, anomalous: true }];
  const score = { value: 0.5, threshold: 1, anomalous: false, model: 'cars@1', topSignals: [] };
  await api.database.collections.readings.insertMany(
    cars.map(({ car, at, signals }, n) => someReading(n, { car, at: new Date(at), signals, score, shadows })),
  );
});
afterAll(async () => {
  rmSync(parent, { recursive: true, force: true });
  await api.stop();
});

const roles = async () => {
  const { data } = await api.query<{ models: { id: string; role: string }[] }>('{ models { id role } }');
  return Object.fromEntries(data.models.map(({ id, role }) => [id, role]));
};
const change = (call: string) =>
  api.query<Record<string, { revision: number }>>(`mutation { ${call} { revision champion shadows } }`);

it('lists the models, activates, shadows, rolls back and retires them', async () => {
  expect(await roles()).toEqual({ 'cars@1': 'IDLE', 'cars@2': 'IDLE', 'cars@3': 'IDLE' });
  expect((await change('activateModel(model: "cars@1", by: "ann")')).data).toEqual({
    activateModel: { revision: 1, champion: 'cars@1', shadows: [] },
  });
  await change('shadowModel(model: "cars@2", by: "ann")');
  expect(await roles()).toEqual({ 'cars@1': 'CHAMPION', 'cars@2': 'SHADOW', 'cars@3': 'IDLE' });
  expect((await change('rollbackModel(by: "ann")')).data).toEqual({
    rollbackModel: { revision: 3, champion: null, shadows: ['cars@2'] },
  });
  await change('unshadowModel(model: "cars@2", by: "ann")');
  await change('retireModel(model: "cars@1", by: "ann")');
  expect(await roles()).toEqual({ 'cars@1': 'RETIRED', 'cars@2': 'IDLE', 'cars@3': 'IDLE' });
});

it('refuses with a code and the reason', async () => {
  const codes = async (call: string) =>
    (await change(call)).errors?.map(({ extensions, message }) => [extensions.code, message]);
  expect(await codes('activateModel(model: "cars@3", by: "ann")')).toEqual([
    ['MODEL_REFUSED', expect.stringMatching(/cars@3: golden reading \d+ must score/)],
  ]);
  expect(await codes('activateModel(model: "cars@9", by: "ann")')).toMatchObject([
    ['UNKNOWN_MODEL', expect.any(String)],
  ]);
  expect(await codes('shadowModel(model: "cars@1", by: "ann")')).toMatchObject([
    ['MODEL_CONFLICT', 'cars@1 is retired'],
  ]);
  expect(await codes('activateModel(model: "cars@2", by: " ")')).toMatchObject([['BAD_ARGUMENT', expect.any(String)]]);
  expect((await api.query<{ modelsInUse: unknown }>('{ modelsInUse { champion revision } }')).data.modelsInUse).toEqual(
    {
      champion: null,
      revision: 4,
    },
  );
});

it('compares a model in the shadow with the one in use', async () => {
  const from = new Date(SOME_INSTANT).toISOString();
  const to = new Date(SOME_INSTANT + 86_400_000).toISOString();
  const query = `{ modelComparison(model: "cars@2", from: "${from}", to: "${to}") { champion readings cars extra missing meanRatio } }`;
  expect((await api.query(query)).data).toEqual({
    modelComparison: [{ champion: 'cars@1', readings: 1_000, cars: 50, extra: 1_000, missing: 0, meanRatio: 2 }],
  });
  const backwards = query.replace(from, to).replace(`to: "${to}"`, `to: "${from}"`);
  expect((await api.query(backwards)).errors).toMatchObject([{ extensions: { code: 'BAD_RANGE' } }]);
});

it('says how far the fleet is from what a model was trained on', async () => {
  const from = new Date(SOME_INSTANT).toISOString();
  const to = new Date(SOME_INSTANT + 400_000).toISOString();
  const query = `{ drift(from: "${from}", to: "${to}") { model groups { firmware readings verdict signals { signal psi verdict } } } }`;
  const { data } = await api.query<{
    drift: {
      model: string;
      groups: { firmware: number | null; readings: number; signals: { signal: string; verdict: string }[] }[];
    };
  }>(query);
  expect(data.drift.model).toMatch(/^default@/);
  expect(data.drift.groups[0]).toMatchObject({ firmware: null, readings: 1_000 });
  const level = data.drift.groups[0]?.signals.find(({ signal }) => signal === 'accelerometer11');
  expect(level?.verdict).toBe('STABLE');
  const empty = query.replaceAll(from, '2001-01-01T00:00:00Z').replaceAll(to, '2001-01-02T00:00:00Z');
  expect((await api.query<{ drift: { groups: unknown[] } }>(empty)).data.drift.groups).toMatchObject([
    { readings: 0, verdict: null },
  ]);
});

it('the drift of the last day is a metric, and a fleet that is foreign to the model is said aloud once', async () => {
  const metrics = new Metrics({ processDefaults: false });
  const lines: string[] = [];
  const watch = new DriftWatch({
    database: api.database,
    fallbackDir: DEFAULT_MODEL,
    log: (level, line) => void lines.push(`${level} ${line}`),
    clock: () => SOME_INSTANT + 400_000,
    onDrift: (groups) => metrics.drift(groups),
    interval: 1_000,
  });
  await watch.look();
  expect(await metrics.text()).toMatch(/^fleet_twin_drift_psi\{signal="accelerometer11",firmware="all"\} 0\.0\d+$/m);
  expect(await metrics.text()).toMatch(/^fleet_twin_drift_psi\{signal="accelerometer11",firmware="2000"\} 0\.\d+$/m);
  await api.database.collections.readings.updateMany({}, [
    {
      $set: { 'signals.batteryVoltage': 1, 'signals.currentDraw': 1, 'signals.speed': 99, 'signals.coolantTemp': -60 },
    },
    { $set: { 'signals.accelerometer11': 9, 'signals.accelerometer12': 9, 'signals.throttlePos': 7 } },
  ]);
  await watch.look();
  await watch.look();
  expect(lines.filter((line) => line.startsWith('warn drift of the last day'))).toHaveLength(1);
});
