import { FeaturesModel } from './features-model.js';
import { checkGolden } from './golden-check.js';
import { BadModelError, readKind } from './model-folder.js';
import { NetworkScorer, type LoadedScorer } from './network-scorer.js';
import type { ReadingModel } from './reading-model.js';
import { SequenceModel } from './sequence-model.js';
import { SignalsModel } from './signals-model.js';
import { SteadyThread, type ScoreLog } from './steady-thread.js';
import { TensorflowThread } from './tensorflow-thread.js';
import type { BackendChoice } from './tensorflow.js';
import { trustedDense } from './trusted-dense.js';

export type { LoadedScorer };

export interface LoadOptions {
  readonly dir: string;
  readonly backend: BackendChoice;
  /** `auto`: the fast evaluator scores when it agrees with TensorFlow, which is the reference. */
  readonly evaluator: 'auto' | 'tensorflow';
  readonly log: ScoreLog;
}

/** How the folder of each kind is read. */
const KINDS = new Map<string, (dir: string) => ReadingModel>([
  ['autoencoder', (dir) => FeaturesModel.read(dir)],
  ['signals', (dir) => SignalsModel.read(dir)],
  ['sequence', (dir) => SequenceModel.read(dir)],
]);

/**
 * A model, ready to score: by vector code on this thread where that gives what TensorFlow gives, otherwise by TensorFlow on a
 * worker thread of its own.
 * @throws BadModelError where the folder holds no model, one of a kind that is not known, or one that fails its golden inputs
 */
export async function loadScorer({ dir, backend, evaluator, log }: LoadOptions): Promise<LoadedScorer> {
  const model = readReadingModel(dir);
  const refused = evaluator === 'tensorflow' ? 'the settings say so' : await denseScorer(model, { dir, backend, log });
  if (typeof refused !== 'string') return refused;
  const thread = await SteadyThread.start(backend, model.network, log);
  const scorer = new NetworkScorer(model, thread, thread.backend, 'tensorflow');
  try {
    await checkGolden(dir, model, scorer, thread);
  } catch (error) {
    await scorer.close();
    throw error;
  }
  log('info', `model ${scorer.model} scores with TensorFlow, ${backendOf(thread)}: ${refused}`, { dir });
  return scorer;
}

/** @throws BadModelError */
function readReadingModel(dir: string): ReadingModel {
  const kind = readKind(dir);
  const read = KINDS.get(kind);
  if (read) return read(dir);
  throw new BadModelError(dir, `its kind is ${kind}; readings of cars are scored by ${[...KINDS.keys()].join(', ')}`);
}

/**
 * Asks TensorFlow in a process of its own, which is gone when this returns.
 * @returns why TensorFlow has to score, otherwise
 */
async function denseScorer(
  model: ReadingModel,
  { dir, backend, log }: Omit<LoadOptions, 'evaluator'>,
): Promise<LoadedScorer | string> {
  const reference = await TensorflowThread.start(backend, model.network, () => undefined, 'process');
  try {
    const dense = await trustedDense(model, reference);
    if (typeof dense === 'string') return dense;
    const scorer = new NetworkScorer(model, dense, reference.backend, 'dense');
    await checkGolden(dir, model, scorer, dense);
    const checked = `checked against TensorFlow, ${backendOf(reference)}`;
    log('info', `model ${scorer.model} scores with WebAssembly vectors, ${checked}`, { dir });
    return scorer;
  } finally {
    await reference.close();
  }
}

function backendOf({ backend, whyNotNative }: Pick<TensorflowThread, 'backend' | 'whyNotNative'>): string {
  return `${backend} backend${whyNotNative === null ? '' : ` (native does not load: ${whyNotNative})`}`;
}
