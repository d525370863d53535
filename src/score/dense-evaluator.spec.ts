import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as tfjs from '@tensorflow/tfjs';
import { DenseEvaluator } from './dense-evaluator.js';
import { ACTIVATIONS, denseLayersOf } from './dense-layers.js';
import type { NetworkFiles } from './model-folder.js';
import { readModelFolder } from './model-folder.js';
import { seeded } from './seeded.js';
import { loadTensorflow, type Tensorflow } from './tensorflow.js';
import { networkOf } from './train-model.js';
import { differenceOf, trustedDense, type Network } from './trusted-dense.js';

let tf: Tensorflow;
const models: tfjs.LayersModel[] = [];
beforeAll(async () => {
  ({ tf } = await loadTensorflow('wasm'));
});
afterAll(() => models.forEach((model) => model.dispose()));

interface Layer {
  readonly units: number;
  readonly activation: (typeof ACTIVATIONS)[number];
  readonly useBias: boolean;
}

function networkWith(inputs: number, layers: readonly Layer[], seed: number): tfjs.LayersModel {
  const model = tf.sequential();
  layers.forEach((layer, place) => {
    const init = (more: number) =>
      tf.initializers.randomUniform({ minval: -1, maxval: 1, seed: seed + 2 * place + more });
    const initial = { kernelInitializer: init(0), biasInitializer: init(1) };
    model.add(tf.layers.dense({ ...layer, ...initial, ...(place === 0 && { inputShape: [inputs] }) }));
  });
  models.push(model);
  return model;
}

function predicted(model: tfjs.LayersModel, inputs: Float32Array, rows: number): Float32Array {
  return tf.tidy(() => {
    const output = model.predictOnBatch(tf.tensor2d(inputs, [rows, inputs.length / rows])) as tfjs.Tensor;
    return new Float32Array(output.dataSync());
  });
}

const ACTIVATE = {
  linear: (x: number) => x,
  relu: (x: number) => Math.max(0, x),
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
};

/** In double precision, as plainly as it can be written. */
function exactly(files: NetworkFiles, inputs: Float32Array, rows: number): number[] {
  const layers = denseLayersOf(files);
  if (typeof layers === 'string') throw new Error(layers);
  return Array.from({ length: rows }, (_, row) => {
    let flow = [...inputs.subarray((row * inputs.length) / rows, ((row + 1) * inputs.length) / rows)];
    for (const { units, activation, kernel, bias } of layers)
      flow = [...bias].map((start, unit) =>
        ACTIVATE[activation](flow.reduce((sum, x, place) => sum + x * (kernel[place * units + unit] ?? NaN), start)),
      );
    return flow;
  }).flat();
}

function farthest(got: Float32Array, exact: readonly number[]): number {
  return exact.reduce((most, value, place) => Math.max(most, Math.abs((got[place] ?? NaN) - value)), 0);
}

function evaluatorOf(network: NetworkFiles): DenseEvaluator {
  const dense = DenseEvaluator.of(network);
  if (typeof dense === 'string') throw new Error(dense);
  return dense;
}

const layer = fc.record({
  units: fc.integer({ min: 1, max: 70 }),
  activation: fc.constantFrom(...ACTIVATIONS),
  useBias: fc.boolean(),
});

