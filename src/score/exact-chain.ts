import { denseLayersOf, type Activation } from './dense-layers.js';
import type { NetworkFiles } from './model-folder.js';

/** A dense layer in double precision. */
interface ExactLayer {
  readonly inputs: number;
  readonly units: number;
  readonly activation: Activation;
  /** inputs × units, row by row */
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
}

/** A chain of dense layers in double precision, on the calling thread: what other evaluators are measured against. */
export class ExactChain {
  readonly inputs: number;
  readonly outputs: number;
  /** Multiplications for one row. */
  readonly work: number;
  readonly #layers: readonly ExactLayer[];

  private constructor(layers: readonly ExactLayer[]) {
    this.#layers = layers;
    this.inputs = layers[0]?.inputs ?? 0;
    this.outputs = layers.at(-1)?.units ?? 0;
    this.work = layers.reduce((sum, { kernel }) => sum + kernel.length, 0);
  }

  /**
   * @param weights in the order of the network's own, which are these rounded to single precision
   * @returns why the network cannot be evaluated here, otherwise
   */
  static of(network: NetworkFiles, weights: Float64Array): ExactChain | string {
    const layers = denseLayersOf(network);
    if (typeof layers === 'string') return layers;
    const single = new Float32Array(network.weightData);
    if (weights.length !== single.length) return `there are ${weights.length} exact weights for ${single.length}`;
    const strange = weights.findIndex((weight, place) => Math.fround(weight) !== single[place]);
    if (strange >= 0) return `exact weight ${strange + 1} is ${weights[strange]}, the network's is ${single[strange]}`;
    const exact = (values: Float32Array) =>
      values.buffer === network.weightData
        ? weights.subarray(values.byteOffset / 4, values.byteOffset / 4 + values.length)
        : Float64Array.from(values);
    return new ExactChain(layers.map((layer) => ({ ...layer, kernel: exact(layer.kernel), bias: exact(layer.bias) })));
  }

  /**
   * @param inputs rows × `inputs`
   * @returns rows × `outputs`; a row with a NaN among its inputs gives NaNs
   */
  run(inputs: Float64Array, rows: number): Float64Array {
    let flow = inputs;
    for (const layer of this.#layers) flow = layerOutputs(layer, flow, rows);
    return flow;
  }
}

function layerOutputs({ inputs, units, kernel, bias, activation }: ExactLayer, flow: Float64Array, rows: number) {
  const outputs = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    const sums = outputs.subarray(row * units, (row + 1) * units);
    sums.set(bias);
    const values = flow.subarray(row * inputs, (row + 1) * inputs);
    let i = 0;
    for (; i + 4 <= inputs; i += 4) addFour(sums, values, kernel, i);
    for (; i < inputs; i++) addOne(sums, values[i] as number, kernel, i * units);
  }
  activate(outputs, activation);
  return outputs;
}

/** Four inputs in one go over the sums: half the time of one after the other. */
function addFour(sums: Float64Array, values: Float64Array, kernel: Float64Array, input: number): void {
  const units = sums.length;
  const [a, b, c, d] = [values[input], values[input + 1], values[input + 2], values[input + 3]] as FourNumbers;
  const first = input * units;
  const second = first + units;
  const third = second + units;
  const fourth = third + units;
  for (let unit = 0; unit < units; unit++)
    sums[unit] =
      (sums[unit] as number) +
      a * (kernel[first + unit] as number) +
      b * (kernel[second + unit] as number) +
      c * (kernel[third + unit] as number) +
      d * (kernel[fourth + unit] as number);
}

type FourNumbers = [number, number, number, number];

function addOne(sums: Float64Array, value: number, kernel: Float64Array, start: number): void {
  for (let unit = 0; unit < sums.length; unit++)
    sums[unit] = (sums[unit] as number) + value * (kernel[start + unit] as number);
}

function activate(values: Float64Array, activation: Activation): void {
  const of = FUNCTIONS[activation];
  if (of === null) return;
  for (let i = 0; i < values.length; i++) values[i] = of(values[i] as number);
}

const FUNCTIONS: Readonly<Record<Activation, ((value: number) => number) | null>> = {
  linear: null,
  relu: (value) => (value < 0 ? 0 : value),
  tanh: Math.tanh,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};
