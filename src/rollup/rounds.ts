import type { Log } from '../log/log.js';
import type { Roller } from './roller.js';

/** Rounds of rollups, one after the other. What fails is tried in the next round: its marks are still there. */
export class Rounds {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(
    private readonly roller: Roller,
    private readonly log: Log,
  ) {}

  /** @param interval ms between two rounds; a round that takes longer leaves the next ones out */
  start(interval: number): void {
    this.#timer ??= setInterval(() => {
      this.#running ??= this.#round().finally(() => {
        this.#running = null;
      });
    }, interval);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#stopping.abort(new Error('rollups stop'));
    await this.#running;
  }

  async #round(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const windows = await this.roller.round(signal);
      if (windows > 0) this.log('debug', 'rollups were computed', { windows });
    } catch (error) {
      if (signal.aborted) return;
      this.log('warn', 'rollups wait', { error: error instanceof Error ? error.message : String(error) });
    }
  }
}
