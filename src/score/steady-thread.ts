import { setTimeout as delay } from 'node:timers/promises';
import { TensorflowThread } from './tensorflow-thread.js';
import type { Backend, BackendChoice } from './tensorflow.js';
import type { NetworkFiles } from './model-folder.js';

export type ScoreLog = (
  level: 'error' | 'warn' | 'info' | 'debug',
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** How long a call waits for a worker that is being restarted. */
const PATIENCE_MS = 10_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 60_000;

/** A worker that is started anew whenever it dies, the later the more often it does. */
export class SteadyThread {
  /** null while it is being started anew */
  #alive: TensorflowThread | null;
  #thread: Promise<TensorflowThread>;
  #deaths = 0;
  readonly backend: Backend;
  readonly whyNotNative: string | null;
  readonly #closing = new AbortController();

  private constructor(
    first: TensorflowThread,
    readonly network: NetworkFiles,
    readonly log: ScoreLog,
  ) {
    this.backend = first.backend;
    this.whyNotNative = first.whyNotNative;
    this.#alive = first;
    this.#thread = Promise.resolve(first);
  }

  static async start(choice: BackendChoice, network: NetworkFiles, log: ScoreLog): Promise<SteadyThread> {
    let steady: SteadyThread | null = null;
    const first = await TensorflowThread.start(choice, network, (why) => steady?.died(why));
    steady = new SteadyThread(first, network, log);
    return steady;
  }

  /** Rejects when the worker fails, dies meanwhile, or is not there in time. */
  async run(inputs: Float32Array<ArrayBuffer>, rows: number): Promise<Float32Array> {
    if (this.#closing.signal.aborted) throw new Error('the model has been closed');
    const thread = this.#alive ?? (await Promise.race([this.#thread, impatience()]));
    const outputs = await thread.run(inputs, rows);
    this.#deaths = 0;
    return outputs;
  }

  /** Ends the worker as a crash would: a new one takes its place. For tests. */
  async kill(): Promise<void> {
    await this.#alive?.close();
  }

  /** May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    const thread = await this.#thread.catch(() => null);
    await thread?.close();
  }

  private died(why: Error): void {
    if (this.#closing.signal.aborted) return;
    this.#alive = null;
    this.log('error', `${why.message}; it is started anew`);
    this.#thread = this.#startAgain();
    // Whoever calls meanwhile is told; nobody calling is no reason to end the process.
    this.#thread.catch(() => undefined);
  }

  async #startAgain(): Promise<TensorflowThread> {
    const { signal } = this.#closing;
    for (;;) {
      await delay(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#deaths++), undefined, { signal });
      try {
        this.#alive = await TensorflowThread.start(this.backend, this.network, (why) => this.died(why));
        return this.#alive;
      } catch (error) {
        this.log('error', `the TensorFlow worker does not start: ${String(error)}`);
      }
    }
  }
}

async function impatience(): Promise<never> {
  // Unreferenced: it must not hold up the end of the process.
  await delay(PATIENCE_MS, undefined, { ref: false });
  throw new Error('the TensorFlow worker is being restarted');
}
