/** When messages are due: so many a second, or by their own times, so many times faster; neither: at once. */
export interface Pace {
  /** Messages a second, all cars together. */
  readonly rate?: number;
  /** 60: an hour of the messages' own time in a minute. */
  readonly speed?: number;
}

export interface Clock {
  /** ms, never going back */
  now(): number;
  /** Resolves after so many ms, give or take one, or earlier when nobody wants to wait any more. */
  sleep(ms: number): Promise<void>;
}

/**
 * The time after the start, in ms, at which the message with this number (from 0) and this time of its own is due. It
 * depends on nothing else, so a late message delays none after it, and what was missed is caught up with.
 */
export function scheduleOf({ rate, speed }: Pace): (number: number, at: number) => number {
  if (rate !== undefined) return (number) => (number * 1_000) / rate;
  if (speed === undefined) return () => 0;
  let first: number | null = null;
  return (_number, at) => {
    first ??= at;
    return (at - first) / speed;
  };
}

/** The messages, each when it is due. */
export async function* paced<T extends { readonly at: number }>(
  source: Iterable<T> | AsyncIterable<T>,
  pace: Pace,
  clock: Clock,
): AsyncGenerator<T, void, undefined> {
  const dueAfter = scheduleOf(pace);
  const start = clock.now();
  let number = 0;
  for await (const message of source) {
    const wait = start + dueAfter(number++, message.at) - clock.now();
    // A timer cannot do less than a millisecond; what is due in it goes out together.
    if (wait > 0) await clock.sleep(Math.ceil(wait));
    yield message;
  }
}

/** The machine's monotonic clock; its sleepers wake up at once when the signal is aborted. */
export function monotonicClock(signal?: AbortSignal): Clock {
  return {
    now: () => performance.now(),
    sleep: (ms) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        signal?.addEventListener('abort', wake, { once: true });
      }),
  };
}
