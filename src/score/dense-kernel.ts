import type { Activation, DenseLayer } from './dense-layers.js';
import { WasmCode, wasmModule } from './wasm-code.js';

/** Numbers in a vector. */
const LANES = 4;
const VECTOR = 16;
const PAGE = 65_536;
/** Sums that are carried side by side: with the operands they fit into sixteen registers. */
const MOST_SUMS = 12;

// Integer locals; 0 is the argument: the rows left.
const [ROWS, INPUT, OUTPUT, SOURCE, WEIGHTS] = [0, 1, 2, 3, 4];
const INTS = 4;
// Vector locals.
const [X, SQUARE, ABOVE, BELOW, FIRST_SUM] = [5, 6, 7, 8, 9];

/**
 * The rational approximation of tanh in single precision that Eigen, and with it TensorFlow, computes: an odd polynomial of
 * degree 13 over an even one of degree 6, on arguments cut at the bound (Eigen's MathFunctionsImpl.h). Highest degree first.
 */
const TANH_BOUND = 7.905311;
const TANH_ABOVE = [
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
];
const TANH_BELOW = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3];
const CONSTANTS = [0, 0.5, -TANH_BOUND, TANH_BOUND, ...TANH_ABOVE, ...TANH_BELOW];

/** A module and where things lie in its memory, in bytes. Rows lie at multiples of four numbers. */
export interface DenseKernel {
  readonly module: Uint8Array;
  readonly input: number;
  readonly inputStride: number;
  readonly output: number;
  readonly outputStride: number;
  /** What has to be written into the memory first. */
  readonly constants: readonly { readonly at: number; readonly values: Float32Array }[];
}

interface PlacedLayer {
  readonly layer: DenseLayer;
  readonly kernel: number;
  readonly bias: number;
  /** Numbers, rounded up to vectors. */
  readonly inputs: number;
  readonly units: number;
  /** Where its outputs go; null for the last one, whose outputs leave. */
  readonly target: number | null;
}

/**
 * Straight code for one chain of dense layers, a row at a time and four numbers at once.
 * @param capacity rows that one run can take
 */
export function denseKernel(layers: readonly DenseLayer[], capacity: number): DenseKernel {
  let end = CONSTANTS.length * VECTOR;
  const place = (numbers: number): number => {
    const at = end;
    end += 4 * whole(numbers);
    return at;
  };
  const constants: { at: number; values: Float32Array }[] = [
    { at: 0, values: Float32Array.from(CONSTANTS.flatMap((one) => [one, one, one, one])) },
  ];
  const placed = layers.map((layer, index): PlacedLayer => {
    const [inputs, units] = [whole(layer.inputs), whole(layer.units)];
    const [kernel, bias] = [place(inputs * units), place(units)];
    constants.push({ at: kernel, values: padded(layer, inputs, units) }, { at: bias, values: layer.bias.slice() });
    return { layer, kernel, bias, inputs, units, target: index === layers.length - 1 ? null : place(units) };
  });
  const [first, last] = [placed[0], placed.at(-1)];
  if (!first || !last) throw new RangeError('a network without layers');
  const input = place(first.inputs * capacity);
  const output = place(last.units * capacity);
  const code = emitRows(placed, input, output);
  const pages = Math.ceil(end / PAGE);
  const module = wasmModule({ pages, ints: INTS, vectors: FIRST_SUM - X + MOST_SUMS, code });
  return { module, input, inputStride: first.inputs, output, outputStride: last.units, constants };
}

function whole(numbers: number): number {
  return Math.ceil(numbers / LANES) * LANES;
}

/** Rows and columns that are not there weigh nothing. */
function padded({ inputs, units, kernel }: DenseLayer, height: number, width: number): Float32Array {
  const values = new Float32Array(height * width);
  for (let row = 0; row < inputs; row++) values.set(kernel.subarray(row * units, (row + 1) * units), row * width);
  return values;
}

function emitRows(layers: readonly PlacedLayer[], input: number, output: number): WasmCode {
  const code = new WasmCode();
  code.int(input).setLocal(INPUT).int(output).setLocal(OUTPUT);
  return code.repeatWhile(() => {
    let source: number | null = null;
    for (const layer of layers) {
      emitLayer(code, layer, source);
      source = layer.target;
    }
    code
      .getLocal(INPUT)
      .int((layers[0]?.inputs ?? 0) * 4)
      .addInt()
      .setLocal(INPUT);
    code
      .getLocal(OUTPUT)
      .int((layers.at(-1)?.units ?? 0) * 4)
      .addInt()
      .setLocal(OUTPUT);
    code.getLocal(ROWS).int(1).subtractInt().setLocal(ROWS);
    code.getLocal(ROWS).int(0).differs();
  });
}

