import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeStream, ChangeStreamDocument, Document, ResumeToken } from 'mongodb';

/** What a loop tells its owner, one after the other and never two at a time. */
export interface ChangeHandler<T extends Document> {
  /** A stream stands, from the token or from now on; what happened before it is the handler's to find. */
  opened(resumed: boolean, at: ResumeToken): Promise<void>;
  change(change: ChangeStreamDocument<T>): Promise<void>;
  /** Nothing came for a while. */
  quiet(): Promise<void>;
  /** The stream broke and is opened again after a pause; `lost` when it cannot go on where it was. */
  broken(fault: unknown, lost: boolean): void;
}

/** ChangeStreamFatalError, ChangeStreamHistoryLost, and a token that the server cannot read. */
const LOST = new Set([280, 286, 40647, 260]);

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 3_000;
/** A server waits for changes before it says that there are none: an answer within this time was none, ms. */
const AT_ONCE = 2;
/** Such answers in a row after which the stream is opened anew. */
const MOST_AT_ONCE = 20;

/** Follows one change stream until it is stopped, over everything that happens to it. */
export class ChangeLoop<T extends Document> {
  private readonly stopped = new AbortController();
  private running: Promise<void> | null = null;
  private stream: ChangeStream<T> | null = null;
  private token: ResumeToken = null;

  /** @param open makes a stream, behind the token when there is one; opens nothing by itself */
  constructor(
    private readonly open: (resumeAfter: ResumeToken) => ChangeStream<T>,
    private readonly handler: ChangeHandler<T>,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.stream?.close().catch(() => {});
    await this.running;
  }

  /** The next stream starts from now on instead of behind the token. */
  forgetToken(): void {
    this.token = null;
  }

  /** The collection was dropped or renamed: no token leads behind that. */
  private ended(): never {
    this.forgetToken();
    throw new Error('The collection behind the change stream is gone');
  }

  private async run(): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!this.stopped.signal.aborted) {
      const stream = this.open(this.token);
      this.stream = stream;
      try {
        await this.follow(stream, () => (pause = FIRST_PAUSE));
      } catch (fault) {
        if (this.stopped.signal.aborted) break;
        const lost = LOST.has(Number((fault as { code?: unknown }).code));
        if (lost) this.forgetToken();
        this.handler.broken(fault, lost);
        await sleep(pause, this.stopped.signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      } finally {
        await stream.close().catch(() => {});
      }
    }
  }

  /** The first answer of the server shows that the stream stands: only then may the past be looked up. */
  private async follow(stream: ChangeStream<T>, standing: () => void): Promise<void> {
    let change = await stream.tryNext();
    await this.handler.opened(this.token !== null, stream.resumeToken);
    standing();
    let idle = 0;
    while (!this.stopped.signal.aborted) {
      if (change?.operationType === 'invalidate') this.ended();
      if (change) await this.handler.change(change);
      else await this.handler.quiet();
      this.token = stream.resumeToken;
      const asked = performance.now();
      change = await stream.tryNext();
      idle = change === null && performance.now() - asked < AT_ONCE ? idle + 1 : 0;
      if (idle > 0) await this.rest(idle);
    }
  }

  /** A stream whose cursor is gone says at once that there is nothing, without end: nothing else would run any more. */
  private async rest(idle: number): Promise<void> {
    if (idle > MOST_AT_ONCE) throw new Error('The change stream does not wait for changes any more');
    await sleep(AT_ONCE, this.stopped.signal);
  }
}

/** Ends early without a fault when it is stopped. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
