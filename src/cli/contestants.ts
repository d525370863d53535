import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RulesScorer } from '../evaluation/rules.js';
import { loadScorer, type LoadedScorer } from '../score/load-scorer.js';
import type { Settings } from '../settings/settings.js';
import { tell } from './terminal.js';

/** A model that takes part in an evaluation. */
export interface Contestant {
  readonly name: string;
  readonly scorer: Pick<LoadedScorer, 'model' | 'score' | 'threshold' | 'close'>;
}

const MODELS = 'models';

/**
 * The models of these names, each once: `champion` is the one in use, `rules` the hand-written ones, others a folder or the
 * name of one in models/. All are opened before anything is judged, so that a wrong name costs no time.
 * @param judged folder of the model that they are held against
 * @throws BadModelError
 */
export async function openContestants(names: readonly string[], judged: string, settings: Settings) {
  const opened: Contestant[] = [];
  try {
    for (const name of new Set(names)) {
      if (name === 'rules') opened.push({ name, scorer: new RulesScorer() });
      else if (resolve(folderOf(name, settings)) === resolve(judged)) tell(`${name} is the model that is judged`);
      else opened.push({ name, scorer: await openModel(folderOf(name, settings), settings) });
    }
    return opened;
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

export async function closeAll(contestants: readonly Contestant[]): Promise<void> {
  for (const { scorer } of contestants) await scorer.close();
}

export function openModel(dir: string, { TF_BACKEND: backend, SCORE_EVALUATOR: evaluator }: Settings) {
  return loadScorer({ dir, backend, evaluator, log: (_, line) => tell(line) });
}

function folderOf(name: string, { MODEL_DIR }: Settings): string {
  if (name === 'champion') return MODEL_DIR;
  return name.includes('/') || existsSync(join(name, 'metadata.json')) ? name : join(MODELS, name);
}