function emitLayer(code: WasmCode, layer: PlacedLayer, source: number | null): void {
  const vectors = layer.units / LANES;
  const blocks = Math.ceil(vectors / MOST_SUMS);
  for (let block = 0; block < blocks; block++) {
    const from = Math.floor((vectors * block) / blocks);
    const to = Math.floor((vectors * (block + 1)) / blocks);
    emitSums(code, layer, source, from, to - from);
    for (let k = 0; k < to - from; k++) emitActivation(code, layer.layer.activation, FIRST_SUM + k);
    emitStores(code, layer, from, to - from);
  }
}

/** Sums of `count` vectors of units from the vector `from` on. A few of them wait for each other: they are split in four. */
function emitSums(code: WasmCode, layer: PlacedLayer, source: number | null, from: number, count: number): void {
  const split = count * LANES <= MOST_SUMS ? LANES : 1;
  const stride = layer.units * 4;
  for (let k = 0; k < count * split; k++) {
    const at = k < count ? layer.bias + (from + k) * VECTOR : 0;
    code
      .int(0)
      .loadVector(at)
      .setLocal(FIRST_SUM + k);
  }
  if (source === null) code.getLocal(INPUT).setLocal(SOURCE);
  else code.int(source).setLocal(SOURCE);
  const begin = layer.kernel + from * VECTOR;
  code.int(begin).setLocal(WEIGHTS);
  code.repeatWhile(() => {
    for (let step = 0; step < LANES; step++) {
      code
        .getLocal(SOURCE)
        .loadSpread(4 * step)
        .setLocal(X);
      for (let k = 0; k < count; k++) {
        const sum = FIRST_SUM + k + (split === 1 ? 0 : step * count);
        code
          .getLocal(sum)
          .getLocal(X)
          .getLocal(WEIGHTS)
          .loadVector(step * stride + k * VECTOR);
        code.multiply().add().setLocal(sum);
      }
    }
    code.getLocal(SOURCE).int(VECTOR).addInt().setLocal(SOURCE);
    code
      .getLocal(WEIGHTS)
      .int(LANES * stride)
      .addInt()
      .setLocal(WEIGHTS);
    code
      .getLocal(WEIGHTS)
      .int(begin + layer.inputs * stride)
      .differs();
  });
  for (let k = count; k < count * split; k++) {
    const sum = FIRST_SUM + (k % count);
    code
      .getLocal(sum)
      .getLocal(FIRST_SUM + k)
      .add()
      .setLocal(sum);
  }
}

function emitStores(code: WasmCode, { target }: PlacedLayer, from: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const at = (from + k) * VECTOR;
    if (target === null)
      code
        .getLocal(OUTPUT)
        .getLocal(FIRST_SUM + k)
        .storeVector(at);
    else
      code
        .int(target)
        .getLocal(FIRST_SUM + k)
        .storeVector(at);
  }
}

function emitActivation(code: WasmCode, activation: Activation, sum: number): void {
  switch (activation) {
    case 'linear':
      return;
    case 'relu':
      constant(code.getLocal(sum), 0).higher().setLocal(sum);
      return;
    case 'tanh':
      emitTanh(code, sum);
      return;
    case 'sigmoid':
      // 0.5 + 0.5 tanh(x / 2)
      constant(code.getLocal(sum), 0.5).multiply().setLocal(sum);
      emitTanh(code, sum);
      constant(constant(code.getLocal(sum), 0.5).multiply(), 0.5)
        .add()
        .setLocal(sum);
  }
}

/** A NaN stays one: the model that gives it must not pass for one that works. */
function emitTanh(code: WasmCode, sum: number): void {
  constant(constant(code.getLocal(sum), TANH_BOUND).lower(), -TANH_BOUND)
    .higher()
    .setLocal(X);
  code.getLocal(X).getLocal(X).multiply().setLocal(SQUARE);
  emitPolynomial(code, TANH_ABOVE, ABOVE);
  code.getLocal(ABOVE).getLocal(X).multiply().setLocal(ABOVE);
  emitPolynomial(code, TANH_BELOW, BELOW);
  code.getLocal(ABOVE).getLocal(BELOW).divide().setLocal(sum);
}

function emitPolynomial(code: WasmCode, [first = 0, ...rest]: readonly number[], into: number): void {
  constant(code, first);
  for (const factor of rest) constant(code.getLocal(SQUARE).multiply(), factor).add();
  code.setLocal(into);
}

/** From memory: an instruction takes it as an operand from there. */
function constant(code: WasmCode, value: number): WasmCode {
  return code.int(0).loadVector(CONSTANTS.indexOf(value) * VECTOR);
}
