import { setImmediate } from 'node:timers/promises';

/** Rows that may be worked on before others have a turn: about a millisecond when they come by the hundred. */
const ROWS = 512;
/** ms; rows that come one at a time cost several times as much each. */
const STRETCH = 1;

/**
 * Gives the event loop a turn after so much work, however many calls it is spread over. A model that answers without
 * leaving the thread would otherwise hold everything else up: an awaited promise that is settled is no turn.
 */
export class Turns {
  #rows = 0;
  #since = performance.now();

  /** To be awaited after working on so many rows. */
  async after(rows: number): Promise<void> {
    this.#rows += rows;
    if (this.#rows < ROWS && performance.now() - this.#since < STRETCH) return;
    await setImmediate();
    this.#rows = 0;
    this.#since = performance.now();
  }
}
