import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const DEFAULT_MODEL = 'models/default';

/** The shipped model under another name, with changes to its metadata. @returns its folder, under `parent` */
export function aModelFolder(
  parent: string,
  changes: Readonly<{ version: string }> & Readonly<Record<string, unknown>>,
): string {
  const dir = join(parent, `model-${changes.version}`);
  cpSync(DEFAULT_MODEL, dir, { recursive: true });
  const file = join(dir, 'metadata.json');
  const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...metadata, ...changes }));
  return dir;
}
