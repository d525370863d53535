interface Waiting<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (fault: unknown) => void;
}

/** Cuts keys that were asked for together into pieces that are answered each for itself, in order and without a gap. */
export type Cut<K> = (keys: readonly K[]) => readonly (readonly K[])[];

/**
 * Gathers the keys that are asked for in one turn of the event loop and answers them with one call, or one for each piece.
 * Those who wait for one piece neither wait for another nor share its fault. Remembers nothing between turns, so that it can
 * be shared by all requests and never shows an old state.
 */
export class BatchLoader<K, V> {
  private waiting: Waiting<K, V>[] = [];

  /** @param answer the values of the keys, in the order of the keys */
  constructor(
    private readonly answer: (keys: readonly K[]) => Promise<readonly V[]>,
    private readonly cut: Cut<K> = (keys) => [keys],
  ) {}

  load(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(() => this.flush());
      this.waiting.push({ key, resolve, reject });
    });
  }

  private flush(): void {
    const batch = this.waiting;
    this.waiting = [];
    let start = 0;
    for (const keys of this.cut(batch.map(({ key }) => key))) {
      void this.tell(batch.slice(start, start + keys.length), keys);
      start += keys.length;
    }
  }

  private async tell(batch: readonly Waiting<K, V>[], keys: readonly K[]): Promise<void> {
    try {
      const values = await this.answer(keys);
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as V);
    } catch (fault) {
      for (const { reject } of batch) reject(fault);
    }
  }
}

/**
 * As few pieces as hold at most so many keys and so much weight each; a key that weighs more is a piece of its own.
 * @param weigh 0 or more
 */
export function piecesOf<K>(
  keys: readonly K[],
  most: { readonly keys: number; readonly weight: number },
  weigh: (key: K) => number,
): K[][] {
  const pieces: K[][] = [];
  let weight = 0;
  for (const key of keys) {
    const last = pieces.at(-1);
    weight += weigh(key);
    if (last && last.length < most.keys && weight <= most.weight) {
      last.push(key);
      continue;
    }
    pieces.push([key]);
    weight = weigh(key);
  }
  return pieces;
}
