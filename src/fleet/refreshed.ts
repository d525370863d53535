import { JointAnswer, unasked } from './joint-answer.js';

interface Answer<T> {
  readonly readAt: number;
  readonly answer: JointAnswer<T>;
  readonly compute: (readAt: number) => Promise<T>;
  /** It is renewed before somebody asks again. */
  readonly standing: boolean;
  askedAt: number;
  settled: boolean;
}

/** An answer is renewed when it is older than this, ms: who asks meanwhile is given the old one, with its age. */
export const RENEWED_AFTER = 2_000;
/** Nothing older than this is given to anybody, ms. */
export const OLDEST = 15_000;
/** A standing question is kept answered for so long after it was last asked, ms. */
export const STANDING = 60_000;
const ANSWERS = 200;
/** How often it is looked for what is to be renewed, at most, ms. */
const LOOK = 250;

/**
 * Answers that are asked for again and again: computed once for everybody, and renewed behind whoever asks, so that only the
 * first one waits for the database. One at a time is renewed, with a rest as long as that took: however many questions
 * stand, the database has half of its time for others.
 */
export class Refreshed {
  private readonly answers = new Map<string, Answer<unknown>>();
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  /** @param renewedAfter 0 to compute each answer anew */
  constructor(
    private readonly clock: () => number,
    private readonly renewedAfter = RENEWED_AFTER,
  ) {}

  /**
   * @param compute is given the instant that the answer is as of, ms
   * @param standing whether it will be asked in the same words again; others are renewed only when they are
   */
  get<T>(key: string, compute: (readAt: number) => Promise<T>, standing = true): Promise<T> {
    const now = this.clock();
    const known = this.answers.get(key) as Answer<T> | undefined;
    const age = known ? now - known.readAt : Number.POSITIVE_INFINITY;
    if (!known || age < 0 || age >= OLDEST || this.renewedAfter === 0) {
      const answer = new JointAnswer(() => compute(now));
      return this.keep(key, { readAt: now, answer, compute, standing, askedAt: now, settled: false });
    }
    known.askedAt = now;
    if (age >= this.renewedAfter) this.look(0);
    return known.answer.join();
  }

  /** Renews nothing any more. */
  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private keep<T>(key: string, kept: Answer<T>): Promise<T> {
    const { value } = kept.answer;
    this.answers.delete(key);
    this.answers.set(key, kept);
    for (const old of [...this.answers.keys()].slice(0, Math.max(0, this.answers.size - ANSWERS)))
      this.answers.delete(old);
    value.then(
      () => (kept.settled = true),
      () => this.answers.get(key) === kept && this.answers.delete(key),
    );
    this.look(LOOK);
    return value;
  }

  private look(after: number): void {
    if (this.closed || this.renewedAfter === 0 || this.timer) return;
    this.timer = unasked(() => setTimeout(() => void this.renewOldest(), after)).unref();
  }

  /** Goes on until nothing is asked for any more. */
  private async renewOldest(): Promise<void> {
    const oldest = this.due();
    const began = performance.now();
    if (oldest) await this.renew(...oldest);
    this.timer = null;
    const now = this.clock();
    if ([...this.answers.values()].some((one) => this.wanted(one, now)))
      this.look(Math.max(LOOK, performance.now() - began));
  }

  private due(): [string, Answer<unknown>] | null {
    const now = this.clock();
    const due = [...this.answers].filter(
      ([, one]) => one.settled && this.wanted(one, now) && now - one.readAt >= this.renewedAfter,
    );
    return due.sort(([, one], [, other]) => one.readAt - other.readAt)[0] ?? null;
  }

  private wanted({ standing, askedAt, readAt }: Answer<unknown>, now: number): boolean {
    return standing ? now - askedAt < STANDING : askedAt - readAt >= this.renewedAfter && now - askedAt < OLDEST;
  }

  /** What cannot be renewed stays as it is until it is too old. */
  private async renew(key: string, before: Answer<unknown>): Promise<void> {
    const now = this.clock();
    const answer = new JointAnswer(() => before.compute(now));
    try {
      await answer.value;
      const { askedAt } = this.answers.get(key) ?? before;
      await this.keep(key, { ...before, readAt: now, answer, askedAt });
    } catch {
      // Whoever asks once it is too old is told why.
    }
  }
}
