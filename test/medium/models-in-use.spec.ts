import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutRecord } from '../../src/kafka/out-record.js';
import { announce } from '../../src/registry/announce.js';
import { registerModel } from '../../src/registry/model-store.js';
import { ModelsInUse } from '../../src/registry/models-in-use.js';
import { changeSlots, readSlots, warmUp, type Wish } from '../../src/registry/slots.js';
import { loadScorer } from '../../src/score/load-scorer.js';
import { openDatabase, prepareDatabase, type Database } from '../../src/twin/database.js';
import { DEFAULT_MODEL, aModelFolder } from '../builders/model.js';
import { databaseServers } from '../servers.js';
import { startProxy, type TcpProxy } from '../tcp-proxy.js';

const NOW = new Date('2026-01-01T12:00:00Z');
const quiet = () => undefined;

describe.each(databaseServers())('models in use when things go wrong on $name', (server) => {
  let running: { uri: string; stop(): Promise<void> };
  let proxy: TcpProxy;
  let database: Database;
  /** The same one by a way that can be cut. */
  let far: Database;
  let parent: string;
  /** Loaded models that are not closed. */
  let open: string[];

  beforeAll(async () => {
    running = await server.start();
  });
  afterAll(() => running?.stop());
  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), 'models-in-use-spec-'));
    const name = `models-${randomUUID().slice(0, 8)}`;
    const { hostname: host, port } = new URL(running.uri);
    proxy = await startProxy({ host, port: Number(port) });
    database = openDatabase(running.uri, name, 'models-in-use-spec');
    far = openDatabase(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, name, 'models-in-use-spec');
    await prepareDatabase(database, 0);
    open = [];
    for (const version of ['1', '2']) {
      const dir = aModelFolder(parent, { name: 'cars', version });
      await registerModel(database, dir, { by: 'ann', note: '', now: NOW });
    }
  });
  afterEach(async () => {
    rmSync(parent, { recursive: true, force: true });
    await far.client.close();
    await proxy.close();
    await database.db.dropDatabase();
    await database.client.close();
  });

  const load = async (dir: string) => {
    const scorer = await loadScorer({ dir, backend: 'auto', evaluator: 'auto', log: quiet });
    open.push(scorer.model);
    const close = () => {
      if (open.includes(scorer.model)) open.splice(open.indexOf(scorer.model), 1);
      return scorer.close();
    };
    const { model, backend, evaluator, threshold } = scorer;
    return { model, backend, evaluator, threshold, close, score: scorer.score.bind(scorer) };
  };
  const want = (action: Wish['action'], model = '') => changeSlots(database, { action, model, by: 'ann', now: NOW });
  const names = (models: ModelsInUse, atLeast = 0) =>
    models.use(atLeast, ({ champion, shadows }) => Promise.resolve([champion, ...shadows].map(({ model }) => model)));

  it('MongoDB that goes away while a model is read from it is waited for: no other model scores meanwhile', async () => {
    await want('ACTIVATE', 'cars@1');
    await want('SHADOW', 'cars@2');
    const fallback = await load(DEFAULT_MODEL);
    // The slots are still answered, and so is what is asked about as many models.
    let answered = 0;
    const collections = {
      ...database.collections,
      get models() {
        return answered-- > 0 ? database.collections.models : far.collections.models;
      },
    };
    const models = new ModelsInUse({
      database: { ...database, collections },
      fallback,
      load,
      log: quiet,
    });
    await far.db.command({ ping: 1 });
    proxy.cut();
    await expect(names(models)).rejects.toMatchObject({ retriable: true });
    answered = 1;
    await expect(names(models)).rejects.toMatchObject({ retriable: true });
    proxy.resume();
    expect(await names(models)).toEqual(['cars@1', 'cars@2']);
    expect(models.refused).toEqual([]);
    expect(open.toSorted()).toEqual([fallback.model, 'cars@1', 'cars@2'].toSorted());
    await models.close();
    expect(open).toEqual([]);
  }, 60_000);

  it('every model that was loaded is closed once nobody needs it, whatever it was loaded for', async () => {
    const fallback = await load(DEFAULT_MODEL);
    const models = new ModelsInUse({ database, fallback, load, log: quiet });
    await warmUp(database, 'cars@1', NOW);
    await names(models);
    expect(open).toContain('cars@1');
    let { revision } = await want('ACTIVATE', 'cars@1');
    expect(await names(models, revision)).toEqual(['cars@1']);
    expect(open.filter((one) => one === 'cars@1')).toHaveLength(1);
    ({ revision } = await want('SHADOW', 'cars@2'));
    expect(await names(models, revision)).toEqual(['cars@1', 'cars@2']);
    ({ revision } = await want('ACTIVATE', 'cars@2'));
    expect(await names(models, revision)).toEqual(['cars@2']);
    expect(open.toSorted()).toEqual([fallback.model, 'cars@2'].toSorted());
    // Warmed up by somebody who then thought better of it, and again while that is loaded.
    await warmUp(database, 'cars@1', NOW);
    await names(models, revision + 1);
    await warmUp(database, 'cars@1', new Date(NOW.getTime() + 1));
    await names(models, revision + 1);
    await warmUp(database, 'cars@2', new Date(NOW.getTime() + 2));
    await names(models, revision + 1);
    expect(open.toSorted()).toEqual([fallback.model, 'cars@2'].toSorted());
    ({ revision } = await want('ROLLBACK'));
    models.start();
    const last = names(models, revision).catch(({ retriable }: { retriable: boolean }) => ({ retriable }));
    await models.close();
    expect([['cars@1'], { retriable: true }]).toContainEqual(await last);
    expect(open).toEqual([]);
  }, 60_000);

  it('the newest revision is told last, also when a process tells an older one late', async () => {
    const topic: OutRecord[] = [];
    let arrive: () => void = () => undefined;
    const slow = {
      send: async (records: readonly OutRecord[]) => {
        if (topic.length === 0)
          await new Promise<void>((resolve) => {
            arrive = resolve;
          });
        topic.push(...records);
      },
    };
    const late = announce(database, await want('ACTIVATE', 'cars@1'), 'model-updates', slow);
    await announce(database, await want('ACTIVATE', 'cars@2'), 'model-updates', {
      send: (records) => Promise.resolve(void topic.push(...records)),
    });
    arrive();
    await late;
    expect(JSON.parse(String(topic.at(-1)?.value))).toMatchObject({ name: 'cars', active: '2', revision: 2 });
    expect(await readSlots(database)).toMatchObject({ announced: 2 });
    // Told is told.
    await announce(database, await readSlots(database), 'model-updates', slow);
    expect(topic).toHaveLength(3);
  });
});
