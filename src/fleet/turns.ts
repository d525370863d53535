import { type Asker, asker } from './joint-answer.js';

/** Nobody works on it: too many waited already, it waited too long, or who asked has gone. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn';
}

export interface Patience {
  /** How long a work waits for its turn, ms. */
  readonly time: number;
  /** Works of one client that wait at a time. */
  readonly works: number;
}

type Begin = () => void;

/**
 * Lets so many works go on at a time; the others wait for as long as somebody asks. Clients have their turns one after the
 * other, and the works of a client theirs in the order in which they came: who asks much waits for themselves.
 */
export class Turns {
  /** By client, whose turn is next first. */
  private readonly waiting = new Map<string, Set<Begin>>();

  /** @param patience null to wait without end */
  constructor(
    private free: number,
    private readonly patience: Patience | null = null,
  ) {}

  /** Works that wait. */
  get queue(): number {
    return [...this.waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** A work takes no other turn of the same: it would wait for itself. @throws NoTurn */
  async take<T>(work: () => Promise<T>): Promise<T> {
    await this.turn(asker());
    try {
      return await work();
    } finally {
      this.next();
    }
  }

  private next(): void {
    const [first] = this.waiting;
    const [begin] = first?.[1] ?? [];
    if (!first || !begin) {
      this.free += 1;
      return;
    }
    begin();
    // To the end, where it has more.
    if (this.waiting.delete(first[0])) this.waiting.set(...first);
  }

  private async turn({ gone, client }: Partial<Asker> = {}): Promise<void> {
    if (gone?.aborted) throw new NoTurn('Who asked has gone');
    if (this.free > 0) this.free -= 1;
    else await this.wait(client ?? '', gone);
  }

  private wait(client: string, by: AbortSignal | undefined): Promise<void> {
    const { time = null, works = Number.POSITIVE_INFINITY } = this.patience ?? {};
    const others = this.waiting.get(client) ?? new Set<Begin>();
    if (others.size >= works) throw new NoTurn('Too many of your questions wait for the database: come again later');
    return new Promise((resolve, reject) => {
      const leave = () => {
        others.delete(go);
        if (others.size === 0) this.waiting.delete(client);
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
      this.waiting.set(client, others.add(go));
    });
  }
}
