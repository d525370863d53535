import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BadModelError } from '../score/model-folder.js';

/** A file of a model's folder. */
export interface ArtefactFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

/** A model's folder as it is stored: known by what it holds, not by what it is called. */
export interface Artefact {
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly threshold: number | null;
  readonly files: readonly ArtefactFile[];
  /** SHA-256 over the paths and hashes of the files, in the order of the paths. */
  readonly sha256: string;
}

/** bytes; a network for cars is a thousandth of it */
const LARGEST = 256 * 1_048_576;

const said = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const headSchema = z.looseObject({
  name: said,
  version: said,
  kind: z.string().default('autoencoder'),
  threshold: z.number().nullable().default(null),
});

/** @throws BadModelError where the folder cannot be read or its metadata.json does not name a model */
export function readArtefact(dir: string): Artefact {
  const files = filesOf(dir);
  const metadata = files.find(({ path }) => path === 'metadata.json');
  if (!metadata) throw new BadModelError(dir, 'metadata.json is missing');
  const { name, version, kind, threshold } = headOf(dir, metadata.bytes);
  return { name, version, kind, threshold, files, sha256: hashOfFiles(files) };
}

export function hashOfFiles(files: readonly Pick<ArtefactFile, 'path' | 'sha256'>[]): string {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return sha256(Buffer.from(sorted.map(({ path, sha256: hash }) => `${path} ${hash}\n`).join('')));
}

/** Writes the files into a folder that is made. */
export function writeArtefact(dir: string, files: readonly ArtefactFile[]): void {
  mkdirSync(dir, { recursive: true });
  for (const { path, bytes } of files) writeFileSync(join(dir, path), bytes);
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function filesOf(dir: string): ArtefactFile[] {
  try {
    const names = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isFile());
    const files = names.map(({ name: path }) => {
      const bytes = readFileSync(join(dir, path));
      return { path, bytes, sha256: sha256(bytes) };
    });
    const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (size > LARGEST) throw new BadModelError(dir, `its files have ${size} bytes, more than ${LARGEST}`);
    return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  } catch (error) {
    if (error instanceof BadModelError) throw error;
    throw new BadModelError(dir, `it cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function headOf(dir: string, bytes: Buffer): z.infer<typeof headSchema> {
  try {
    return headSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new BadModelError(dir, `metadata.json is not what it should be: ${problem}`, { cause: error });
  }
}
