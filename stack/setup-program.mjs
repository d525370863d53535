import { spawn } from 'node:child_process';

/** npm and the compiler say first what is wrong, and then much else. */
const SHOWN_LINES = 15;

/**
 * Runs a program without its noise and gives what it said; rejects with the first of that.
 * `tick(seconds)` is called twice a second.
 */
export function runProgram(command, args, { cwd, env = process.env, tick }) {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const timer = setInterval(() => tick(Math.round((Date.now() - started) / 1000)), 500);
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(0, 100_000);
      });
    }
    const settle = (failure) => {
      clearInterval(timer);
      const shown = output.trim().split('\n').slice(0, SHOWN_LINES).join('\n');
      if (failure === undefined) resolve(output);
      else reject(new Error(`${failure}${shown === '' ? '' : `\n${shown}`}`));
    };
    child.once('error', (error) => settle(`${command} did not start (${error.message})`));
    child.once('close', (code, signal) => settle(code === 0 ? undefined : `it ended with ${signal ?? `code ${code}`}`));
  });
}
