import { setImmediate } from 'node:timers/promises';
import type { ArrayScored, ArrayScorer } from '../telemetry/array-reading.js';
import { readArrayFolder, type ArrayFolder, type ArrayMetadata } from './array-folder.js';
import { errorsOf, normalised } from './array-rows.js';
import { ExactChain } from './exact-chain.js';
import type { LoadOptions } from './load-scorer.js';
import { BadModelError } from './model-folder.js';
import { SteadyThread } from './steady-thread.js';
import { TensorflowThread } from './tensorflow-thread.js';
import type { Backend } from './tensorflow.js';
import type { Network } from './trusted-dense.js';

export interface LoadedArrayScorer extends ArrayScorer {
  readonly threshold: number;
  /** TensorFlow's, which checked the model; it scores where `evaluator` says so. */
  readonly backend: Backend;
  /** exact: double precision on this thread. */
  readonly evaluator: 'exact' | 'tensorflow';
  /** May be called twice; what is scored later comes back unscored. */
  close(): Promise<void>;
}

/** Rows of normalised values in, rows of reconstructions out. */
interface ArrayNetwork {
  /** Multiplications of one row on the calling thread. */
  readonly work: number;
  run(inputs: Float64Array, rows: number): Promise<ArrayLike<number>>;
  close(): Promise<void>;
}

/** Multiplications done without a look at the clock: a tenth of a millisecond. */
const STRETCH = 100_000;
/** Rows in one call of TensorFlow. */
const ELSEWHERE = 64;
/** ms of the event loop without a turn for others */
const LONGEST = 1;
/** What TensorFlow's single precision may differ by. */
const TENSORFLOW_TOLERANCE = 1e-5;
const EXACT_TOLERANCE = 1e-12;

/**
 * A model for arrays, ready to score: in double precision on this thread where TensorFlow gives the same, otherwise by
 * TensorFlow on a worker thread of its own.
 * @throws BadModelError where the folder holds no model for arrays, or one that fails its golden arrays
 */
export async function loadArrayScorer({ dir, backend, evaluator, log }: LoadOptions): Promise<LoadedArrayScorer> {
  const folder = readArrayFolder(dir);
  const { name, version } = folder.metadata;
  const exact = evaluator === 'tensorflow' ? 'the settings say so' : ExactChain.of(folder.network, folder.exactWeights);
  if (typeof exact !== 'string') {
    const reference = await TensorflowThread.start(backend, folder.network, () => undefined, 'process');
    try {
      await checkGolden(dir, folder, exactNetwork(exact), EXACT_TOLERANCE);
      await checkGolden(dir, folder, singleNetwork(reference), TENSORFLOW_TOLERANCE);
      log('info', `array model ${name}@${version} scores in double precision, checked against TensorFlow`, { dir });
      return new ReconstructionScorer(folder.metadata, exactNetwork(exact), reference.backend, 'exact');
    } finally {
      await reference.close();
    }
  }
  const thread = await SteadyThread.start(backend, folder.network, log);
  try {
    await checkGolden(dir, folder, singleNetwork(thread), TENSORFLOW_TOLERANCE);
  } catch (error) {
    await thread.close();
    throw error;
  }
  log('info', `array model ${name}@${version} scores with TensorFlow: ${exact}`, { dir });
  return new ReconstructionScorer(folder.metadata, singleNetwork(thread), thread.backend, 'tensorflow');
}

/** The largest difference of TensorFlow's errors from the exact ones, relative to them. */
export async function tensorflowDifference(folder: ArrayFolder, reference: Network, arrays: readonly Float64Array[]) {
  const exact = ExactChain.of(folder.network, folder.exactWeights);
  if (typeof exact === 'string') throw new Error(exact);
  const { normaliser } = folder.metadata;
  const inputs = normalised(arrays, normaliser);
  const wanted = exact.run(inputs, arrays.length);
  const got = await singleNetwork(reference).run(inputs, arrays.length);
  let largest = 0;
  for (const [row, values] of arrays.entries()) {
    const one = errorsOf(values, inputs, wanted, row * values.length, normaliser);
    const other = errorsOf(values, inputs, got, row * values.length, normaliser);
    const differences = [other.raw / one.raw - 1, other.standardised / one.standardised - 1];
    largest = Math.max(largest, ...differences.map(Math.abs));
  }
  return largest;
}

