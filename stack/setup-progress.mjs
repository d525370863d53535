const QUIET_TICK_MS = 10_000;

/**
 * On a terminal a tick replaces the one before; elsewhere there is one in ten seconds.
 * @param {NodeJS.WriteStream} stream
 */
export function terminalProgress(stream) {
  let nextTick = Date.now() + QUIET_TICK_MS;
  const clear = stream.isTTY ? '\r\u001B[K' : '';
  process.once('exit', () => stream.write(clear));
  return {
    /** @param {string} line */
    say(line) {
      stream.write(`${clear}${line}\n`);
    },
    /** @param {string} line */
    tick(line) {
      if (stream.isTTY) stream.write(`${clear}${line.slice(0, (stream.columns || 80) - 1)}`);
      else if (Date.now() >= nextTick) {
        nextTick = Date.now() + QUIET_TICK_MS;
        stream.write(`${line}\n`);
      }
    },
  };
}
