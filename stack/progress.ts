/** Where set-up says what it is doing. `say` stays on the screen; `tick` may be replaced by what comes next. */
export interface Progress {
  say(line: string): void;
  tick(line: string): void;
}

/** For callers that take whole lines only: ticks are thinned out to one in ten seconds. */
export function lineProgress(say: (line: string) => void, now: () => number = Date.now): Progress {
  let nextTick = now() + TICK_EVERY_MS;
  return {
    say,
    tick(line) {
      if (now() < nextTick) return;
      nextTick = now() + TICK_EVERY_MS;
      say(line);
    },
  };
}

const TICK_EVERY_MS = 10_000;

/** Runs `work` and ticks `describe(seconds)` twice a second until it is done. */
export async function withTicks<T>(
  progress: Progress,
  describe: (seconds: number) => string,
  work: () => Promise<T>,
): Promise<T> {
  const started = Date.now();
  const timer = setInterval(() => progress.tick(describe(Math.round((Date.now() - started) / 1000))), 500);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
