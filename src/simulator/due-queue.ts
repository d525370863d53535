interface Entry<T> {
  readonly due: number;
  /** In which order they came: of two that are due at once the first goes first. */
  readonly number: number;
  readonly item: T;
}

/** Items that wait for their time, in a binary heap. */
export class DueQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #came = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(due: number, item: T): void {
    const heap = this.#heap;
    const entry = { due, number: this.#came++, item };
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Entry<T>;
      if (!isBefore(entry, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  /** What is due at `now` or before, one by one in order; Infinity empties the queue. */
  *takeUntil(now: number): Generator<T, void, undefined> {
    for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
      this.#removeFirst();
      yield first.item;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry<T>;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child++;
      if (!isBefore(heap[child] as Entry<T>, last)) break;
      heap[place] = heap[child] as Entry<T>;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.due < b.due || (a.due === b.due && a.number < b.number);
}