describe('DenseEvaluator', () => {
  it('gives what TensorFlow gives, whatever the shapes, activations and number of rows', async () => {
    const shape = fc.record({
      inputs: fc.integer({ min: 1, max: 70 }),
      layers: fc.array(layer, { minLength: 1, maxLength: 4 }),
      rows: fc.constantFrom(1, 3, 100, 513),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ inputs: width, layers, rows, seed }) => {
        const model = networkWith(width, layers, seed);
        const files = await networkOf(model);
        const dense = evaluatorOf(files);
        const random = seeded(seed);
        const inputs = Float32Array.from({ length: rows * width }, () => 4 * random() - 2);
        const [got, tensorflows] = [dense.run(inputs, rows), predicted(model, inputs, rows)];
        const exact = exactly(files, inputs, rows);
        expect(got.length).toBe(exact.length);
        // Some networks make much of any rounding; TensorFlow's own shows how much.
        expect(farthest(got, exact)).toBeLessThan(4 * farthest(tensorflows, exact) + 2e-6);
      }),
      { numRuns: 100 },
    );
  });

  it('computes tanh and sigmoid to a millionth, and keeps a NaN', async () => {
    for (const [activation, exact] of [
      ['tanh', Math.tanh],
      ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
    ] as const) {
      const model = networkWith(1, [{ units: 1, activation, useBias: false }], 1);
      model.setWeights([tf.tensor2d([1], [1, 1])]);
      const dense = evaluatorOf(await networkOf(model));
      const inputs = Float32Array.from({ length: 4_001 }, (_, place) => (place - 2_000) / 100);
      dense.run(inputs, inputs.length).forEach((value, place) => {
        expect(Math.abs(value - exact(inputs[place] ?? NaN))).toBeLessThan(1e-6);
      });
      expect(dense.run(Float32Array.of(NaN), 1)[0]).toBeNaN();
      expect(dense.run(Float32Array.of(Infinity), 1)[0]).toBeCloseTo(1, 6);
    }
  });

  it('declines what would hold the event loop for too long', async () => {
    const plain = (units: number) => ({ units, activation: 'tanh' as const, useBias: false });
    const heavy = networkWith(100, [plain(150), plain(40)], 1);
    expect(DenseEvaluator.of(await networkOf(heavy))).toBe('it has 21190 weights, more than 20000');
    const wide = networkWith(2, [plain(1_001), plain(2)], 1);
    expect(DenseEvaluator.of(await networkOf(wide))).toBe('a layer is 1001 wide, more than 1000');
    const largest = networkWith(100, [plain(150), plain(30)], 1);
    expect(typeof DenseEvaluator.of(await networkOf(largest))).toBe('object');
  });

  it('declines what is no chain of dense layers', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [3] }),
        tf.layers.dropout({ rate: 0.5 }),
        tf.layers.dense({ units: 3 }),
      ],
    });
    models.push(model);
    expect(DenseEvaluator.of(await networkOf(model))).toMatch(/^layer dropout.* is Dropout$/);
    const input = tf.input({ shape: [3] });
    const first = tf.layers.dense({ units: 3, name: 'first' }).apply(input) as tfjs.SymbolicTensor;
    const beside = tf.layers.dense({ units: 3, name: 'beside' }).apply(input) as tfjs.SymbolicTensor;
    const branched = tf.model({
      inputs: input,
      outputs: tf.layers.add().apply([first, beside]) as tfjs.SymbolicTensor,
    });
    models.push(branched);
    expect(typeof DenseEvaluator.of(await networkOf(branched))).toBe('string');
    const swish = networkWith(3, [{ units: 3, activation: 'elu' as never, useBias: true }], 1);
    expect(DenseEvaluator.of(await networkOf(swish))).toMatch(/has the activation elu$/);
  });
});

describe('trustedDense', () => {
  const folder = readModelFolder('models/default');
  const { goldenNetwork, inputLimit: reach } = folder.metadata;
  const model = { network: folder.network, goldenNetwork, reach };
  const reference = (change: (outputs: Float32Array) => void): Network => ({
    run: (inputs, rows) => {
      const outputs = evaluatorOf(folder.network).run(inputs, rows);
      change(outputs);
      return Promise.resolve(outputs);
    },
    close: () => Promise.resolve(),
  });

  it('takes over when it gives what the reference gives', async () => {
    expect(
      typeof (await trustedDense(
        model,
        reference(() => undefined),
      )),
    ).toBe('object');
  });

  it('refuses when one number of the reference is another one', async () => {
    const off = reference((outputs) => (outputs[777] = (outputs[777] ?? 0) + 1e-3));
    expect(await trustedDense(model, off)).toMatch(/^an output is .*, TensorFlow's is /);
  });

  it('refuses when a golden output is another one, or no number', async () => {
    const changed = { ...model, goldenNetwork: structuredClone(goldenNetwork) };
    const outputs = changed.goldenNetwork[0]?.outputs ?? [];
    outputs[3] = (outputs[3] ?? 0) + 1e-3;
    expect(
      await trustedDense(
        changed,
        reference(() => undefined),
      ),
    ).toMatch(/^a golden output is /);
    expect(differenceOf(Float32Array.of(NaN), [1])).not.toBeNull();
    expect(differenceOf(Float32Array.of(1), [1, 2])).not.toBeNull();
  });
});
