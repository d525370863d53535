import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type AvroReader, avroReader } from './avro-reader.js';
import { DecodeFault } from './decode-fault.js';
import { Refusal } from './rejection.js';

/** What plain Avro is taken for when the record does not name its schema. */
export const CANONICAL = 'car-reading';

const IDS = z.record(z.string().regex(/^\d{1,10}$/), z.string());

/** The schemas that are known without a registry. */
export interface SchemaFiles {
  /** By the file's name without `.avsc`, and by the full name of its record. */
  readonly byName: ReadonlyMap<string, AvroReader>;
  /** By the ids of `ids.json`, which frames carry where no registry gives them out. */
  readonly byId: ReadonlyMap<number, AvroReader>;
}

/** Reads `*.avsc` and `ids.json` of a folder. Throws a DecodeFault: without its own schemas the service is not to start. */
export function readSchemaFiles(folder = projectFolder()): SchemaFiles {
  try {
    const byName = readByName(folder);
    if (!byName.has(CANONICAL)) throw new Error(`${CANONICAL}.avsc is missing`);
    return { byName, byId: readById(folder, byName) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DecodeFault('SCHEMAS_UNREADABLE', `schemas of ${folder}: ${why}`, error);
  }
}

/** A schema of the project's own folder, parsed from its JSON. @throws the file system's error */
export function readSchema(name: string): unknown {
  return JSON.parse(readFileSync(join(projectFolder(), `${name}.avsc`), 'utf8'));
}

function readByName(folder: string): Map<string, AvroReader> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'));
  return new Map(
    files.flatMap((file) => {
      const reader = avroReader(JSON.parse(readFileSync(join(folder, file), 'utf8')));
      if (reader instanceof Refusal) throw new Error(`${file}: ${reader.detail}`);
      return [
        [file.slice(0, -'.avsc'.length), reader],
        [reader.name, reader],
      ] as const;
    }),
  );
}

function readById(folder: string, byName: ReadonlyMap<string, AvroReader>): Map<number, AvroReader> {
  const file = join(folder, 'ids.json');
  if (!existsSync(file)) return new Map();
  const ids = Object.entries(IDS.parse(JSON.parse(readFileSync(file, 'utf8'))));
  return new Map(
    ids.map(([id, name]) => {
      const reader = byName.get(name);
      if (!reader) throw new Error(`ids.json names ${name}, which is no file here`);
      return [Number(id), reader] as const;
    }),
  );
}

/**
 * The canonical schema as JSON.
 * @throws DecodeFault SCHEMAS_UNREADABLE
 */
export function canonicalSchema(folder = projectFolder()): string {
  try {
    return readFileSync(join(folder, `${CANONICAL}.avsc`), 'utf8');
  } catch (error) {
    throw new DecodeFault('SCHEMAS_UNREADABLE', `${CANONICAL}.avsc of ${folder} cannot be read`, error);
  }
}

/** `schemas` beside the nearest package.json: the sources and what is built of them lie at different depths. */
function projectFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'schemas');
}
