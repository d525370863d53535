import { DenseEvaluator } from './dense-evaluator.js';
import type { ReadingModel } from './reading-model.js';
import { seeded } from './seeded.js';

/** Evaluates a network: rows of inputs in, rows of outputs out. */
export interface Network {
  /** Rejects when the network cannot be evaluated, for now or at all. */
  run(inputs: Float32Array<ArrayBuffer>, rows: number): Promise<Float32Array>;
  /** May be called twice. */
  close(): Promise<void>;
}

/** The two may differ by so much, or by so much of a value above 1. */
const TOLERANCE = 1e-5;
const RANDOM_ROWS = 64;

/**
 * The fast evaluator of a model's network, when it gives what the reference gives: on the golden inputs, and on random ones
 * all over the range that the network is given.
 * @returns why it must not score, otherwise
 */
export async function trustedDense(
  { network, goldenNetwork, reach }: Pick<ReadingModel, 'network' | 'goldenNetwork' | 'reach'>,
  reference: Network,
): Promise<Network | string> {
  const dense = DenseEvaluator.of(network);
  if (typeof dense === 'string') return dense;
  for (const { inputs, outputs } of goldenNetwork) {
    const difference = differenceOf(dense.run(Float32Array.from(inputs), 1), outputs);
    if (difference !== null) return `a golden output ${difference}`;
  }
  const inputs = randomInputs(dense.inputs, reach);
  const expected = await reference.run(inputs.slice(), RANDOM_ROWS);
  const difference = differenceOf(dense.run(inputs, RANDOM_ROWS), expected);
  return difference === null ? new DenseNetwork(dense) : `an output ${difference}`;
}

/** @returns null where all agree */
export function differenceOf(got: Float32Array, expected: ArrayLike<number>): string | null {
  if (got.length !== expected.length) return `has ${got.length} numbers instead of ${expected.length}`;
  for (const [index, value] of got.entries()) {
    const wanted = expected[index] ?? NaN;
    // Not ">": a NaN must fail, too.
    const agrees = Math.abs(value - wanted) <= TOLERANCE * Math.max(1, Math.abs(wanted));
    if (!agrees) return `is ${value}, TensorFlow's is ${wanted}`;
  }
  return null;
}

function randomInputs(width: number, limit: number): Float32Array<ArrayBuffer> {
  const random = seeded(width);
  const inputs = new Float32Array(RANDOM_ROWS * width);
  // Each row's reach is its own: large inputs saturate the network, small ones do not.
  for (let at = 0; at < inputs.length; at++)
    inputs[at] = (2 * random() - 1) * limit * (Math.floor(at / width + 1) / RANDOM_ROWS);
  return inputs;
}

class DenseNetwork implements Network {
  #dense: DenseEvaluator | null;

  constructor(dense: DenseEvaluator) {
    this.#dense = dense;
  }

  run(inputs: Float32Array<ArrayBuffer>, rows: number): Promise<Float32Array> {
    if (this.#dense === null) return Promise.reject(new Error('the model has been closed'));
    return Promise.resolve(this.#dense.run(inputs, rows));
  }

  close(): Promise<void> {
    this.#dense = null;
    return Promise.resolve();
  }
}
