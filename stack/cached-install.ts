import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './file-lock.js';
import type { Progress } from './progress.js';

const MARKER = '.complete';

export interface CachedInstall {
  readonly cacheDir: string;
  readonly name: string;
  /** Fills `folder`, which exists and is empty. */
  readonly install: (folder: string) => Promise<void>;
  /** For what remembers where it was made, such as a Python environment: made in place, not made and moved. */
  readonly inPlace?: boolean;
}

/** The folder `name` of the cache when it is whole, else undefined. */
export function cached(cacheDir: string, name: string): string | undefined {
  const folder = join(cacheDir, name);
  return existsSync(join(folder, MARKER)) ? folder : undefined;
}

/** Gives the folder `name` of the cache, filled once; concurrent set-ups wait for the one that fills it. */
export async function installOnce(wanted: CachedInstall, progress: Progress): Promise<string> {
  const { cacheDir, name } = wanted;
  const present = cached(cacheDir, name);
  if (present !== undefined) return present;
  const onWait = (pid: number): void => progress.say(`waiting for process ${pid}, which is setting up ${name}`);
  return withLock(join(cacheDir, `${name}.lock`), onWait, async () => cached(cacheDir, name) ?? (await fill(wanted)));
}

async function fill({ cacheDir, name, install, inPlace = false }: CachedInstall): Promise<string> {
  const folder = join(cacheDir, name);
  removeUnfinished(cacheDir, name);
  rmSync(folder, { recursive: true, force: true });
  const workplace = inPlace ? folder : join(cacheDir, `${name}.unfinished-${process.pid}`);
  mkdirSync(workplace, { recursive: true });
  try {
    await install(workplace);
    writeFileSync(join(workplace, MARKER), '');
    if (!inPlace) renameSync(workplace, folder);
  } catch (error) {
    rmSync(workplace, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** What an installation that was killed left behind; the lock is held, so nobody is at it. */
function removeUnfinished(cacheDir: string, name: string): void {
  const leftovers = readdirSync(cacheDir).filter((entry) => entry.startsWith(`${name}.unfinished-`));
  leftovers.forEach((entry) => rmSync(join(cacheDir, entry), { recursive: true, force: true }));
}
