import { fork } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Request, WorkerTask } from './tensorflow-worker.js';

/**
 * thread: beside the service's own, for as long as TensorFlow scores. process: native TensorFlow leaves some 200 MB behind
 * in the process that loaded it, so what only checks a model does so elsewhere.
 */
export type HostKind = 'thread' | 'process';

/** Where TensorFlow runs. Emits `message` (an Answer), `error`, and `exit` (with a code) once. */
export interface Host {
  readonly events: EventEmitter;
  /** The inputs are given away. */
  post(request: Request): void;
  /** May be called twice. */
  end(): Promise<void>;
}

export function startHost(kind: HostKind, task: WorkerTask): Host {
  return kind === 'thread' ? threadHost(task) : processHost(task);
}

function threadHost(task: WorkerTask): Host {
  const worker = new Worker(workerFile(), { workerData: task });
  return {
    events: worker,
    post: (request) => worker.postMessage(request, [request.inputs.buffer]),
    end: async () => void (await worker.terminate()),
  };
}

function processHost(task: WorkerTask): Host {
  // It ends by itself when this process does and the channel closes.
  const child = fork(workerFile(), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  child.send(task);
  return {
    events: child,
    post: (request) => void child.send(request),
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** A worker is plain JavaScript, also where this module runs from TypeScript, as in tests. */
function workerFile(): string {
  const here = fileURLToPath(import.meta.url);
  const compiled = here.endsWith('.ts') ? here.replace(/([/\\])src([/\\]score[/\\])/, '$1dist$1src$2') : here;
  const file = compiled.replace(/tensorflow-host\.[jt]s$/, 'tensorflow-worker.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: build the project first (npm run build)`);
  return file;
}
