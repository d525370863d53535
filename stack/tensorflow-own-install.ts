import { cpSync, existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from './command-run.js';
import { folderMegabytes } from './folder-size.js';
import { withTicks, type Progress } from './progress.js';

/** A network that lets the download through shows its first bytes by then; one that swallows it must not cost more. */
const FIRST_BYTES_WITHIN_MS = 6_000;

/** Lets the package fetch its library itself, and moves that to `folder`. False where its servers are out of reach. */
export async function installByItself(packageDir: string, folder: string, progress: Progress): Promise<boolean> {
  const deps = join(packageDir, 'deps');
  const describe = (seconds: number): string =>
    `TensorFlow: its own download, ${folderMegabytes(deps)} MB, ${seconds} s`;
  const silence = new AbortController();
  const watchdog = setTimeout(() => folderMegabytes(deps) === 0 && silence.abort(), FIRST_BYTES_WITHIN_MS);
  try {
    await withTicks(progress, describe, () => rebuild(packageDir, { signal: silence.signal }));
    if (!existsSync(join(packageDir, 'lib'))) return false;
    for (const name of ['deps', 'lib']) moveInto(join(packageDir, name), join(folder, name));
    return true;
  } catch {
    for (const name of ['deps', 'lib']) rmSync(join(packageDir, name), { recursive: true, force: true });
    return false;
  } finally {
    clearTimeout(watchdog);
  }
}

export interface RebuildOptions {
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the package's install script, which the project's npm settings otherwise keep from running. */
export async function rebuild(packageDir: string, { signal, env }: RebuildOptions): Promise<void> {
  const { command, args } = npm('rebuild', '@tensorflow/tfjs-node');
  const options = {
    cwd: join(packageDir, '..', '..', '..'),
    env: { ...process.env, npm_config_ignore_scripts: 'false', ...headers(), ...env },
  };
  await runCommand(command, args, { ...options, ...(signal && { signal }) });
}

/** npm itself when it started us, since the one on the PATH may be another or none. */
function npm(...args: string[]): { command: string; args: string[] } {
  const running = process.env['npm_execpath'];
  return running?.endsWith('npm-cli.js') === true
    ? { command: process.execPath, args: [running, ...args] }
    : { command: 'npm', args };
}

/** Node's own headers, when they lie beside it: node-gyp would download them otherwise. */
function headers(): NodeJS.ProcessEnv {
  const prefix = dirname(dirname(process.execPath));
  const present = existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  return present ? { npm_package_config_node_gyp_nodedir: prefix, npm_config_nodedir: prefix } : {};
}

/** Copied, not renamed: the cache may be on another disk. */
function moveInto(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  rmSync(from, { recursive: true });
}
