import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command-run.js';
import { folderMegabytes } from './folder-size.js';
import { withTicks, type Progress } from './progress.js';
import { makePython, pipOf, pythonOf } from './python.js';
import type { Surroundings } from './surroundings.js';
import { rebuild } from './tensorflow-own-install.js';
import { TENSORFLOW_WHEEL, TFJS_LIBRARY_FILE } from './versions.js';

/** Takes out of the wheel the two libraries and the headers that the binding is compiled with: a tenth of its files. */
const UNPACK = `
import os, shutil, sys, zipfile
wheel, target = sys.argv[1:]
libraries = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2')
headers = tuple('tensorflow/include/' + part for part in ('tensorflow/c/', 'tensorflow/core/platform/', 'tensorflow/tsl/', 'tsl/'))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.endswith('/') or not (name in libraries or name.startswith(headers)):
            continue
        place = os.path.join(target, 'lib/' + os.path.basename(name) if name in libraries else name[len('tensorflow/'):])
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with archive.open(name) as source, open(place, 'wb') as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
`;

/** Why the wheel is of no use here, or undefined. */
export function wheelObstacle({ onPath }: Surroundings): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `no library for ${process.platform} on ${process.arch}`;
  const missing = ['python3', 'make', 'g++'].filter((program) => onPath(program) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(', ')} missing, which compile its binding`;
}

/** Fills `folder` with deps/ and lib/. `link` makes the npm package use it, which its install script builds into. */
export async function installFromWheel(
  folder: string,
  link: () => void,
  projectDir: string,
  progress: Progress,
): Promise<void> {
  const wheel = await downloadWheel(join(folder, 'download'), progress);
  const deps = join(folder, 'deps');
  await withTicks(
    progress,
    (seconds) => `TensorFlow: unpacking, ${folderMegabytes(deps)} MB, ${seconds} s`,
    () => runCommand(pythonOf(join(folder, 'download', 'python')), ['-c', UNPACK, wheel, deps]),
  );
  rmSync(join(folder, 'download'), { recursive: true });
  nameLibraries(join(deps, 'lib'));
  mkdirSync(join(folder, 'lib'));
  link();
  await withTicks(
    progress,
    (seconds) => `TensorFlow: compiling the binding, ${seconds} s`,
    () =>
      rebuild(join(projectDir, 'node_modules', '@tensorflow', 'tfjs-node'), {
        env: { npm_config_build_from_source: 'true' },
      }),
  );
  if (readdirSync(join(folder, 'lib')).length === 0) throw new Error('its binding was not built');
}

async function downloadWheel(folder: string, progress: Progress): Promise<string> {
  const python = join(folder, 'python');
  const wheels = join(folder, 'wheels');
  const temporary = join(folder, 'temporary');
  [wheels, temporary].forEach((path) => mkdirSync(path, { recursive: true }));
  await makePython(python);
  // pip checks the hash itself.
  const requirements = join(folder, 'requirements.txt');
  writeFileSync(requirements, `${TENSORFLOW_WHEEL.requirement} --hash=sha256:${TENSORFLOW_WHEEL.sha256}\n`);
  const describe = (seconds: number): string => {
    const megabytes = Math.max(folderMegabytes(temporary), folderMegabytes(wheels));
    return `TensorFlow ${TENSORFLOW_WHEEL.version}: fetching, ${megabytes} of ${TENSORFLOW_WHEEL.megabytes} MB, ${seconds} s`;
  };
  const args = [
    'download',
    '--quiet',
    '--no-cache-dir',
    '--retries',
    '2',
    '--dest',
    wheels,
    ...wheelOptions(),
    '--requirement',
    requirements,
  ];
  await withTicks(progress, describe, () =>
    runCommand(pipOf(python), args, { env: { ...process.env, TMPDIR: temporary } }),
  );
  const [wheel] = readdirSync(wheels);
  if (wheel === undefined) throw new Error('pip fetched no wheel');
  return join(wheels, wheel);
}

function wheelOptions(): string[] {
  const { python, abi, platforms } = TENSORFLOW_WHEEL;
  const target = ['--implementation', 'cp', '--python-version', python, '--abi', abi];
  const platformOptions = platforms.flatMap((platform) => ['--platform', platform]);
  return ['--no-deps', '--require-hashes', '--only-binary', ':all:', ...target, ...platformOptions];
}

/** The names that the linker and the npm package look for. */
function nameLibraries(folder: string): void {
  const names = [TFJS_LIBRARY_FILE, 'libtensorflow.so.2', 'libtensorflow.so'];
  for (const name of names) symlinkSync('libtensorflow_cc.so.2', join(folder, name));
  symlinkSync('libtensorflow_framework.so.2', join(folder, 'libtensorflow_framework.so'));
  if (!existsSync(join(folder, 'libtensorflow_cc.so.2'))) throw new Error('the wheel holds no libtensorflow_cc');
}
