/** A car that changed, and when. */
export type CarChange = readonly [id: string, at: string];

/**
 * Which cars changed since when, the latest change per car, oldest first. Bounded: what falls out moves the horizon, before
 * which nothing can be told.
 */
export class RecentCars {
  private changed = new Map<string, string>();
  private latest: string;

  /** @param horizon changes behind this time are all known */
  constructor(
    private horizon: string,
    private readonly capacity: number,
  ) {
    this.latest = horizon;
  }

  note(id: string, at: string): void {
    if (at > this.latest) this.latest = at;
    this.changed.delete(id);
    this.changed.set(id, at);
    this.forget();
  }

  /** What changed since an earlier time, from elsewhere; what is known already is at least as new. */
  extend(horizon: string, changes: readonly CarChange[]): void {
    if (horizon >= this.horizon) return;
    const earlier = new Map<string, string>();
    for (const [id, at] of changes) {
      earlier.delete(id);
      if (!this.changed.has(id)) earlier.set(id, at);
    }
    this.horizon = horizon;
    this.changed = new Map([...earlier, ...this.changed]);
    this.forget();
  }

  /** The newest time that is known of. */
  get now(): string {
    return this.latest;
  }

  /** Every car that changed at or after `at`, with the time; null when that lies before the horizon. */
  since(at: string): CarChange[] | null {
    return at < this.horizon ? null : [...this.changed].filter(([, time]) => time >= at);
  }

  private forget(): void {
    while (this.changed.size > this.capacity) {
      const [oldest] = this.changed;
      if (!oldest) return;
      this.changed.delete(oldest[0]);
      this.horizon = oldest[1];
    }
  }
}
