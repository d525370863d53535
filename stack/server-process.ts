import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines } from './command-run.js';
import { listensOn } from './free-port.js';
import type { Server } from './part.js';
import { endProcess, identityOf, signalGroup, type ProcessIdentity } from './process-identity.js';

const READY_WITHIN_MS = 90_000;
const ASK_AGAIN_AFTER_MS = 50;
const SHOWN_LOG_LINES = 15;

/** A part's server ended although nobody had asked it to. */
export class PartDied extends Error {
  constructor(
    readonly part: string,
    outcome: string,
    logFile: string,
  ) {
    const tail = lastLines(readLog(logFile), SHOWN_LOG_LINES);
    super(
      `${part} ended by itself (${outcome}). ${tail === '' ? `Its log ${logFile} is empty.` : `The end of ${logFile}:\n${tail}`}`,
    );
    this.name = 'PartDied';
  }
}

export class PortTaken extends Error {
  constructor(part: string, port: number) {
    super(`${part}: another program took port ${port}`);
    this.name = 'PortTaken';
  }
}

export class StoppedEarly extends Error {
  constructor(part: string) {
    super(`${part} was stopped while it started`);
    this.name = 'StoppedEarly';
  }
}

export interface ServerProcessOptions {
  readonly name: string;
  readonly server: Server;
  readonly port: number;
  readonly logFile: string;
  /** Told of every start before anything else happens, so that a record of it outlives us. */
  readonly onStart: (identity: ProcessIdentity) => void;
  readonly onDeath: (death: PartDied) => void;
}

/** One server in a process group of its own: the terminal's Ctrl-C does not reach it before us. */
export class ServerProcess {
  #running: { child: ChildProcess; identity: ProcessIdentity; ended: Promise<string> } | undefined;
  #death: PartDied | undefined;
  #ending = false;

  constructor(private readonly options: ServerProcessOptions) {}

  get pid(): number | undefined {
    return this.#running?.identity.pid;
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return;
    this.#ending = false;
    await this.options.server.prepare();
    if (this.#ending) throw new StoppedEarly(this.options.name);
    this.#spawn();
    await this.#untilReady();
  }

  /** Asks it to end and waits until it has. */
  stop(): Promise<void> {
    return this.#end((identity) => endProcess(identity));
  }

  /** SIGKILL, as a crash would. */
  kill(): Promise<void> {
    return this.#end(async (identity) => signalGroup(identity, 'SIGKILL'));
  }

  /** On the same port and data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Without waiting, for the last moment of our own process. */
  signal(signal: NodeJS.Signals): void {
    if (this.#running !== undefined) signalGroup(this.#running.identity, signal);
  }

  #spawn(): void {
    const { command, args, env } = this.options.server;
    mkdirSync(dirname(this.options.logFile), { recursive: true });
    const log = openSync(this.options.logFile, 'a');
    const stdio: ['ignore', number, number] = ['ignore', log, log];
    const child = spawn(command, args, { detached: true, stdio, env: { ...process.env, ...env } });
    closeSync(log);
    child.unref();
    const identity = child.pid === undefined ? undefined : identityOf(child.pid);
    this.#death = undefined;
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
      child.once('error', (error) => resolve(error.message));
    });
    if (identity !== undefined) {
      this.#running = { child, identity, ended };
      this.options.onStart(identity);
    }
    void ended.then((outcome) => this.#onEnd(child, outcome));
  }

  #onEnd(child: ChildProcess, outcome: string): void {
    if (this.#running !== undefined && this.#running.child !== child) return;
    this.#running = undefined;
    if (this.#ending) return;
    this.#death = new PartDied(this.options.name, outcome, this.options.logFile);
    this.options.onDeath(this.#death);
  }

  async #untilReady(): Promise<void> {
    const { name, port, server, logFile } = this.options;
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      const refusal = await server.ready().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (this.#death !== undefined) throw this.#death;
      if (this.pid === undefined || this.#ending) throw new StoppedEarly(name);
      if (refusal === undefined) break;
      if (Date.now() > deadline)
        throw new Error(`${name} is not ready after ${READY_WITHIN_MS / 1000} s (log: ${logFile})`, { cause: refusal });
      await delay(ASK_AGAIN_AFTER_MS);
    }
    if (!listensOn(this.pid, port)) throw new PortTaken(name, port);
  }

  async #end(how: (identity: ProcessIdentity) => Promise<void>): Promise<void> {
    const running = this.#running;
    this.#ending = true;
    if (running === undefined) return;
    running.child.ref();
    await how(running.identity);
    await running.ended;
  }
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-20_000);
  } catch {
    return '';
  }
}