class ReconstructionScorer implements LoadedArrayScorer {
  readonly model: string;
  readonly width: number;
  readonly threshold: number;
  readonly #rows: number;

  constructor(
    private readonly metadata: ArrayMetadata,
    private readonly network: ArrayNetwork,
    readonly backend: Backend,
    readonly evaluator: LoadedArrayScorer['evaluator'],
  ) {
    this.model = `${metadata.name}@${metadata.version}`;
    this.width = metadata.inputs;
    this.threshold = metadata.threshold;
    // TensorFlow works elsewhere and likes many rows.
    this.#rows = network.work === 0 ? ELSEWHERE : Math.max(1, Math.floor(STRETCH / network.work));
  }

  /** Never rejects: a model that fails costs the scores, not the arrays. */
  async score(arrays: readonly Float64Array[]): Promise<ArrayScored[]> {
    const scored: ArrayScored[] = [];
    let since = performance.now();
    for (let start = 0; start < arrays.length; start += this.#rows) {
      // By the clock and not by the count: the first ones after the start take ten times as long.
      if (performance.now() - since >= LONGEST) {
        await setImmediate();
        since = performance.now();
      }
      scored.push(...(await this.#part(arrays.slice(start, start + this.#rows))));
    }
    return scored;
  }

  close(): Promise<void> {
    return this.network.close();
  }

  async #part(arrays: readonly Float64Array[]): Promise<ArrayScored[]> {
    try {
      const inputs = normalised(arrays, this.metadata.normaliser);
      const outputs = await this.network.run(inputs, arrays.length);
      return arrays.map((values, row) => this.#judged(values, inputs, outputs, row * this.width));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return arrays.map(() => ({ kind: 'unscored', reason }));
    }
  }

  #judged(values: Float64Array, inputs: Float64Array, outputs: ArrayLike<number>, start: number): ArrayScored {
    const { metadata, threshold, model } = this;
    const errors = errorsOf(values, inputs, outputs, start, metadata.normaliser);
    const value = errors[metadata.score];
    if (!Number.isFinite(errors.raw) || !Number.isFinite(errors.standardised))
      return { kind: 'unscored', reason: 'the model made no number of this array' };
    return { kind: 'scored', score: { value, threshold, anomalous: value > threshold, errors, model } };
  }
}

function exactNetwork(chain: ExactChain): ArrayNetwork {
  let open = true;
  return {
    work: chain.work,
    run: (inputs, rows) =>
      open ? Promise.resolve(chain.run(inputs, rows)) : Promise.reject(new Error('the model has been closed')),
    close: () => {
      open = false;
      return Promise.resolve();
    },
  };
}

/** Elsewhere and in single precision. */
function singleNetwork(network: Network): ArrayNetwork {
  return {
    work: 0,
    run: (inputs, rows) => network.run(Float32Array.from(inputs), rows),
    close: () => network.close(),
  };
}

/** @throws BadModelError where the network does not give what the folder says that it gave when it was made */
async function checkGolden(dir: string, { metadata }: ArrayFolder, network: ArrayNetwork, tolerance: number) {
  const { golden, normaliser } = metadata;
  for (const [array, { values, outputs, errors }] of golden.entries()) {
    const inputs = normalised([values], normaliser);
    const got = await network.run(inputs, 1);
    const found = errorsOf(values, inputs, got, 0, normaliser);
    const pairs = [
      ...outputs.map((wanted, place) => [`output ${place + 1}`, wanted, got[place]] as const),
      ['raw error', errors.raw, found.raw] as const,
      ['standardised error', errors.standardised, found.standardised] as const,
    ];
    for (const [what, wanted, value = NaN] of pairs) {
      // Not ">": a NaN must fail, too.
      if (Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted))) continue;
      throw new BadModelError(dir, `${what} of golden array ${array + 1} must be ${wanted} and is ${value}`);
    }
  }
}
