import { join } from 'node:path';
import { CommandFailed, runCommand } from './command-run.js';

/** Makes a virtual environment in `folder`, so that nothing of the user's Python is touched. */
export async function makePython(folder: string): Promise<void> {
  try {
    await runCommand('python3', ['-m', 'venv', folder]);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Error(`python3 cannot make a virtual environment (Debian: apt install python3-venv). ${error.message}`, {
      cause: error,
    });
  }
}

export function pipOf(folder: string): string {
  return join(folder, 'bin', 'pip');
}

export function pythonOf(folder: string): string {
  return join(folder, 'bin', 'python');
}
