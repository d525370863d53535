import { join } from 'node:path';
import { examine, report, table } from './doctor.js';
import { PARTS } from './parts.js';
import type { MongodbServer, PartName } from './part.js';
import { isRunning } from './process-identity.js';
import { lineProgress, type Progress } from './progress.js';
import { buildSecantusRs } from './secantus-build.js';
import { startStack, type StackUrls } from './stack.js';
import {
  allRecords,
  endRecorded,
  livingParts,
  partsOf,
  readRecord,
  type PartRecord,
  type StackRecord,
} from './stack-record.js';
import { surroundingsOf } from './surroundings.js';

/** `print` is the command's answer and goes to standard output; `say` is what happens meanwhile. */
export interface CommandOptions {
  readonly print: (line: string) => void;
  readonly say: (line: string) => void;
  /** Lines that replace each other on a terminal; made from `say` when absent. */
  readonly progress?: Progress;
  readonly cacheDir?: string;
}

export interface StackUpOptions extends CommandOptions {
  /** Where the data lies; `running` in the cache folder when absent. */
  readonly dataDir?: string;
  readonly mongodb?: MongodbServer;
}

/** Starts the stack, leaves it running and prints where it is as shell exports. Running already: prints only. */
export async function stackUp(options: StackUpOptions): Promise<StackUrls> {
  const { cacheDir } = surroundingsOf(process.env, options.cacheDir);
  const dataDir = options.dataDir ?? join(cacheDir, 'running');
  const running = leftRunning(cacheDir).find((record) => livingParts(record).length > 0);
  if (running !== undefined)
    options.say(`a stack is running already (${running.dataDir}); fleet-twin stack down ends it`);
  const urls = running === undefined ? await startDetached({ ...options, dataDir }) : urlsOf(running);
  for (const line of exportsOf(urls)) options.print(line);
  return urls;
}

/** Ends what `stackUp` left running, and nothing else. The data stay where they are. */
export async function stackDown(options: CommandOptions & { readonly dataDir?: string }): Promise<void> {
  const { cacheDir } = surroundingsOf(process.env, options.cacheDir);
  const records =
    options.dataDir === undefined ? leftRunning(cacheDir) : [readRecord(options.dataDir)].filter(isDetached);
  if (records.length === 0) options.say('no stack is running');
  for (const record of records) {
    for (const [name, part] of livingParts(record))
      options.say(`${name}: ending ${part.server} (pid ${part.process?.pid})`);
    await endRecorded(cacheDir, record);
  }
}

/** Gives whether every part of every running stack answers. */
export async function stackStatus(options: CommandOptions): Promise<boolean> {
  const { cacheDir } = surroundingsOf(process.env, options.cacheDir);
  const records = allRecords(cacheDir);
  if (records.length === 0) options.print('no stack is running');
  const healthy: boolean[] = [];
  for (const record of records) {
    const rows = await Promise.all(partsOf(record).map(([name, part]) => statusRow(name, part)));
    options.print(
      `${record.dataDir} (${record.owner === undefined ? 'left running' : `of process ${record.owner.pid}`})`,
    );
    table([['part', 'server', 'pid', 'port', 'state'], ...rows]).forEach(options.print);
    healthy.push(...rows.map((row) => row[4] === 'healthy'));
  }
  return records.length > 0 && healthy.every(Boolean);
}

/** Compiles the faster database server into the cache. */
export async function buildDb(options: CommandOptions): Promise<void> {
  const progress = options.progress ?? lineProgress(options.say);
  const program = await buildSecantusRs(surroundingsOf(process.env, options.cacheDir), progress);
  options.print(program);
}

/** Prints what each part would be. Gives whether everything that is needed can be had. Starts nothing. */
export function doctor(options: CommandOptions): boolean {
  const findings = examine(surroundingsOf(process.env, options.cacheDir));
  report(findings).forEach(options.print);
  return findings.every(({ part, choice }) => choice.source !== 'missing' || part === 'tensorflow' || part === 'java');
}

async function startDetached(options: StackUpOptions & { readonly dataDir: string }): Promise<StackUrls> {
  const { dataDir, say, mongodb, cacheDir } = options;
  const stack = await startStack({
    dataDir,
    say,
    mongodb,
    detached: true,
    ...(cacheDir !== undefined && { cacheDir }),
  });
  return stack.urls;
}

function leftRunning(cacheDir: string): StackRecord[] {
  return allRecords(cacheDir).filter(isDetached);
}

function isDetached(record: StackRecord | undefined): record is StackRecord {
  return record !== undefined && record.owner === undefined;
}

function urlsOf({ parts }: StackRecord): StackUrls {
  return { mongodbUri: parts.mongodb?.url ?? '', kafkaBrokers: parts.kafka?.url ?? '', mqttUrl: parts.mqtt?.url ?? '' };
}

function exportsOf({ mongodbUri, kafkaBrokers, mqttUrl }: StackUrls): string[] {
  return [
    `export MONGODB_URI='${mongodbUri}'`,
    `export KAFKA_BROKERS='${kafkaBrokers}'`,
    `export MQTT_URL='${mqttUrl}'`,
  ];
}

async function statusRow(name: PartName, part: PartRecord): Promise<string[]> {
  const port = /:(\d+)\D*$/.exec(part.url)?.[1] ?? '-';
  return [name, part.server, String(part.process?.pid ?? '-'), port, await stateOf(name, part)];
}

async function stateOf(name: PartName, part: PartRecord): Promise<string> {
  if (part.process !== undefined && !isRunning(part.process)) return 'ended';
  return PARTS[name].probe(part.url).then(
    () => 'healthy',
    (error: unknown) => `does not answer (${error instanceof Error ? error.message : String(error)})`,
  );
}
