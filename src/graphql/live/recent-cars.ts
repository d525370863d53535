/**
 * Which cars changed since when, the latest change per car, oldest first. Bounded: what falls out moves the horizon, before
 * which nothing can be told.
 */
export class RecentCars {
  private readonly changed = new Map<string, string>();
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
    if (this.changed.size <= this.capacity) return;
    const [oldest] = this.changed;
    if (!oldest) return;
    this.changed.delete(oldest[0]);
    this.horizon = oldest[1];
  }

  /** The newest time that is known of. */
  get now(): string {
    return this.latest;
  }

  /** Every car that changed at or after `at`, with the time; null when that lies before the horizon. */
  since(at: string): [string, string][] | null {
    return at < this.horizon ? null : [...this.changed].filter(([, time]) => time >= at);
  }
}
