import { prepareEnvironment, type Backend, type BackendChoice } from './tensorflow.js';
import type { NetworkFiles } from './model-folder.js';
import { startHost, type Host, type HostKind } from './tensorflow-host.js';
import type { Answer } from './tensorflow-worker.js';

/** A call that takes longer than this means that the worker hangs. */
const CALL_LIMIT_MS = 30_000;

interface Call {
  readonly resolve: (outputs: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

/** One running worker, a thread or a process, with its network. Dead once `died` has been called; never revived. */
export class TensorflowThread {
  readonly #host: Host;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #death: Error | null = null;

  private constructor(
    host: Host,
    readonly backend: Backend,
    readonly whyNotNative: string | null,
    died: (why: Error) => void,
  ) {
    this.#host = host;
    const end = (why: Error) => {
      if (this.#death !== null) return;
      this.#death = why;
      for (const { reject } of this.#calls.values()) reject(why);
      this.#calls.clear();
      died(why);
    };
    host.events.on('message', (answer: Answer) => this.#take(answer));
    host.events.on('error', (error: Error) => end(new Error(`the TensorFlow worker died: ${error.message}`)));
    host.events.on('exit', (code: number) => end(new Error(`the TensorFlow worker ended with code ${code}`)));
  }

  /**
   * @param died called once when the worker has ended, by itself or by `close`
   * @throws where the worker or the network cannot be loaded
   */
  static async start(
    choice: BackendChoice,
    network: NetworkFiles,
    died: (why: Error) => void,
    where: HostKind = 'thread',
  ): Promise<TensorflowThread> {
    prepareEnvironment();
    const host = startHost(where, { choice, network });
    try {
      const { backend, whyNotNative } = await readiness(host);
      return new TensorflowThread(host, backend, whyNotNative, died);
    } catch (error) {
      await host.end();
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
      const timer = setTimeout(() => void this.#host.end(), CALL_LIMIT_MS);
      const settled =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          then(value);
        };
      this.#calls.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#host.post({ id, rows, inputs });
    });
  }

  async close(): Promise<void> {
    await this.#host.end();
  }

  #take(answer: Answer): void {
    if (answer.kind === 'ready' || answer.kind === 'failed') return;
    const call = this.#calls.get(answer.id);
    this.#calls.delete(answer.id);
    if (answer.kind === 'outputs') call?.resolve(answer.outputs);
    else call?.reject(new Error(answer.reason));
  }
}

function readiness({ events }: Host): Promise<{ backend: Backend; whyNotNative: string | null }> {
  return new Promise((resolve, reject) => {
    const ended = (code: number) => reject(new Error(`the TensorFlow worker ended with code ${code} at its start`));
    const answered = (answer: Answer): void => {
      events.off('error', reject);
      events.off('exit', ended);
      if (answer.kind === 'ready') resolve(answer);
      else reject(new Error(answer.kind === 'failed' ? answer.reason : 'the TensorFlow worker answered out of turn'));
    };
    events.once('message', answered);
    events.once('error', reject);
    events.once('exit', ended);
  });
}
