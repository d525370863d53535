import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly onLine?: (line: string) => void;
  /** Aborting ends the program and everything that it has started. */
  readonly signal?: AbortSignal;
}

/** A program that ended badly, with the last of what it said. */
export class CommandFailed extends Error {
  constructor(command: string, outcome: string, output: string) {
    super(`${command} ${outcome}${output === '' ? '' : `:\n${output}`}`);
    this.name = 'CommandFailed';
  }
}

const KEPT_CHARACTERS = 200_000;
const SHOWN_LINES = 15;

/** Runs a program to its end and gives its standard output. Throws {@link CommandFailed}. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
      detached: options.signal !== undefined,
    });
    options.signal?.addEventListener('abort', () => killGroup(child.pid), { once: true });
    let output = '';
    let both = '';
    const keep = (text: string, isOutput: boolean): void => {
      if (isOutput) output = (output + text).slice(-KEPT_CHARACTERS);
      both = (both + text).slice(-KEPT_CHARACTERS);
      if (options.onLine !== undefined) text.split('\n').forEach(options.onLine);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => keep(text, true));
    child.stderr.setEncoding('utf8').on('data', (text: string) => keep(text, false));
    child.once('error', (error) => reject(new CommandFailed(command, `did not start (${error.message})`, '')));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new CommandFailed(command, `ended with ${signal ?? `code ${code}`}`, lastLines(both, SHOWN_LINES)));
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
