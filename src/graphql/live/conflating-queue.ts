/** A change of a car that waits for a subscriber. */
export interface Waiting<T, P> {
  readonly id: string;
  /** The newest state; null where it has to be read first. */
  readonly state: T | null;
  /** The place of the first change that waits here: all that came before it has been taken. */
  readonly since: P;
}

/**
 * Holds the newest state per id, in the order in which the ids came to wait. A newer state takes the place of the one that
 * waits, so that a slow reader gets fewer and newer states; the number of ids is bounded.
 */
export class ConflatingQueue<T, P = string> {
  private readonly waiting = new Map<string, Waiting<T, P>>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.waiting.size;
  }

  /** False when the queue is full and nothing was put in. */
  put(id: string, state: T | null, at: P): boolean {
    const known = this.waiting.get(id);
    if (!known && this.waiting.size >= this.capacity) return false;
    this.waiting.set(id, { id, state: state ?? known?.state ?? null, since: known?.since ?? at });
    return true;
  }

  /** Gives an id that waits its state. */
  fill(id: string, state: T): void {
    const known = this.waiting.get(id);
    if (known) this.waiting.set(id, { ...known, state });
  }

  remove(id: string): void {
    this.waiting.delete(id);
  }

  /** Who has waited longest. */
  first(): Waiting<T, P> | null {
    const [first] = this.waiting.values();
    return first ?? null;
  }

  /** The ids among the first `count` whose state has to be read. */
  unread(count: number): string[] {
    const ids: string[] = [];
    for (const { id, state } of this.waiting.values()) {
      if (state === null) ids.push(id);
      if (ids.length >= count) break;
    }
    return ids;
  }

  clear(): void {
    this.waiting.clear();
  }
}
