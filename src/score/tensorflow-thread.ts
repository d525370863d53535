import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { prepareEnvironment, type Backend, type BackendChoice } from './tensorflow.js';
import type { NetworkFiles } from './model-folder.js';
import type { Answer, Request, WorkerTask } from './tensorflow-worker.js';

/** A call that takes longer than this means that the worker hangs. */
const CALL_LIMIT_MS = 30_000;

interface Call {
  readonly resolve: (outputs: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

/** One running worker with its network. Dead once `died` has been called; never revived. */
export class TensorflowThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #death: Error | null = null;

  private constructor(
    worker: Worker,
    readonly backend: Backend,
    readonly whyNotNative: string | null,
    died: (why: Error) => void,
  ) {
    this.#worker = worker;
    const end = (why: Error) => {
      if (this.#death !== null) return;
      this.#death = why;
      for (const { reject } of this.#calls.values()) reject(why);
      this.#calls.clear();
      died(why);
    };
    worker.on('message', (answer: Answer) => this.#take(answer));
    worker.on('error', (error) => end(new Error(`the TensorFlow worker died: ${error.message}`)));
    worker.on('exit', (code) => end(new Error(`the TensorFlow worker ended with code ${code}`)));
  }

  /**
   * @param died called once when the worker has ended, by itself or by `close`
   * @throws where the worker or the network cannot be loaded
   */
  static async start(
    choice: BackendChoice,
    network: NetworkFiles,
    died: (why: Error) => void,
  ): Promise<TensorflowThread> {
    prepareEnvironment();
    const task: WorkerTask = { choice, network };
    const worker = new Worker(workerFile(), { workerData: task });
    try {
      const { backend, whyNotNative } = await readiness(worker);
      return new TensorflowThread(worker, backend, whyNotNative, died);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /**
   * @param inputs rows × width; given away, not to be used any more
   * @returns rows × width of what the network makes of them; rejects when the worker fails or dies
   */
  run(inputs: Float32Array<ArrayBuffer>, rows: number): Promise<Float32Array> {
    if (this.#death !== null) return Promise.reject(this.#death);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => void this.#worker.terminate(), CALL_LIMIT_MS);
      const settled =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          then(value);
        };
      this.#calls.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#worker.postMessage({ id, rows, inputs } satisfies Request, [inputs.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(answer: Answer): void {
    if (answer.kind === 'ready' || answer.kind === 'failed') return;
    const call = this.#calls.get(answer.id);
    this.#calls.delete(answer.id);
    if (answer.kind === 'outputs') call?.resolve(answer.outputs);
    else call?.reject(new Error(answer.reason));
  }
}

function readiness(worker: Worker): Promise<{ backend: Backend; whyNotNative: string | null }> {
  return new Promise((resolve, reject) => {
    const ended = (code: number) => reject(new Error(`the TensorFlow worker ended with code ${code} at its start`));
    const answered = (answer: Answer): void => {
      worker.off('error', reject);
      worker.off('exit', ended);
      if (answer.kind === 'ready') resolve(answer);
      else reject(new Error(answer.kind === 'failed' ? answer.reason : 'the TensorFlow worker answered out of turn'));
    };
    worker.once('message', answered);
    worker.once('error', reject);
    worker.once('exit', ended);
  });
}

/** A worker is plain JavaScript, also where this module runs from TypeScript, as in tests. */
function workerFile(): string {
  const here = fileURLToPath(import.meta.url);
  const compiled = here.endsWith('.ts') ? here.replace(/([/\\])src([/\\]score[/\\])/, '$1dist$1src$2') : here;
  const file = compiled.replace(/tensorflow-thread\.[jt]s$/, 'tensorflow-worker.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: build the project first (npm run build)`);
  return file;
}
