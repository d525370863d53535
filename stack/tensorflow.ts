import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, installOnce } from './cached-install.js';
import { runCommand } from './command-run.js';
import type { Choice } from './part.js';
import type { Progress } from './progress.js';
import type { Surroundings } from './surroundings.js';
import { installFromWheel, wheelObstacle } from './tensorflow-wheel.js';
import { installByItself } from './tensorflow-own-install.js';
import { TENSORFLOW_WHEEL } from './versions.js';

const STAMP = '.fleet-twin-tensorflow';
/** After this long a set-up that had failed is tried again. */
const TRY_AGAIN_AFTER_MS = 24 * 3600 * 1000;
const LOADS =
  "const u = require('util'); u.isNullOrUndefined ??= (value) => value == null; require('@tensorflow/tfjs-node');";

/**
 * Makes `@tensorflow/tfjs-node` load: it is installed without its own script, which downloads a library. Never fails:
 * without it the WebAssembly backend takes its place, and the outcome says why.
 */
export async function setUpTensorflow(
  projectDir: string,
  surroundings: Surroundings,
  progress: Progress,
): Promise<Choice> {
  const known = readStamp(projectDir);
  const outcome = known ?? (await makeNative(projectDir, surroundings, progress));
  if (outcome.source === 'missing') progress.say(`tensorflow: ${outcome.why}; WebAssembly takes its place`);
  if (known === undefined) writeStamp(projectDir, outcome);
  return outcome;
}

/** What set-up made of it last time; for people to look at. */
export function describeTensorflow(projectDir: string, { cacheDir }: Surroundings): Choice {
  const stamp = readStamp(projectDir);
  if (stamp !== undefined) return stamp;
  if (cached(cacheDir, cacheName(projectDir)) !== undefined) return native('cache', projectDir, 'built into the cache');
  return native('fetch', projectDir, 'set-up makes it: node stack/setup.mjs');
}

async function makeNative(projectDir: string, surroundings: Surroundings, progress: Progress): Promise<Choice> {
  const { cacheDir } = surroundings;
  if (await loads(projectDir)) return native('path', projectDir, 'it loads as installed');
  try {
    const install = (folder: string): Promise<void> => fill(folder, projectDir, surroundings, progress);
    const present = cached(cacheDir, cacheName(projectDir)) !== undefined;
    const folder = await installOnce({ cacheDir, name: cacheName(projectDir), install }, progress);
    linkPackage(projectDir, folder);
    if (await loads(projectDir))
      return native('cache', projectDir, present ? 'linked from the cache' : 'built into the cache');
    if (!present) return webAssembly('the native library does not load here');
    // Built on another system, or for a Node that has gone: make it anew.
    rmSync(folder, { recursive: true, force: true });
    return await makeNative(projectDir, surroundings, progress);
  } catch (error) {
    unlinkPackage(projectDir);
    return webAssembly(error instanceof Error ? error.message : String(error));
  }
}

async function fill(folder: string, projectDir: string, surroundings: Surroundings, progress: Progress): Promise<void> {
  unlinkPackage(projectDir);
  if (await installByItself(packageFolder(projectDir), folder, progress)) return;
  const obstacle = wheelObstacle(surroundings);
  if (obstacle !== undefined) throw new Error(obstacle);
  await installFromWheel(folder, () => linkPackage(projectDir, folder), projectDir, progress);
}

function native(source: Choice['source'], projectDir: string, why: string): Choice {
  return { source, server: 'native', version: packageVersion(projectDir), why };
}

function webAssembly(reason: string): Choice {
  const why = `native TensorFlow cannot be had (${lastComplaint(reason)})`;
  const advice = 'native TensorFlow is tried again after a day, or at once when node_modules is removed';
  return { source: 'missing', server: 'WebAssembly', version: '', why, advice };
}

/** Of what a program said the last line that speaks of an error. */
function lastComplaint(output: string): string {
  const lines = output.trim().split('\n').reverse();
  return lines.find((line) => /\berr(or)?\b/i.test(line)) ?? lines[0] ?? '';
}

async function loads(projectDir: string): Promise<boolean> {
  if (!existsSync(join(packageFolder(projectDir), 'lib'))) return false;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  return runCommand(process.execPath, ['-e', LOADS], { cwd: projectDir, env, timeoutMs: 60_000 }).then(
    () => true,
    () => false,
  );
}

/** The library and the binding find each other by relative path, so both links go into the same folder. */
function linkPackage(projectDir: string, folder: string): void {
  unlinkPackage(projectDir);
  for (const name of ['deps', 'lib']) symlinkSync(join(folder, name), join(packageFolder(projectDir), name));
}

function unlinkPackage(projectDir: string): void {
  for (const name of ['deps', 'lib']) rmSync(join(packageFolder(projectDir), name), { recursive: true, force: true });
}

function readStamp(projectDir: string): Choice | undefined {
  try {
    const stamp = JSON.parse(readFileSync(join(projectDir, 'node_modules', STAMP), 'utf8')) as {
      at: number;
      choice: Choice;
    };
    const isNative = stamp.choice.source !== 'missing';
    const stands = isNative
      ? existsSync(join(packageFolder(projectDir), 'lib'))
      : Date.now() - stamp.at < TRY_AGAIN_AFTER_MS;
    return stands ? stamp.choice : undefined;
  } catch {
    return undefined;
  }
}

function writeStamp(projectDir: string, choice: Choice): void {
  writeFileSync(join(projectDir, 'node_modules', STAMP), JSON.stringify({ at: Date.now(), choice }));
}

function packageFolder(projectDir: string): string {
  return join(projectDir, 'node_modules', '@tensorflow', 'tfjs-node');
}

function packageVersion(projectDir: string): string {
  const manifest = readFileSync(join(packageFolder(projectDir), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function cacheName(projectDir: string): string {
  return `tensorflow-${packageVersion(projectDir)}-${TENSORFLOW_WHEEL.version}-${process.platform}-${process.arch}`;
}
