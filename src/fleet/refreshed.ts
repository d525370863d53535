interface Answer<T> {
  readonly askedAt: number;
  readonly value: Promise<T>;
}

/** An answer is renewed when it is older than this, ms: who asks meanwhile is given the old one, with its age. */
export const RENEWED_AFTER = 2_000;
/** Nothing older than this is given to anybody, ms. */
export const OLDEST = 15_000;
const ANSWERS = 200;

/**
 * Answers that are asked for again and again: computed once for everybody, renewed in the background while somebody asks.
 * Only the first one waits for the database.
 */
export class Refreshed {
  private readonly answers = new Map<string, Answer<unknown>>();
  private readonly renewing = new Set<string>();

  constructor(
    private readonly clock: () => number,
    private readonly renewedAfter = RENEWED_AFTER,
  ) {}

  /** @param compute is given the instant that the answer is as of, ms */
  get<T>(key: string, compute: (asOf: number) => Promise<T>): Promise<T> {
    const now = this.clock();
    const known = this.answers.get(key) as Answer<T> | undefined;
    const age = known ? now - known.askedAt : Number.POSITIVE_INFINITY;
    if (known && age >= 0 && age < this.renewedAfter) return known.value;
    if (known && age >= 0 && age < OLDEST && this.renewedAfter > 0) {
      this.renew(key, compute, now);
      return known.value;
    }
    return this.keep(key, now, compute(now));
  }

  private renew<T>(key: string, compute: (asOf: number) => Promise<T>, now: number): void {
    if (this.renewing.has(key)) return;
    this.renewing.add(key);
    const value = compute(now);
    value
      .then(
        () => this.keep(key, now, value),
        () => undefined,
      )
      .finally(() => this.renewing.delete(key))
      .catch(() => undefined);
  }

  private keep<T>(key: string, askedAt: number, value: Promise<T>): Promise<T> {
    const answer = { askedAt, value };
    this.answers.delete(key);
    this.answers.set(key, answer);
    for (const old of [...this.answers.keys()].slice(0, Math.max(0, this.answers.size - ANSWERS)))
      this.answers.delete(old);
    value.catch(() => this.answers.get(key) === answer && this.answers.delete(key));
    return value;
  }
}
