interface Waiting<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Gathers the keys that are asked for in one turn of the event loop and answers them with one call. Remembers nothing
 * between turns, so that it can be shared by all requests and never shows an old state.
 */
export class BatchLoader<K, V> {
  private waiting: Waiting<K, V>[] = [];

  /** @param answer the values of the keys, in the order of the keys */
  constructor(private readonly answer: (keys: readonly K[]) => Promise<readonly V[]>) {}

  load(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(() => void this.flush());
      this.waiting.push({ key, resolve, reject });
    });
  }

  private async flush(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    try {
      const values = await this.answer(batch.map(({ key }) => key));
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as V);
    } catch (fault) {
      for (const { reject } of batch) reject(fault);
    }
  }
}
