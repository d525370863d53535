import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PART_NAMES, type PartName } from './part.js';
import { endProcess, isRunning, type ProcessIdentity } from './process-identity.js';

export interface PartRecord {
  readonly server: string;
  readonly url: string;
  /** Absent for a service that was named in the environment and is not ours. */
  readonly process?: ProcessIdentity;
}

/** What runs on a data folder and for whom. It outlives a run that was killed, and tells the next one what to end. */
export interface StackRecord {
  readonly dataDir: string;
  /** Made by us and removed at the end. */
  readonly temporary: boolean;
  /** The process that the stack belongs to, or that is starting it; absent once `stack up` has left it running. */
  readonly owner?: ProcessIdentity;
  readonly startedAt: string;
  readonly parts: Partial<Record<PartName, PartRecord>>;
  /** Programs that lean on the parts: ended before them. */
  readonly guests?: readonly PartRecord[];
}

const RECORD_FILE = 'stack.json';

/** The record lies in the data folder; the cache lists the folders, so that temporary ones are found too. */
export function writeRecord(cacheDir: string, record: StackRecord): void {
  const pointers = pointerFolder(cacheDir);
  mkdirSync(pointers, { recursive: true });
  mkdirSync(record.dataDir, { recursive: true });
  writeWhole(join(pointers, pointerName(record.dataDir)), record.dataDir);
  writeWhole(join(record.dataDir, RECORD_FILE), JSON.stringify(record, undefined, 2));
}

export function removeRecord(cacheDir: string, dataDir: string): void {
  rmSync(join(dataDir, RECORD_FILE), { force: true });
  rmSync(join(pointerFolder(cacheDir), pointerName(dataDir)), { force: true });
}

export function readRecord(dataDir: string): StackRecord | undefined {
  return parseFile(join(dataDir, RECORD_FILE)) as StackRecord | undefined;
}

export function allRecords(cacheDir: string): StackRecord[] {
  return pointers(cacheDir).flatMap(({ dataDir }) => readRecord(dataDir) ?? []);
}

export function isOwned(record: StackRecord): boolean {
  return record.owner === undefined ? livingParts(record).length > 0 : isRunning(record.owner);
}

/** In the order in which they are started, whichever was quicker. */
export function partsOf({ parts }: StackRecord): [PartName, PartRecord][] {
  return PART_NAMES.flatMap((name) =>
    parts[name] === undefined ? [] : [[name, parts[name]] as [PartName, PartRecord]],
  );
}

export function livingParts(record: StackRecord): [PartName, PartRecord][] {
  return partsOf(record).filter(([, part]) => part.process !== undefined && isRunning(part.process));
}

/** Ends every server of a record and, when it was temporary, removes its data. */
export async function endRecorded(cacheDir: string, record: StackRecord): Promise<void> {
  for (const { process } of record.guests ?? []) if (process !== undefined) await endProcess(process);
  for (const [, part] of livingParts(record).reverse()) {
    if (part.process !== undefined) await endProcess(part.process);
  }
  removeRecord(cacheDir, record.dataDir);
  if (record.temporary) rmSync(record.dataDir, { recursive: true, force: true });
}

/** Runs that were killed could not end what they had started. Gives one line for each part that was ended. */
export async function endLeftovers(cacheDir: string, dataDir?: string): Promise<string[]> {
  const here = dataDir === undefined ? undefined : readRecord(dataDir);
  const known = new Map(
    [...allRecords(cacheDir), ...(here === undefined ? [] : [here])].map((each) => [each.dataDir, each]),
  );
  const orphans = [...known.values()].filter((record) => !isOwned(record));
  const lines = orphans.flatMap((record) =>
    livingParts(record).map(([name, part]) => leftoverLine(name, part, record)),
  );
  for (const record of orphans) await endRecorded(cacheDir, record);
  removeDanglingPointers(cacheDir);
  return lines;
}

function leftoverLine(name: PartName, part: PartRecord, record: StackRecord): string {
  return `${name}: ended a leftover of a run that was killed (${part.server}, pid ${part.process?.pid}, ${record.dataDir})`;
}

function removeDanglingPointers(cacheDir: string): void {
  const dangling = pointers(cacheDir).filter(({ dataDir }) => readRecord(dataDir) === undefined);
  dangling.forEach(({ file }) => rmSync(file, { force: true }));
}

function pointers(cacheDir: string): { file: string; dataDir: string }[] {
  try {
    const files = readdirSync(pointerFolder(cacheDir)).filter((entry) => !entry.includes('.'));
    return files
      .map((entry) => join(pointerFolder(cacheDir), entry))
      .map((file) => ({ file, dataDir: readFileSync(file, 'utf8') }));
  } catch {
    return [];
  }
}

function pointerFolder(cacheDir: string): string {
  return join(cacheDir, 'stacks');
}

function pointerName(dataDir: string): string {
  return createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
}

/** A reader finds the old content or the new one, never half of it. */
function writeWhole(file: string, content: string): void {
  const unfinished = `${file}.${process.pid}.new`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}

function parseFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
