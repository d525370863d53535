import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './setup-program.mjs';

/** `npm ci` when node_modules is not the one that package-lock.json describes. */
export async function installDependencies(project, progress) {
  const lock = readFileSync(join(project, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  const modules = join(project, 'node_modules');
  const stamp = join(modules, '.fleet-twin-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  const total = Object.keys(JSON.parse(lock.toString()).packages).length - 1;
  const started = Date.now();
  progress.say(`dependencies: installing ${total} packages with npm ci`);
  await npmCi(project, (seconds) =>
    progress.tick(`dependencies: ${countPackages(modules)} of ${total} packages, ${seconds} s`),
  );
  writeFileSync(stamp, hash);
  progress.say(`dependencies: installed in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

async function npmCi(project, tick) {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm itself when it started us: the one on the PATH may be another or none.
  const running = process.env.npm_execpath;
  const [command, first] = running?.endsWith('npm-cli.js') ? [process.execPath, [running]] : ['npm', []];
  try {
    await runProgram(command, [...first, ...args], { cwd: project, tick });
  } catch (error) {
    throw new Error(`npm ci could not install the dependencies. Is the package registry in reach? ${error.message}`, {
      cause: error,
    });
  }
}

function countPackages(modules) {
  try {
    const entries = readdirSync(modules).filter((entry) => !entry.startsWith('.'));
    return entries.reduce(
      (sum, entry) => sum + (entry.startsWith('@') ? readdirSync(join(modules, entry)).length : 1),
      0,
    );
  } catch {
    return 0;
  }
}
