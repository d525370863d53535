const BEAT = 1_000;

/** Hands things from one side to the other, one at a time: the giver waits until the taker comes for the next one. */
export class Handover<T> {
  #waiting: { readonly thing: T; readonly taken: () => void } | null = null;
  #last: (() => void) | null = null;
  #wake: (() => void) | null = null;
  #failure: { readonly reason: unknown } | null = null;
  #closed = false;

  /** @param beat called every second while nobody comes; resolves when the thing was worked on, or nobody will come */
  async give(thing: T, beat: () => Promise<void>): Promise<void> {
    if (this.#closed || this.#failure !== null) return;
    const timer = setInterval(() => void beat().catch((error: unknown) => this.fail(error)), BEAT);
    try {
      await new Promise<void>((taken) => {
        this.#waiting = { thing, taken };
        this.#wake?.();
      });
    } finally {
      clearInterval(timer);
    }
  }

  /** The next thing; to be called when the last one is done with. @throws what `fail` was called with */
  async take(): Promise<T> {
    this.#last?.();
    this.#last = null;
    while (this.#waiting === null && this.#failure === null)
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    if (this.#failure !== null) throw this.#failure.reason;
    if (this.#waiting === null) throw new TypeError('woken for nothing');
    const { thing, taken } = this.#waiting;
    this.#waiting = null;
    this.#last = taken;
    return thing;
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wake?.();
  }

  /** Nobody comes any more: lets the giver go. */
  close(): void {
    this.#closed = true;
    this.#waiting?.taken();
    this.#last?.();
  }
}
