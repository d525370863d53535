import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readArtefact } from '../../src/registry/artefact.js';
import { change, overview, register, roleOf } from '../../src/registry/lifecycle.js';
import { ModelsInUse } from '../../src/registry/models-in-use.js';
import { findModel, readModelFiles, registerModel } from '../../src/registry/model-store.js';
import { changeSlots, readSlots, type Wish } from '../../src/registry/slots.js';
import { scoreByPanel } from '../../src/pipeline/score-by-panel.js';
import { scoreInRounds } from '../../src/pipeline/score-in-rounds.js';
import { loadScorer } from '../../src/score/load-scorer.js';
import { simulateFleet } from '../../src/simulator/fleet.js';
import { openDatabase, prepareDatabase, type Database } from '../../src/twin/database.js';
import { DEFAULT_MODEL, aModelFolder } from '../builders/model.js';
import { databaseServers } from '../servers.js';

const REFERENCE = 'models/reference';
const NOW = new Date('2026-01-01T12:00:00Z');
const REGISTERING = { by: 'ann', note: 'a test', now: NOW };
const quiet = () => undefined;
const load = (dir: string) => loadScorer({ dir, backend: 'auto', evaluator: 'auto', log: quiet });
const check = async (dir: string) => (await load(dir)).close();
const wish = (action: Wish['action'], model = ''): Wish => ({ action, model, by: 'ann', now: NOW });

/** Those of the shipped model, the first one under another name. */
function otherFeatures(): object[] {
  const metadata = JSON.parse(readFileSync(join(DEFAULT_MODEL, 'metadata.json'), 'utf8')) as { features: object[] };
  return metadata.features.map((feature, index) => (index === 0 ? { ...feature, name: 'oilPressure' } : feature));
}

