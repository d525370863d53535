import { existsSync } from 'node:fs';
import { findModel, withModelFolder } from '../registry/model-store.js';
import { loadScorer, type LoadedScorer } from '../score/load-scorer.js';
import type { Settings } from '../settings/settings.js';
import type { Database } from '../twin/database.js';
import { tell } from './terminal.js';

/**
 * A model by its folder or, where there is no such folder, by its name@version in the registry.
 * @throws RegistryError UNKNOWN_MODEL, BadModelError
 */
export async function loadModel(database: Database, settings: Settings, model: string): Promise<LoadedScorer> {
  const { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator } = settings;
  const load = (dir: string) => loadScorer({ dir, backend, evaluator, log: (_, line) => tell(line) });
  if (existsSync(model)) return load(model);
  return withModelFolder(database, await findModel(database, model), load);
}
