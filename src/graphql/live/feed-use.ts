import { ApiError } from '../api-error.js';

/** A feed goes on for this long after its last subscriber, ms, so that one that comes back finds it warm. */
export const LINGER = 30_000;
/** How long a subscriber waits for a feed that does not stand yet, ms. */
const PATIENCE = 10_000;

/** Starts what is shared with the first user and stops it some time after the last. */
export class FeedUse {
  private users = 0;
  private running: { stop(): Promise<void> } | null = null;
  private timer: NodeJS.Timeout | undefined;
  private standing = deferred();

  constructor(
    private readonly start: () => { stop(): Promise<void> },
    private readonly linger = LINGER,
  ) {}

  /** Resolves once the feed stands. @throws ApiError UNAVAILABLE when it does not come to stand in time */
  async enter(): Promise<void> {
    this.users += 1;
    clearTimeout(this.timer);
    this.running ??= this.start();
    try {
      await within(this.standing.promise, PATIENCE);
    } catch (fault) {
      this.leave();
      throw fault;
    }
  }

  leave(): void {
    this.users -= 1;
    if (this.users > 0) return;
    this.timer = setTimeout(() => void this.stop(), this.linger);
    this.timer.unref();
  }

  /** The feed stands: whoever waits goes on. */
  stands(): void {
    this.standing.resolve();
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    const { running } = this;
    this.running = null;
    this.standing = deferred();
    await running?.stop();
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function within(promise: Promise<void>, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ApiError('UNAVAILABLE')), limit);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