describe.each(databaseServers())('the registry on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let database: Database;
  let parent: string;

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'registry-spec-'));
    database = openDatabase(running.uri, `registry-${randomUUID().slice(0, 8)}`, 'registry-spec');
    await prepareDatabase(database, 0);
  });
  afterEach(async () => {
    rmSync(parent, { recursive: true, force: true });
    await database.db.dropDatabase();
    await database.client.close();
  });
  const store = (version: string, changes: object = {}) =>
    registerModel(database, aModelFolder(parent, { name: 'cars', version, ...changes }), REGISTERING);
  const stored = () => database.db.collection('modelFiles.files').countDocuments();

  it('gives back the very files, and stores the same artefact once', async () => {
    const dir = aModelFolder(parent, { name: 'cars', version: '1' });
    const model = await registerModel(database, dir, REGISTERING);
    const files = await stored();
    expect(await registerModel(database, dir, { ...REGISTERING, by: 'bob' })).toEqual(model);
    expect(await stored()).toBe(files);
    expect(await readModelFiles(database, model)).toEqual(readArtefact(dir).files);
    expect(model).toMatchObject({ _id: 'cars@1', artefact: readArtefact(dir).sha256, registeredBy: 'ann' });
  });

  it('a name and version stand for one artefact: another one under them is refused', async () => {
    await store('1');
    await expect(store('1', { threshold: 2 })).rejects.toThrow('cars@1 is registered with the artefact');
    const both = await Promise.allSettled([store('2'), store('2')]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await database.collections.models.countDocuments({ _id: 'cars@2' })).toBe(1);
  });

  it('what a cut-off registration left is removed, what models name is kept', async () => {
    const model = await store('1');
    const bucket = database.db.collection('modelFiles.files');
    await bucket.insertOne({
      length: 0,
      chunkSize: 261_120,
      uploadDate: new Date(NOW.getTime() - 86_400_000),
      filename: 'x',
    });
    await bucket.updateMany({}, { $set: { uploadDate: new Date(NOW.getTime() - 86_400_000) } });
    await store('2');
    expect(await bucket.countDocuments({ filename: 'x' })).toBe(0);
    expect(await readModelFiles(database, model)).toHaveLength(model.files.length);
  });

  it('stored bytes that changed are noticed', async () => {
    const model = await store('1');
    const weights = model.files.find(({ path }) => path === 'weights.bin');
    const chunks = database.db.collection<{ files_id: unknown; data: Buffer }>('modelFiles.chunks');
    await chunks.updateOne({ files_id: weights?.file }, { $set: { data: Buffer.alloc(weights?.length ?? 0, 1) } });
    await expect(readModelFiles(database, model)).rejects.toThrow('are not those that were registered');
  });

  it('refuses folders and models that fail their golden answers, with the difference, and leaves all as it was', async () => {
    const dir = aModelFolder(parent, { name: 'cars', version: '9', inputLimit: 0.01 });
    await expect(register(database, check, dir, REGISTERING)).rejects.toMatchObject({
      code: 'MODEL_REFUSED',
      message: expect.stringMatching(/golden reading \d+ must score [\d.]+ and scores [\d.]+/) as string,
    });
    expect(await database.collections.models.countDocuments()).toBe(0);
    const other = aModelFolder(parent, { name: 'cars', version: '8', features: otherFeatures() });
    await expect(register(database, check, other, REGISTERING)).rejects.toMatchObject({
      code: 'MODEL_REFUSED',
      message: expect.stringMatching(
        /it has oilPressure, which this program does not know; it lacks vibrationPerSpeed/,
      ) as string,
    });
    await registerModel(database, dir, REGISTERING);
    await expect(change(database, check, wish('ACTIVATE', 'cars@9'))).rejects.toMatchObject({ code: 'MODEL_REFUSED' });
    expect(await readSlots(database)).toMatchObject({ revision: 0, champion: null, warming: null });
    writeFileSync(join(dir, 'metadata.json'), '{"name":"cars"');
    await expect(register(database, check, dir, REGISTERING)).rejects.toMatchObject({ code: 'MODEL_REFUSED' });
  });

  it('says what every model does', async () => {
    for (const version of ['1', '2', '3', '4']) await store(version);
    await changeSlots(database, wish('ACTIVATE', 'cars@2'));
    await changeSlots(database, wish('SHADOW', 'cars@3'));
    await changeSlots(database, wish('RETIRE', 'cars@4'));
    const { slots, models } = await overview(database);
    expect(Object.fromEntries(models.map((model) => [model.version, roleOf(model, slots)]))).toEqual({
      '1': 'IDLE',
      '2': 'CHAMPION',
      '3': 'SHADOW',
      '4': 'RETIRED',
    });
    await expect(changeSlots(database, wish('ACTIVATE', 'cars@4'))).rejects.toMatchObject({ code: 'MODEL_CONFLICT' });
    await expect(changeSlots(database, wish('SHADOW', 'cars@7'))).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
    await expect(findModel(database, 'cars@7')).rejects.toThrow('there is no model cars@7; the newest are');
  });

  it('many at once: each change is made once, and no model is both retired and in use', async () => {
    for (let version = 1; version <= 6; version += 1) await store(String(version));
    const wishes = [1, 2, 3, 4, 5, 6].flatMap((version) => [
      changeSlots(database, wish('ACTIVATE', `cars@${version}`)),
      changeSlots(database, wish('RETIRE', `cars@${version}`)),
    ]);
    const outcomes = await Promise.allSettled(wishes);
    const { slots, models } = await overview(database);
    const activated = outcomes.filter(({ status }, index) => status === 'fulfilled' && index % 2 === 0).length;
    expect(slots.revision).toBe(activated);
    expect(slots.changes.map(({ revision }) => revision)).toEqual(
      Array.from({ length: activated }, (_, index) => index + 1),
    );
    expect(models.filter(({ _id, retiredAt }) => retiredAt !== null && _id === slots.champion)).toEqual([]);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'MODEL_CONFLICT' });
  });

  describe('the models in use', () => {
    let models: ModelsInUse;
    const lines: string[] = [];
    beforeEach(async () => {
      const fallback = await load(DEFAULT_MODEL);
      models = new ModelsInUse({ database, fallback, load, log: (_level, line) => void lines.push(line) });
      models.start();
    });
    afterEach(() => models.close());
    const champion = (atLeast = 0) => models.use(atLeast, ({ champion: one }) => Promise.resolve(one.model));

    it('are those of the settings, then those of the registry; a batch under way keeps its model', async () => {
      const own = await champion();
      await store('1');
      const { revision } = await changeSlots(database, wish('ACTIVATE', 'cars@1'));
      let finish: () => void = () => undefined;
      const under = models.use(0, async ({ champion: one }) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return one.model;
      });
      expect(await champion(revision)).toBe('cars@1');
      finish();
      expect([own, 'cars@1']).toContain(await under);
      await changeSlots(database, wish('ROLLBACK'));
      expect(await champion(revision + 1)).toBe(own);
    });

    it('a model that cannot be loaded leaves the one before in its place, and is named', async () => {
      await store('1');
      await store('2', { inputLimit: 0.01 });
      await changeSlots(database, wish('ACTIVATE', 'cars@1'));
      const { revision } = await changeSlots(database, wish('ACTIVATE', 'cars@2'));
      expect(await champion(1)).toBeTypeOf('string');
      expect(await champion(revision)).toMatch(/^(cars@1|default@.*)$/);
      expect(models.refused).toEqual(['cars@2']);
      const third = await changeSlots(database, wish('ROLLBACK'));
      expect(await champion(third.revision)).toBe('cars@1');
      expect(models.refused).toEqual([]);
    });

    it('shadows come and go', async () => {
      await store('1');
      await store('2');
      const shadows = (atLeast: number) =>
        models.use(atLeast, ({ shadows: those }) => Promise.resolve(those.map(({ model }) => model)));
      await changeSlots(database, wish('SHADOW', 'cars@1'));
      await changeSlots(database, wish('SHADOW', 'cars@2'));
      expect(await shadows(2)).toEqual(['cars@1', 'cars@2']);
      await changeSlots(database, wish('ACTIVATE', 'cars@2'));
      expect(await shadows(3)).toEqual(['cars@1']);
      await changeSlots(database, wish('UNSHADOW', 'cars@1'));
      expect(await shadows(4)).toEqual([]);
    });

    it('a model of another kind scores the same readings beside it, and can take its place', async () => {
      const { _id } = await registerModel(database, REFERENCE, REGISTERING);
      await changeSlots(database, wish('SHADOW', _id));
      const cars = [...simulateFleet({ cars: 20, seed: 5, start: 0, stepSeconds: 10, messages: 60 })];
      const classified = cars.map(({ car, at, signals }) => ({
        reading: { car, at, signals, skewedAt: null, label: null },
        arrival: 'new' as const,
      }));
      const { scores, shadows } = await models.use(1, (panel) => scoreByPanel(classified, () => null, panel));
      const alone = await load(REFERENCE);
      const expected = await scoreInRounds(classified, () => null, alone);
      await alone.close();
      expect(scores.map((one) => one?.kind)).toEqual(cars.map(() => 'scored'));
      expect(shadows.map(([beside]) => beside)).toEqual(expected.map((scored) => ({ model: _id, scored })));
      const { revision } = await changeSlots(database, wish('ACTIVATE', _id));
      expect(await champion(revision)).toBe(_id);
    });

    it('follows within seconds without being asked', async () => {
      await store('1');
      await changeSlots(database, wish('ACTIVATE', 'cars@1'));
      for (let tries = 0; tries < 200 && (await champion()) !== 'cars@1'; tries += 1) await pause(50);
      expect(await champion()).toBe('cars@1');
    });
  });
});
