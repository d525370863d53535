import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import type { NetworkFiles } from './model-folder.js';
import { loadNetwork, loadTensorflow, outputsOf, type Backend, type BackendChoice } from './tensorflow.js';

/** What a worker is started with. */
export interface WorkerTask {
  readonly choice: BackendChoice;
  readonly network: NetworkFiles;
}

/** rows × width in `inputs`; transferred, not copied. */
export interface Request {
  readonly id: number;
  readonly rows: number;
  readonly inputs: Float32Array<ArrayBuffer>;
}

export type Answer =
  | { readonly kind: 'ready'; readonly backend: Backend; readonly whyNotNative: string | null }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'outputs'; readonly id: number; readonly outputs: Float32Array<ArrayBuffer> }
  | { readonly kind: 'error'; readonly id: number; readonly reason: string };

/** Runs one network on a thread or in a process of its own: rows in, rows out. */
async function serve({ choice, network }: WorkerTask): Promise<void> {
  const { tf, backend, whyNotNative } = await loadTensorflow(choice);
  const model = await loadNetwork(tf, network);
  const predict = ({ rows, inputs }: Request) => outputsOf(tf, model, inputs, rows);
  // The first call is slow; nobody shall wait for it.
  predict({ id: 0, rows: 1, inputs: new Float32Array(widthOf(model.inputs[0]?.shape)) });
  (parentPort ?? process).on('message', (request: Request) => answer(request, predict));
  post({ kind: 'ready', backend, whyNotNative });
}

function answer(request: Request, predict: (request: Request) => Float32Array<ArrayBuffer>): void {
  try {
    const outputs = predict(request);
    post({ kind: 'outputs', id: request.id, outputs }, [outputs.buffer]);
  } catch (error) {
    post({ kind: 'error', id: request.id, reason: String(error) });
  }
}

function widthOf(shape: readonly (number | null)[] | undefined): number {
  const width = shape?.[1];
  if (typeof width !== 'number') throw new Error('the network does not take a vector');
  return width;
}

function post(message: Answer, transfer: ArrayBuffer[] = []): void {
  if (parentPort) parentPort.postMessage(message, transfer);
  else process.send?.(message);
}

/** A thread is started with its task, a process is sent it. */
async function task(): Promise<WorkerTask> {
  if (parentPort) return workerData as WorkerTask;
  const [sent] = (await once(process, 'message')) as [WorkerTask];
  return sent;
}

try {
  await serve(await task());
} catch (error) {
  post({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  if (parentPort) parentPort.close();
  else process.disconnect();
}
