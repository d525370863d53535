/** At most so many items a second, evenly: no bursts. */
export class Pace {
  private next = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param rate items a second; null for no limit
   * @param wake is called when the next item may be taken
   */
  constructor(
    private readonly rate: number | null,
    private readonly wake: () => void,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Whether an item may be taken now; where it may not, `wake` is called in time. */
  get free(): boolean {
    if (this.rate === null) return true;
    const wait = this.next - this.clock();
    if (wait <= 0) return true;
    // A timer may come a moment early.
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.wake();
    }, Math.ceil(wait) + 1);
    return false;
  }

  taken(): void {
    if (this.rate !== null) this.next = this.clock() + 1_000 / this.rate;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
