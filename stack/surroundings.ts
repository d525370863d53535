import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** What the choice of a provider looks at; tests hand in their own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cacheDir: string;
  /** The full path of a program, or undefined when it is not on the PATH. */
  readonly onPath: (program: string) => string | undefined;
}

export function surroundingsOf(env: NodeJS.ProcessEnv, cacheDir = cacheFolder(env)): Surroundings {
  return {
    env,
    cacheDir,
    onPath: (program) => findOnPath(program, `${env['PATH'] ?? ''}${delimiter}${SERVER_FOLDER}`),
  };
}

/** Where Debian puts servers; it is not on everybody's PATH. */
const SERVER_FOLDER = '/usr/sbin';

/** `FLEET_TWIN_CACHE`, or `fleet-twin` under the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return (
    env['FLEET_TWIN_CACHE'] || join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'fleet-twin')
  );
}

export function findOnPath(program: string, path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
