import { denseKernel, type DenseKernel } from './dense-kernel.js';
import { denseLayersOf, type DenseLayer } from './dense-layers.js';
import type { NetworkFiles } from './model-folder.js';

/** Rows in one run: a few hundred microseconds for a network of some thousand weights. */
const CAPACITY = 512;
/** A run of larger networks would hold the event loop for longer than some milliseconds; TensorFlow has a thread of its own. */
const MOST_WEIGHTS = 20_000;
const MOST_UNITS = 1_000;

/** What of WebAssembly is used here; the types of Node leave it out. */
interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly run: (rows: number) => void;
}

/**
 * A chain of dense layers as WebAssembly vector code, made for its shapes when it is loaded: rows in, rows out, on the
 * calling thread, in single precision. It sums in another order than TensorFlow, so results agree to about 1e-6.
 */
export class DenseEvaluator {
  readonly inputs: number;
  readonly outputs: number;
  readonly #kernel: DenseKernel;
  readonly #numbers: Float32Array;
  readonly #run: (rows: number) => void;

  private constructor(layers: readonly DenseLayer[], kernel: DenseKernel, host: WebAssemblyHost) {
    this.inputs = layers[0]?.inputs ?? 0;
    this.outputs = layers.at(-1)?.units ?? 0;
    this.#kernel = kernel;
    const { memory, run } = new host.Instance(new host.Module(kernel.module)).exports as Exports;
    this.#numbers = new Float32Array(memory.buffer);
    this.#run = run;
    for (const { at, values } of kernel.constants) this.#numbers.set(values, at / 4);
  }

  /** @returns why the network cannot be evaluated here, otherwise */
  static of(network: NetworkFiles): DenseEvaluator | string {
    const layers = denseLayersOf(network);
    if (typeof layers === 'string') return layers;
    const tooLarge = tooLargeFor(layers);
    if (tooLarge !== null) return tooLarge;
    const { WebAssembly: host } = globalThis as unknown as { WebAssembly?: WebAssemblyHost };
    const kernel = denseKernel(layers, CAPACITY);
    if (host?.validate(kernel.module) !== true) return 'this machine has no WebAssembly vectors';
    return new DenseEvaluator(layers, kernel, host);
  }

  /**
   * @param inputs rows × `inputs`
   * @returns rows × `outputs`; a row with a NaN among its inputs gives NaNs
   */
  run(inputs: Float32Array, rows: number): Float32Array<ArrayBuffer> {
    const outputs = new Float32Array(rows * this.outputs);
    for (let start = 0; start < rows; start += CAPACITY) {
      const count = Math.min(CAPACITY, rows - start);
      this.#put(inputs, start, count);
      this.#run(count);
      this.#take(outputs, start, count);
    }
    return outputs;
  }

  #put(inputs: Float32Array, start: number, count: number): void {
    const { input, inputStride: stride } = this.#kernel;
    const width = this.inputs;
    if (stride === width) return this.#numbers.set(inputs.subarray(start * width, (start + count) * width), input / 4);
    for (let row = 0; row < count; row++) {
      const at = (start + row) * width;
      this.#numbers.set(inputs.subarray(at, at + width), input / 4 + row * stride);
    }
  }

  #take(outputs: Float32Array, start: number, count: number): void {
    const { output, outputStride: stride } = this.#kernel;
    const width = this.outputs;
    for (let row = 0; row < count; row++) {
      const at = output / 4 + row * stride;
      outputs.set(this.#numbers.subarray(at, at + width), (start + row) * width);
    }
  }
}

/** @returns what of it is too much for the event loop; null for nothing */
function tooLargeFor(layers: readonly DenseLayer[]): string | null {
  const weights = layers.reduce((sum, { kernel, bias }) => sum + kernel.length + bias.length, 0);
  if (weights > MOST_WEIGHTS) return `it has ${weights} weights, more than ${MOST_WEIGHTS}`;
  const widest = Math.max(layers[0]?.inputs ?? 0, ...layers.map(({ units }) => units));
  return widest > MOST_UNITS ? `a layer is ${widest} wide, more than ${MOST_UNITS}` : null;
}
