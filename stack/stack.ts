import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PART_NAMES, type MongodbServer, type PartName } from './part.js';
import { startLocalPart, useNamedService, type PartHandle } from './part-handle.js';
import { preparePart } from './prepare.js';
import { identityOf, type ProcessIdentity } from './process-identity.js';
import { lineProgress, type Progress } from './progress.js';
import { StoppedEarly, type PartDied } from './server-process.js';
import { endLeftovers, isOwned, readRecord, removeRecord, writeRecord, type StackRecord } from './stack-record.js';
import { surroundingsOf, type Surroundings } from './surroundings.js';

export interface StackOptions {
  /** Kept between runs. Without it a temporary folder is used and removed at the end. */
  readonly dataDir?: string;
  readonly cacheDir?: string;
  readonly parts?: readonly PartName[];
  readonly say: (line: string) => void;
  /** This server and no other, whatever else is there. */
  readonly mongodb?: MongodbServer | undefined;
  /** Leave it running when this process ends. */
  readonly detached?: boolean;
  /** A server that ends by itself; without this its last words go to `say`. */
  readonly onDeath?: (death: PartDied) => void;
  readonly env?: NodeJS.ProcessEnv;
  /** Gives up starting: what has started is ended, then `startStack` rejects. */
  readonly signal?: AbortSignal;
}

export interface StackUrls {
  readonly mongodbUri: string;
  readonly kafkaBrokers: string;
  readonly mqttUrl: string;
}

export interface Stack {
  /** The URL of a part that was not asked for is empty. */
  readonly urls: StackUrls;
  readonly parts: Readonly<Partial<Record<PartName, PartHandle>>>;
  readonly dataDir: string;
  /** Notes a program that was started on the stack, so that it is ended with the leftovers of a killed run. */
  adopt(server: string, url: string, process: ProcessIdentity): void;
  /** Ends the parts in the order of the data's flow. May be called twice. */
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const surroundings = surroundingsFor(options);
  const leftovers = await endLeftovers(surroundings.cacheDir, options.dataDir && resolve(options.dataDir));
  leftovers.forEach(options.say);
  const stack = new RunningStack(options, surroundings);
  const giveUp = (): void => void stack.stop();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  try {
    options.signal?.throwIfAborted();
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
  return stack;
}

function surroundingsFor({ env = process.env, cacheDir, mongodb }: StackOptions): Surroundings {
  return surroundingsOf(mongodb === undefined ? env : { ...env, FLEET_TWIN_MONGODB: mongodb }, cacheDir);
}

class RunningStack implements Stack {
  readonly parts: Partial<Record<PartName, PartHandle>> = {};
  readonly dataDir: string;
  #record: StackRecord;
  #stopped: Promise<void> | undefined;
  readonly #progress: Progress;
  readonly #onExit = (): void => this.#handles().forEach((part) => part.signal('SIGTERM'));

  constructor(
    private readonly options: StackOptions,
    private readonly surroundings: Surroundings,
  ) {
    this.#progress = lineProgress(options.say);
    this.dataDir = claimDataDir(options.dataDir);
    const owner = identityOf(process.pid);
    const startedAt = new Date().toISOString();
    this.#record = {
      dataDir: this.dataDir,
      temporary: options.dataDir === undefined,
      ...(owner && { owner }),
      startedAt,
      parts: {},
    };
    writeRecord(surroundings.cacheDir, this.#record);
  }

  get urls(): StackUrls {
    const urlOf = (name: PartName): string => this.parts[name]?.url ?? '';
    return { mongodbUri: urlOf('mongodb'), kafkaBrokers: urlOf('kafka'), mqttUrl: urlOf('mqtt') };
  }

  async start(): Promise<void> {
    process.once('exit', this.#onExit);
    const wanted = PART_NAMES.filter((name) => this.options.parts?.includes(name) ?? true);
    // Side by side, since most of the time goes into Kafka's start; all are waited for, so that none is left behind.
    const outcomes = await Promise.allSettled(wanted.map((name) => this.#startPart(name)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (this.options.detached === true) this.#leaveRunning();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #startPart(name: PartName): Promise<void> {
    const started = Date.now();
    const choice = await preparePart(name, this.surroundings, this.#progress);
    if (this.#stopped !== undefined) throw new StoppedEarly(name);
    const handle =
      choice.source === 'environment' && choice.location !== undefined
        ? await useNamedService(name, choice.location)
        : await startLocalPart(name, choice, this.surroundings, {
            dataDir: this.dataDir,
            onHandle: (starting) => void (this.parts[name] = starting),
            onStart: (server, url, process) => this.#note(name, { server, url, process }),
            onDeath: (death) => this.#onDeath(death),
          });
    this.parts[name] = handle;
    if (handle.pid === undefined) this.#note(name, { server: handle.server, url: handle.url });
    const what =
      handle.pid === undefined
        ? 'named in the environment'
        : `${choice.server}${choice.version && ` ${choice.version}`}`;
    this.options.say(`${name}: ${what} answers (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  }

  adopt(server: string, url: string, process: ProcessIdentity): void {
    const guests = [...(this.#record.guests ?? []), { server, url, process }];
    this.#record = { ...this.#record, guests };
    writeRecord(this.surroundings.cacheDir, this.#record);
  }

  #onDeath(death: PartDied): void {
    if (this.options.onDeath === undefined) this.options.say(death.message);
    else this.options.onDeath(death);
  }

  /** Without an owner the record is not swept up by the next start. */
  #leaveRunning(): void {
    const { owner: _starter, ...record } = this.#record;
    this.#record = record;
    process.off('exit', this.#onExit);
    writeRecord(this.surroundings.cacheDir, record);
  }

  #note(name: PartName, part: StackRecord['parts'][PartName]): void {
    this.#record = { ...this.#record, parts: { ...this.#record.parts, [name]: part } };
    writeRecord(this.surroundings.cacheDir, this.#record);
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#handles()) await part.stop();
    process.off('exit', this.#onExit);
    removeRecord(this.surroundings.cacheDir, this.dataDir);
    if (this.#record.temporary) rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** MQTT first, so that nothing flows into what has ended already. */
  #handles(): PartHandle[] {
    return [...PART_NAMES].reverse().flatMap((name) => this.parts[name] ?? []);
  }
}

function claimDataDir(dataDir: string | undefined): string {
  if (dataDir === undefined) return mkdtempSync(join(tmpdir(), 'fleet-twin-'));
  const folder = resolve(dataDir);
  const record = readRecord(folder);
  if (record !== undefined && isOwned(record)) throw new DataInUse(folder, record);
  mkdirSync(folder, { recursive: true });
  return folder;
}

export class DataInUse extends Error {
  constructor(folder: string, record: StackRecord) {
    const by =
      record.owner === undefined
        ? 'a stack that was left running (fleet-twin stack down ends it)'
        : `process ${record.owner.pid}`;
    super(`${folder} is in use by ${by}`);
    this.name = 'DataInUse';
  }
}
