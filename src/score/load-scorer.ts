import { setImmediate } from 'node:timers/promises';
import type { Scored, Scorer, ToScore } from '../telemetry/score.js';
import { noSignals } from '../telemetry/signals.js';
import { FEATURES, FEATURES_ID, FEATURE_COUNT, readFeatures, stateOf } from './features.js';
import { Judge } from './judge.js';
import { BadModelError, readModelFolder, type ModelFolder, type ModelMetadata } from './model-folder.js';
import { SteadyThread, type ScoreLog } from './steady-thread.js';
import { TensorflowThread } from './tensorflow-thread.js';
import type { Backend, BackendChoice } from './tensorflow.js';
import { trustedDense, type Network } from './trusted-dense.js';

export interface LoadOptions {
  readonly dir: string;
  readonly backend: BackendChoice;
  /** `auto`: the fast evaluator scores when it agrees with TensorFlow, which is the reference. */
  readonly evaluator: 'auto' | 'tensorflow';
  readonly log: ScoreLog;
}

export interface LoadedScorer extends Scorer {
  /** TensorFlow's, which checked the model; it scores where `evaluator` says so. */
  readonly backend: Backend;
  readonly evaluator: 'dense' | 'tensorflow';
  /** A reading that scores above it is anomalous. */
  readonly threshold: number;
  /** May be called twice; what is scored later comes back unscored. */
  close(): Promise<void>;
}

/** Readings that are worked on at a stretch: about a millisecond of the event loop. */
const PART = 512;
/** What backends may differ by. */
const GOLDEN_TOLERANCE = 1e-4;

/**
 * A model, ready to score: by vector code on this thread where that gives what TensorFlow gives, otherwise by TensorFlow on a
 * worker thread of its own.
 * @throws BadModelError where the folder holds no model, one for other features, or one that fails its golden inputs
 */
export async function loadScorer({ dir, backend, evaluator, log }: LoadOptions): Promise<LoadedScorer> {
  const folder = readModelFolder(dir);
  checkFeatures(dir, folder.metadata);
  const refused = evaluator === 'tensorflow' ? 'the settings say so' : await denseScorer(folder, { dir, backend, log });
  if (typeof refused !== 'string') return refused;
  const thread = await SteadyThread.start(backend, folder.network, log);
  const scorer = new AutoencoderScorer(folder, thread, thread.backend, 'tensorflow');
  try {
    await checkGolden(dir, folder.metadata, scorer, thread);
  } catch (error) {
    await scorer.close();
    throw error;
  }
  log('info', `model ${scorer.model} scores with TensorFlow, ${backendOf(thread)}: ${refused}`, { dir });
  return scorer;
}

/**
 * Asks TensorFlow in a process of its own, which is gone when this returns.
 * @returns why TensorFlow has to score, otherwise
 */
