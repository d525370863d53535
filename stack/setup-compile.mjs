import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './setup-program.mjs';

const SOURCE_FOLDERS = ['src', 'stack', 'bench'];
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/** Compiles into dist/ when a source has changed since the last time. */
export async function compileSources(project, progress) {
  const stamp = join(project, 'dist', '.fleet-twin-sources');
  const fingerprint = fingerprintOf(project);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return;
  const started = Date.now();
  // Without a stamp the folder is not known to hold what an incremental build would leave as it is.
  if (!existsSync(stamp)) rmSync(join(project, 'dist', '.tsbuildinfo'), { force: true });
  progress.tick('sources: compiling');
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  const tick = (seconds) => progress.tick(`sources: compiling, ${seconds} s`);
  try {
    await runProgram(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: project, tick });
  } catch (error) {
    throw new Error(`the sources do not compile (npx tsc -p tsconfig.build.json): ${error.message}`, { cause: error });
  }
  mkdirSync(join(project, 'dist'), { recursive: true });
  writeFileSync(stamp, fingerprint);
  progress.say(`sources: compiled in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

/** Names, sizes and times of change: reading every file would take longer than the rest of a set-up with nothing to do. */
function fingerprintOf(project) {
  const files = [
    ...SOURCE_FOLDERS.flatMap((folder) => sourcesIn(join(project, folder))),
    ...SETTINGS.map((file) => join(project, file)),
  ];
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return entries
    .filter((entry) => entry.endsWith('.ts') && !entry.endsWith('.spec.ts'))
    .map((entry) => join(folder, entry));
}
