#!/usr/bin/env node
// Brings a fresh checkout to where `fleet-twin` runs: dependencies, compiled sources, native TensorFlow, the servers.
// Plain JavaScript, since it runs before anything is installed. `--no-stack` leaves the servers out.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileSources } from './setup-compile.mjs';
import { installDependencies } from './setup-dependencies.mjs';
import { holdSetupLock } from './setup-lock.mjs';
import { terminalProgress } from './setup-progress.mjs';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const progress = terminalProgress(process.stderr);
const OLDEST_NODE = [20, 19];

try {
  assertNode();
  const started = Date.now();
  const release = await holdSetupLock(project, progress);
  try {
    await installDependencies(project, progress);
    await compileSources(project, progress);
    const { setUpMachine } = await import(pathToFileURL(join(project, 'dist', 'stack', 'machine-setup.js')).href);
    await setUpMachine(project, !process.argv.includes('--no-stack'), progress);
  } finally {
    release();
  }
  if (Date.now() - started > 2_000) progress.say(`set-up: done in ${((Date.now() - started) / 1000).toFixed(0)} s`);
} catch (error) {
  progress.say(`set-up failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function assertNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}`);
}
