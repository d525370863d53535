import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached, installOnce } from './cached-install.js';
import { runCommand } from './command-run.js';
import { folderMegabytes } from './folder-size.js';
import type { Choice, Source } from './part.js';
import { withTicks, type Progress } from './progress.js';
import { makePython, pipOf } from './python.js';
import type { Surroundings } from './surroundings.js';
import { SECANTUS_PY_VERSION, SECANTUS_RS_VERSION } from './versions.js';

/**
 * SecantusDB speaks MongoDB's wire protocol over WiredTiger. It is run as a program of its own and never linked.
 * There are two servers: one from a Python package, one in Rust that has to be compiled and is 5 to 10 times faster.
 */
export const SECANTUS_RS_CACHE = `secantusd-rs-${SECANTUS_RS_VERSION}`;
const SECANTUS_PY_CACHE = `secantusd-py-${SECANTUS_PY_VERSION}`;

export function findSecantusRs({ cacheDir, onPath }: Surroundings): { source: Source; location: string } | undefined {
  const onThePath = onPath('secantusd-rs');
  if (onThePath !== undefined) return { source: 'path', location: onThePath };
  const folder = cached(cacheDir, SECANTUS_RS_CACHE);
  return folder === undefined ? undefined : { source: 'cache', location: join(folder, 'bin', 'secantusd-rs') };
}

export function chooseSecantusPy({ cacheDir, onPath }: Surroundings): Choice {
  const what = { server: 'secantusd-py', version: SECANTUS_PY_VERSION };
  const faster = 'secantusd-rs is 5 to 10 times faster: fleet-twin stack build-db (5 minutes)';
  const folder = cached(cacheDir, SECANTUS_PY_CACHE);
  const location = folder === undefined ? undefined : join(folder, 'bin', 'secantusd-py');
  if (location !== undefined && existsSync(location)) {
    return { ...what, source: 'cache', why: 'no mongod on the PATH', location, advice: faster };
  }
  if (onPath('python3') !== undefined) {
    return { ...what, source: 'fetch', why: 'no mongod on the PATH; pip fetches it', advice: faster };
  }
  const advice =
    'name a MongoDB in MONGODB_URI, or install mongod, or python3 with venv (Debian: apt install python3-venv)';
  return { ...what, source: 'missing', why: 'neither mongod nor python3 on the PATH', advice };
}

export async function installSecantusPy(cacheDir: string, progress: Progress): Promise<void> {
  const install = async (folder: string): Promise<void> => {
    const describe = (seconds: number): string =>
      `SecantusDB ${SECANTUS_PY_VERSION}: fetching, ${folderMegabytes(folder)} MB, ${seconds} s`;
    await withTicks(progress, describe, async () => {
      await makePython(folder);
      await runCommand(pipOf(folder), ['install', '--quiet', '--no-cache-dir', `SecantusDB==${SECANTUS_PY_VERSION}`]);
    });
  };
  await installOnce({ cacheDir, name: SECANTUS_PY_CACHE, install, inPlace: true }, progress);
}
