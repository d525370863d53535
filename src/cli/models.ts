import { existsSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Command } from 'commander';
import { writeArtefact } from '../registry/artefact.js';
import { change, overview, register, roleOf } from '../registry/lifecycle.js';
import { findModel, readModelFiles } from '../registry/model-store.js';
import { loadScorer } from '../score/load-scorer.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import type { ModelAction } from '../twin/model-documents.js';
import { compareCommand } from './models-compare.js';
import { importCommand } from './models-import.js';
import { answer } from './terminal.js';
import { withDatabase } from './with-database.js';

/** `fleet-twin models`: the registry, and which of its models score. */
export function modelsCommand(): Command {
  const models = new Command('models').description('the registered models, and which of them score');
  models
    .command('register')
    .description('checks a model folder and stores it; the same folder again changes nothing')
    .argument('<dir>', 'folder of the model')
    .option('--note <text>', 'where it comes from', '')
    .action((dir: string, { note }: { note: string }) =>
      withDatabase(async (database, settings) => {
        const registering = { by: userInfo().username, note, now: new Date() };
        const { _id, artefact } = await register(database, checkWith(settings), dir, registering);
        answer(`${_id} is registered, artefact ${artefact}`);
      }),
    );
  models
    .command('list')
    .description('every model, the newest first, and what it does')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => withDatabase((database) => list(database, json === true)));
  models
    .command('show')
    .description('one model with its files, as JSON')
    .argument('<model>', 'name@version')
    .action((id: string) =>
      withDatabase(async (database) => answer(JSON.stringify(await findModel(database, id), null, 1))),
    );
  models
    .command('fetch')
    .description('writes the folder of a registered model')
    .argument('<model>', 'name@version')
    .requiredOption('--out <dir>', 'folder that is made; it may not be there')
    .action((id: string, { out }: { out: string }) => withDatabase((database) => fetchModel(database, id, out)));
  for (const one of CHANGES) changeCommand(models, one);
  models.addCommand(compareCommand());
  models.addCommand(importCommand());
  return models;
}

interface ChangeCommand {
  readonly name: string;
  readonly action: ModelAction;
  readonly description: string;
}

const CHANGES: readonly ChangeCommand[] = [
  {
    name: 'activate',
    action: 'ACTIVATE',
    description: 'has a model score from now on, once its golden answers agree; ingest processes follow within seconds',
  },
  { name: 'shadow', action: 'SHADOW', description: 'has a model score beside the one in use, raising nothing' },
  { name: 'unshadow', action: 'UNSHADOW', description: 'takes a model out of the shadow' },
  { name: 'rollback', action: 'ROLLBACK', description: 'goes back to the model that scored before' },
  {
    name: 'retire',
    action: 'RETIRE',
    description: 'keeps a model from being used again; its files, and its name in old scores, stay',
  },
];

function changeCommand(models: Command, { name, action, description }: ChangeCommand): void {
  const command = models.command(name).description(description);
  if (action !== 'ROLLBACK') command.argument('<model>', 'name@version');
  command.action((model: unknown) =>
    withDatabase(async (database, settings) => {
      const wish = { action, model: typeof model === 'string' ? model : '', by: userInfo().username, now: new Date() };
      const { revision, champion, shadows } = await change(database, checkWith(settings), wish);
      const inUse = champion ?? `${settings.MODEL_DIR} (MODEL_DIR)`;
      answer(
        `revision ${revision}: ${inUse} scores${shadows.length > 0 ? `, in the shadow ${shadows.join(', ')}` : ''}`,
      );
    }),
  );
}

function checkWith({ TF_BACKEND: backend, SCORE_EVALUATOR: evaluator }: Settings) {
  return async (dir: string) => {
    const scorer = await loadScorer({ dir, backend, evaluator, log: () => undefined });
    await scorer.close();
  };
}

async function list(database: Database, json: boolean): Promise<void> {
  const { slots, models } = await overview(database);
  const rows = models.map((model) => {
    const { _id, kind, threshold, artefact, registeredAt, registeredBy: by, note } = model;
    return { model: _id, role: roleOf(model, slots), kind, threshold, artefact, registeredAt, by, note };
  });
  if (json) {
    answer(JSON.stringify({ revision: slots.revision, champion: slots.champion, models: rows }, null, 1));
    return;
  }
  for (const { model, role, kind, threshold, registeredAt, note } of rows) {
    const limit = threshold === null ? '' : `threshold ${threshold.toFixed(3)}`;
    answer([role.padEnd(8), model, kind, limit, registeredAt.toISOString(), note].join('  ').trimEnd());
  }
  if (slots.champion === null) answer('in use: the model of MODEL_DIR');
}

async function fetchModel(database: Database, id: string, out: string): Promise<void> {
  if (existsSync(out)) throw new Error(`${out} is there already`);
  const files = await readModelFiles(database, await findModel(database, id));
  mkdirSync(out, { recursive: true });
  writeArtefact(out, files);
  answer(`${id} is in ${out}`);
}