async function denseScorer(
  folder: ModelFolder,
  { dir, backend, log }: Omit<LoadOptions, 'evaluator'>,
): Promise<LoadedScorer | string> {
  const reference = await TensorflowThread.start(backend, folder.network, () => undefined, 'process');
  try {
    const dense = await trustedDense(folder, reference);
    if (typeof dense === 'string') return dense;
    const scorer = new AutoencoderScorer(folder, dense, reference.backend, 'dense');
    await checkGolden(dir, folder.metadata, scorer, dense);
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

class AutoencoderScorer implements LoadedScorer {
  readonly model: string;
  readonly threshold: number;
  readonly #judge: Judge;

  constructor(
    { metadata }: ModelFolder,
    private readonly network: Network,
    readonly backend: Backend,
    readonly evaluator: LoadedScorer['evaluator'],
  ) {
    this.model = `${metadata.name}@${metadata.version}`;
    this.threshold = metadata.threshold;
    this.#judge = new Judge(metadata);
  }

  async score(batch: readonly ToScore[]): Promise<Scored[]> {
    const parts: Promise<Reconstructed>[] = [];
    for (let start = 0; start < batch.length; start += PART) {
      if (start > 0) await setImmediate();
      parts.push(this.#reconstruct(batch.slice(start, start + PART)));
    }
    const scored: Scored[] = [];
    for (const part of parts) {
      // Answers may have come in together; each is worked on in a turn of its own.
      if (scored.length > 0) await setImmediate();
      scored.push(...this.#judged(await part));
    }
    return scored;
  }

  close(): Promise<void> {
    return this.network.close();
  }

  /** Never rejects: a model that fails costs the scores, not the readings. */
  async #reconstruct(part: readonly ToScore[]): Promise<Reconstructed> {
    try {
      const values = new Float64Array(part.length * FEATURE_COUNT);
      const states = part.map(({ reading, memory }, row) =>
        readFeatures(reading, stateOf(memory), values, row * FEATURE_COUNT),
      );
      const outputs = await this.network.run(this.#judge.toInputs(values), part.length);
      return { kind: 'reconstructed', values, states, outputs };
    } catch (error) {
      return { kind: 'failed', count: part.length, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #judged(part: Reconstructed): Scored[] {
    if (part.kind === 'failed')
      return Array.from({ length: part.count }, () => ({ kind: 'unscored', reason: part.reason }));
    return part.states.map((state, row): Scored => {
      const score = this.#judge.score(part.values, part.outputs, row * FEATURE_COUNT);
      if (score === null) return { kind: 'unscored', reason: 'the model made no number of this reading' };
      return { kind: 'scored', score, memory: { features: FEATURES_ID, state } };
    });
  }
}

type Reconstructed =
  | {
      readonly kind: 'reconstructed';
      /** rows × features, normalised */
      readonly values: Float64Array;
      readonly states: readonly (readonly number[])[];
      readonly outputs: Float32Array;
    }
  | { readonly kind: 'failed'; readonly count: number; readonly reason: string };

function checkFeatures(dir: string, { featuresId, features }: ModelMetadata): void {
  const given = features.map(({ name }) => name).join(' ');
  const known = FEATURES.map(({ name }) => name).join(' ');
  if (featuresId !== FEATURES_ID || given !== known)
    throw new BadModelError(dir, `it wants the features ${featuresId}, this program has ${FEATURES_ID}`);
}

/** The network's own answers see any change of a weight; the scores see one of everything else. */
async function checkGolden(dir: string, metadata: ModelMetadata, scorer: Scorer, thread: Network): Promise<void> {
  const { golden, goldenNetwork } = metadata;
  for (const { inputs, outputs } of goldenNetwork) {
    const got = await thread.run(Float32Array.from(inputs), 1);
    outputs.forEach((expected, index) => {
      const value = got[index] ?? NaN;
      if (Math.abs(value - expected) <= GOLDEN_TOLERANCE * Math.max(1, Math.abs(expected))) return;
      throw new BadModelError(dir, `golden output ${index + 1} must be ${expected} and is ${value}`);
    });
  }
  for (const { readings, scores } of golden) {
    const got = await scoresInOrder(scorer, readings);
    scores.forEach((expected, index) => {
      const value = got[index] ?? NaN;
      // Not ">": a NaN must fail, too.
      if (Math.abs(value - expected) <= GOLDEN_TOLERANCE * Math.max(1, expected)) return;
      throw new BadModelError(dir, `golden reading ${index + 1} must score ${expected} and scores ${value}`);
    });
  }
}

/** The scores of one car's readings, from an empty memory; NaN where there is none. */
export async function scoresInOrder(
  scorer: Scorer,
  readings: ModelMetadata['golden'][number]['readings'],
): Promise<number[]> {
  const scores: number[] = [];
  let memory: ToScore['memory'] = null;
  for (const { at, signals } of readings) {
    const reading = { car: 'golden', at, skewedAt: null, signals: { ...noSignals(), ...signals }, label: null };
    const [scored]: Scored[] = await scorer.score([{ reading, memory }]);
    if (scored?.kind === 'scored') ({ memory } = scored);
    scores.push(scored?.kind === 'scored' ? scored.score.value : NaN);
  }
  return scores;
}
