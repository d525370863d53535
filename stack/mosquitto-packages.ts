import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command-run.js';
import { withTicks, type Progress } from './progress.js';

/** The packages fit one release of one system only, so both are part of the folder's name. */
export function mosquittoCacheName(): string {
  return `mosquitto-${systemName()}-${process.arch}`;
}

function systemName(): string {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const value = (key: string): string => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(release)?.[1] ?? 'unknown';
    return `${value('ID')}-${value('VERSION_ID')}`;
  } catch {
    return process.platform;
  }
}

/** Unpacks mosquitto and those of its libraries that the system lacks. Needs no root and installs nothing. */
export async function installMosquitto(folder: string, progress: Progress): Promise<void> {
  const describe = (seconds: number): string => `mosquitto: fetching its packages, ${seconds} s`;
  await withTicks(progress, describe, async () => {
    const packages = join(folder, 'packages');
    mkdirSync(packages);
    await download(packages, join(folder, 'lists'), progress);
    for (const file of readdirSync(packages)) await runCommand('dpkg', ['-x', join(packages, file), folder]);
    rmSync(packages, { recursive: true });
    rmSync(join(folder, 'lists'), { recursive: true, force: true });
    const program = join(folder, 'usr', 'sbin', 'mosquitto');
    await runCommand(program, ['-h'], { env: libraryEnvironment(folder) }).catch(explainUnlessItRan);
  });
}

/** The system's package lists when they are there and fresh, else a private copy of them. */
async function download(into: string, lists: string, progress: Progress): Promise<void> {
  try {
    await downloadWith([], into);
  } catch {
    progress.say('mosquitto: the package lists are missing or old; fetching them');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const options = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${lists}`];
    await runCommand('apt-get', [...options, ...asThisUser(), 'update', '-q']);
    await downloadWith(options, into);
  }
}

async function downloadWith(options: readonly string[], into: string): Promise<void> {
  const args = ['depends', '--recurse', '--no-recommends', '--no-suggests', '--no-conflicts', '--no-breaks'];
  const depends = await runCommand('apt-cache', [...options, ...args, '--no-replaces', '--no-enhances', 'mosquitto']);
  const installed = await runCommand('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n']);
  const wanted = missingPackages(depends, installed);
  await runCommand('apt-get', [...options, ...asThisUser(), 'download', '-q', ...wanted], { cwd: into });
}

/** Of `apt-cache depends --recurse`: mosquitto and the libraries that are not installed. */
export function missingPackages(depends: string, installed: string): string[] {
  const present = new Set(installed.split('\n').map((line) => line.replace(/^installed /, '')));
  const names = depends.split('\n').filter((line) => /^(mosquitto$|lib)/.test(line));
  return [...new Set(names.map((name) => name.replace(/:.*$/, '')))].filter((name) => !present.has(name));
}

/** As root apt would become a user of its own, who may not write the folder. */
function asThisUser(): string[] {
  return process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
}

export function libraryFolders(folder: string): string[] {
  return ['usr/lib', 'lib'].flatMap((parent) => {
    const path = join(folder, parent);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((entry) => entry.includes('-linux-'))
      .map((entry) => join(path, entry));
  });
}

function libraryEnvironment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, LD_LIBRARY_PATH: libraryFolders(folder).join(':') };
}

/** `mosquitto -h` ends with 3 when it runs; 127 means that a library is missing. */
function explainUnlessItRan(error: Error): void {
  if (!/ended with code [123]\b/.test(error.message)) throw error;
}
