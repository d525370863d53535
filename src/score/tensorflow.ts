import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import type * as tfjs from '@tensorflow/tfjs';
import type { NetworkFiles } from './model-folder.js';

export type Tensorflow = typeof tfjs;
export type BackendChoice = 'auto' | 'native' | 'wasm';
export type Backend = 'native' | 'wasm';

export interface LoadedTensorflow {
  readonly tf: Tensorflow;
  readonly backend: Backend;
  /** Why native was not taken though it might have been; null otherwise. */
  readonly whyNotNative: string | null;
}

/**
 * What TensorFlow reads from the process's environment when it is loaded: the same sums on every machine, one thread,
 * errors only. Set it on the main thread; a worker's own environment does not reach native code.
 */
export function prepareEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  env['TF_ENABLE_ONEDNN_OPTS'] ??= '0';
  env['TF_NUM_INTRAOP_THREADS'] ??= '1';
  env['TF_NUM_INTEROP_THREADS'] ??= '1';
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
}

/** @throws where `native` is asked for and does not load */
export async function loadTensorflow(choice: BackendChoice): Promise<LoadedTensorflow> {
  if (choice === 'wasm') return { tf: await webAssembly(), backend: 'wasm', whyNotNative: null };
  try {
    return { tf: await native(), backend: 'native', whyNotNative: null };
  } catch (error) {
    if (choice === 'native') throw error;
    const why = error instanceof Error ? error.message : String(error);
    return { tf: await webAssembly(), backend: 'wasm', whyNotNative: why.split('\n')[0] ?? why };
  }
}

/** For training: the plain JavaScript backend where native does not load, for WebAssembly lacks some gradients. */
export async function loadTensorflowForTraining(): Promise<{ tf: Tensorflow; backend: string }> {
  prepareEnvironment();
  try {
    return { tf: await native(), backend: 'native' };
  } catch {
    const tf = await plainTfjs();
    await tf.setBackend('cpu');
    return { tf, backend: 'cpu' };
  }
}

export function loadNetwork(tf: Tensorflow, { modelTopology, weightSpecs, weightData }: NetworkFiles) {
  const artifacts = { modelTopology, weightSpecs: [...weightSpecs], weightData };
  return tf.loadLayersModel(tf.io.fromMemory(artifacts));
}

/** @returns what the network makes of rows of inputs: a copy, for what a backend hands out may be part of its memory */
export function outputsOf(
  tf: Tensorflow,
  model: tfjs.LayersModel,
  inputs: Float32Array,
  rows: number,
): Float32Array<ArrayBuffer> {
  const output = tf.tidy(() => {
    const all = model.predictOnBatch(tf.tensor2d(inputs, [rows, inputs.length / rows]));
    return Array.isArray(all) ? all[0] : all;
  });
  // The numbers are fetched outside: `tidy` looks for tensors in what it returns, in an array number by number.
  try {
    return new Float32Array(output?.dataSync() ?? []);
  } finally {
    output?.dispose();
  }
}

async function native(): Promise<Tensorflow> {
  // tfjs-node calls it; Node 23 and later have it no more.
  const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
  old.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = await import('@tensorflow/tfjs-node');
  await tf.ready();
  return tf;
}

async function webAssembly(): Promise<Tensorflow> {
  const tf = await plainTfjs();
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(join(dirname(entry), '/'));
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly backend of TensorFlow does not start');
  return tf;
}

async function plainTfjs(): Promise<Tensorflow> {
  const tf = await import('@tensorflow/tfjs');
  // Otherwise it advises, on every start, to install tfjs-node.
  tf.env().set('PROD', true);
  return tf;
}
