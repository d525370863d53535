import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { choosePort } from './free-port.js';
import type { Choice, PartName } from './part.js';
import { PARTS } from './parts.js';
import type { ProcessIdentity } from './process-identity.js';
import { PartDied, PortTaken, ServerProcess } from './server-process.js';
import type { Surroundings } from './surroundings.js';

const NAMED_ANSWERS_WITHIN_MS = 15_000;
const PORT_ATTEMPTS = 3;

/** A running part. A service that was named in the environment is not ours: it has no pid and cannot be stopped. */
export interface PartHandle {
  readonly name: PartName;
  readonly server: string;
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** For the last moment of our own process: does not wait. */
  signal(signal: NodeJS.Signals): void;
}

export interface LocalPartOptions {
  readonly dataDir: string;
  /** Told before it starts, so that it can be stopped at any time. */
  readonly onHandle: (handle: PartHandle) => void;
  readonly onStart: (server: string, url: string, identity: ProcessIdentity) => void;
  readonly onDeath: (death: PartDied) => void;
}

export class NamedServiceUnreachable extends Error {
  constructor(variable: string, reason: unknown) {
    super(
      `${variable} names a service that cannot be used: ${reason instanceof Error ? reason.message : String(reason)}`,
    );
    this.name = 'NamedServiceUnreachable';
  }
}

/** Waits a while, since a service that was named may be starting at the same time as we are. */
export async function useNamedService(
  name: PartName,
  url: string,
  withinMs = NAMED_ANSWERS_WITHIN_MS,
): Promise<PartHandle> {
  const part = PARTS[name];
  const deadline = Date.now() + withinMs;
  for (;;) {
    const refusal = await part.probe(url).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (refusal === undefined) return namedHandle(name, url);
    if (Date.now() > deadline) throw new NamedServiceUnreachable(part.variable, refusal.error);
    await delay(250);
  }
}

function namedHandle(name: PartName, url: string): PartHandle {
  const refuse = (): Promise<never> =>
    Promise.reject(new Error(`${name} was named in ${PARTS[name].variable}; it is not ours to stop`));
  return {
    name,
    server: 'named',
    url,
    pid: undefined,
    stop: async () => {},
    kill: refuse,
    restart: refuse,
    signal: () => {},
  };
}

/** Starts a part on its default port when that is free, else on another. */
export async function startLocalPart(
  name: PartName,
  choice: Choice,
  surroundings: Surroundings,
  options: LocalPartOptions,
): Promise<PartHandle> {
  for (let attempt = 1; ; attempt += 1) {
    const preferred = attempt === 1 ? PARTS[name].defaultPort : undefined;
    const port = await choosePort(preferred);
    const { running, handle } = await localPart(name, choice, surroundings, options, port);
    options.onHandle(handle);
    try {
      await running.start();
      return handle;
    } catch (error) {
      await running.kill();
      if (attempt === PORT_ATTEMPTS || !(await lostItsPort(error, port))) throw error;
    }
  }
}

async function localPart(
  name: PartName,
  choice: Choice,
  surroundings: Surroundings,
  options: LocalPartOptions,
  port: number,
): Promise<{ running: ServerProcess; handle: PartHandle }> {
  const dataDir = join(options.dataDir, name);
  mkdirSync(dataDir, { recursive: true });
  const place = { dataDir, port, extraPort: await choosePort(undefined) };
  const server = PARTS[name].server(choice, surroundings, place);
  const running = new ServerProcess({
    name,
    server,
    port,
    logFile: join(options.dataDir, 'logs', `${name}.log`),
    onStart: (identity) => options.onStart(choice.server, server.url, identity),
    onDeath: options.onDeath,
  });
  return { running, handle: handleOf(name, choice.server, server.url, running) };
}

function handleOf(name: PartName, server: string, url: string, running: ServerProcess): PartHandle {
  return {
    name,
    server,
    url,
    get pid() {
      return running.pid;
    },
    stop: () => running.stop(),
    kill: () => running.kill(),
    restart: () => running.restart(),
    signal: (signal) => running.signal(signal),
  };
}

/** Whether it failed because somebody else was quicker to listen on its port. */
async function lostItsPort(error: unknown, port: number): Promise<boolean> {
  if (error instanceof PortTaken) return true;
  return error instanceof PartDied && (await choosePort(port)) !== port;
}
