/** What a reader gives next; null when there is nothing yet. May read from the database; rejects to end the stream. */
export interface ItemSource<T> {
  take(): Promise<T | null>;
  /** Called once, however the stream ends. */
  close(): void;
}

/**
 * Items as GraphQL asks for them, one at a time: the client's pace is the pace. Written by hand, since a generator that
 * waits for an item cannot be ended before the item has come.
 */
export class ItemStream<T> implements AsyncIterableIterator<T> {
  private ended = false;
  private wake: () => void = () => {};
  private given: number | null = null;

  constructor(private readonly source: ItemSource<T>) {}

  /** When it gave the item that its reader still has in hand, on the clock of `performance`, ms; null while the reader waits. */
  get givenAt(): number | null {
    return this.given;
  }

  /** There may be something to take. */
  notify(): void {
    this.wake();
  }

  /** Ends as if the client had asked for it. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.source.close();
    this.wake();
  }

  async next(): Promise<IteratorResult<T>> {
    this.given = null;
    while (!this.ended) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      const item = await this.taken();
      if (item !== null && !this.isEnded()) {
        this.given = performance.now();
        return { value: item, done: false };
      }
      if (!this.isEnded()) await woken;
    }
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<T>> {
    this.end();
    return { value: undefined, done: true };
  }

  async throw(fault: unknown): Promise<IteratorResult<T>> {
    this.end();
    throw fault;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async taken(): Promise<T | null> {
    try {
      return await this.source.take();
    } catch (fault) {
      this.end();
      throw fault;
    }
  }

  private isEnded(): boolean {
    return this.ended;
  }
}
