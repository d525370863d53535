import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';

/** Who asked for what is being done. */
export interface Asker {
  /** Aborted once they have gone. */
  readonly gone: AbortSignal;
  /** Among whom turns are shared out. */
  readonly client: string;
}

const asking = new AsyncLocalStorage<Asker | undefined>();

/** Does what somebody asked for, who has gone once the signal is aborted. */
export function askedBy<T>(gone: AbortSignal, client: string, work: () => T): T {
  setMaxListeners(0, gone);
  return asking.run({ gone, client }, work);
}

/** Does what nobody waits for in particular, whoever it was that started it. */
export function unasked<T>(work: () => T): T {
  return asking.run(undefined, work);
}

/** Who asked for what is being done; undefined where nobody did, and where they cannot be seen to go. */
export const asker = (): Asker | undefined => asking.getStore();

/** One answer for several who ask: it takes the turn of the first, and is given up when all of them have gone. */
export class JointAnswer<T> {
  readonly value: Promise<T>;
  private readonly everybody = new AbortController();
  private here = 0;

  constructor(compute: () => Promise<T>) {
    this.value = askedBy(this.everybody.signal, asker()?.client ?? '', compute);
    this.enter();
  }

  join(): Promise<T> {
    this.enter();
    return this.value;
  }

  private enter(): void {
    this.here += 1;
    const signal = asker()?.gone;
    if (!signal) return;
    const leave = () => this.leave();
    // Whoever subscribes asks again and again, and goes once.
    const forget = () => signal.removeEventListener('abort', leave);
    signal.addEventListener('abort', leave);
    this.value.then(forget, forget);
  }

  private leave(): void {
    this.here -= 1;
    if (this.here === 0) this.everybody.abort();
  }
}

/** Answers that are not kept: who asks the same while one is being computed shares it. */
export class SameTime {
  private readonly under = new Map<string, JointAnswer<unknown>>();

  get<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.under.get(key) as JointAnswer<T> | undefined;
    if (known) return known.join();
    const answer = new JointAnswer(compute);
    this.under.set(key, answer);
    const over = () => void this.under.delete(key);
    answer.value.then(over, over);
    return answer.value;
  }
}
