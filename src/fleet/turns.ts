import { asker } from './joint-answer.js';

/** Nobody works on it: too many waited already, it waited too long, or who asked has gone. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn';
}

export interface Patience {
  /** How long a work waits for its turn, ms. */
  readonly time: number;
  /** Works that wait at a time. */
  readonly works: number;
}

/** Lets so many works go on at a time; the others wait in the order in which they came, for as long as somebody asks. */
export class Turns {
  private readonly waiting = new Set<() => void>();

  /** @param patience null to wait without end */
  constructor(
    private free: number,
    private readonly patience: Patience | null = null,
  ) {}

  /** Works that wait. */
  get queue(): number {
    return this.waiting.size;
  }

  /** A work takes no other turn of the same: it would wait for itself. @throws NoTurn */
  async take<T>(work: () => Promise<T>): Promise<T> {
    await this.turn(asker());
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.free += 1;
    }
  }

  private async turn(by: AbortSignal | undefined): Promise<void> {
    if (by?.aborted) throw new NoTurn('Who asked has gone');
    if (this.free > 0) this.free -= 1;
    else await this.wait(by);
  }

  private wait(by: AbortSignal | undefined): Promise<void> {
    const { time = null, works = Number.POSITIVE_INFINITY } = this.patience ?? {};
    if (this.waiting.size >= works) throw new NoTurn('Too many questions wait for the database: come again later');
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.delete(go);
        clearTimeout(timer);
        by?.removeEventListener('abort', gone);
      };
      const go = () => {
        leave();
        resolve();
      };
      const refuse = (why: string) => {
        leave();
        reject(new NoTurn(why));
      };
      const gone = () => refuse('Who asked has gone');
      const late = () => refuse('The database had no time for it: come again later');
      const timer = time === null ? undefined : setTimeout(late, time);
      by?.addEventListener('abort', gone);
      this.waiting.add(go);
    });
  }
}
