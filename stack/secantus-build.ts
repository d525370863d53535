import { delimiter, join } from 'node:path';
import { rmSync } from 'node:fs';
import { cached, installOnce } from './cached-install.js';
import { runCommand } from './command-run.js';
import { withTicks, type Progress } from './progress.js';
import { makePython, pipOf } from './python.js';
import { SECANTUS_RS_CACHE } from './secantus.js';
import type { Surroundings } from './surroundings.js';
import { SECANTUS_RS_VERSION } from './versions.js';

/** About how many crates the build goes through; only for people who wait. */
const CRATES = 190;
const COMPILERS = ['cc', 'gcc', 'clang'];
/** These two come as Python wheels where the system lacks them. */
const WHEELS = ['cmake', 'ninja'];

/** Compiles secantusd-rs into the cache, once. Five minutes on two cores. Gives the program's file. */
export async function buildSecantusRs(surroundings: Surroundings, progress: Progress): Promise<string> {
  const program = (folder: string): string => join(folder, 'bin', 'secantusd-rs');
  const present = cached(surroundings.cacheDir, SECANTUS_RS_CACHE);
  if (present !== undefined) return program(present);
  const missing = missingTools(surroundings);
  if (missing.length > 0)
    throw new Error(`secantusd-rs cannot be compiled here:\n${missing.map((line) => `  ${line}`).join('\n')}`);
  const install = (folder: string): Promise<void> => compile(folder, surroundings, progress);
  const folder = await installOnce({ cacheDir: surroundings.cacheDir, name: SECANTUS_RS_CACHE, install }, progress);
  return program(folder);
}

/** One line for each tool that is missing, with how to get it. */
export function missingTools({ onPath }: Surroundings): string[] {
  const lines: string[] = [];
  if (onPath('cargo') === undefined)
    lines.push('cargo is missing: install Rust 1.85 or newer with rustup (Debian: apt install rustup)');
  if (COMPILERS.every((name) => onPath(name) === undefined)) {
    lines.push('a C compiler is missing (Debian: apt install build-essential)');
  }
  const wanted = WHEELS.filter((name) => onPath(name) === undefined);
  if (wanted.length > 0 && onPath('python3') === undefined) {
    lines.push(
      `${wanted.join(' and ')} missing (Debian: apt install cmake ninja-build), and no python3 to fetch them with`,
    );
  }
  return lines;
}

async function compile(folder: string, surroundings: Surroundings, progress: Progress): Promise<void> {
  const tools = await fetchTools(join(folder, 'tools'), surroundings, progress);
  const target = join(folder, 'target');
  const path = [...tools, surroundings.env['PATH'] ?? ''].join(delimiter);
  const args = [
    'install',
    'secantus-mdb',
    '--version',
    SECANTUS_RS_VERSION,
    '--locked',
    '--ignore-rust-version',
    '--root',
    folder,
  ];
  let crates = 0;
  const onLine = (line: string): void => void (crates += Number(/^\s*Compiling /.test(line)));
  const describe = (seconds: number): string =>
    `secantusd-rs: compiling, ${crates} of about ${CRATES} crates, ${seconds} s`;
  await withTicks(progress, describe, () =>
    runCommand('cargo', args, { env: { ...process.env, PATH: path, CARGO_TARGET_DIR: target }, onLine }),
  );
  for (const leftover of [target, join(folder, 'tools')]) rmSync(leftover, { recursive: true, force: true });
}

async function fetchTools(folder: string, { onPath }: Surroundings, progress: Progress): Promise<string[]> {
  const wanted = WHEELS.filter((name) => onPath(name) === undefined);
  if (wanted.length === 0) return [];
  progress.say(`secantusd-rs: fetching ${wanted.join(' and ')} from PyPI`);
  await makePython(folder);
  await runCommand(pipOf(folder), ['install', '--quiet', ...wanted]);
  return [join(folder, 'bin')];
}
