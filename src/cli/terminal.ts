// A terminal that went away is no reason to leave servers behind: what is said to it is lost, the rest goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** What a command answers: standard output. */
export function answer(line: string): void {
  process.stdout.write(`${line}\n`);
}

const CLEAR = process.stderr.isTTY ? '\r\u001B[K' : '';

/** What happens meanwhile: standard error. */
export function tell(line: string): void {
  process.stderr.write(`${CLEAR}${line}\n`);
}

const QUIET_TICK = 5_000;
let nextTick = 0;

/** A line that the next one replaces; where nobody watches, one in five seconds. */
export function tick(line: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`${CLEAR}${line.slice(0, (process.stderr.columns || 80) - 1)}`);
    return;
  }
  if (Date.now() < nextTick) return;
  nextTick = Date.now() + QUIET_TICK;
  process.stderr.write(`${line}\n`);
}
