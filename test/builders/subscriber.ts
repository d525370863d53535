import { type Client, type FormattedExecutionResult, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** What a socket says of who opens it: in its first message, or in headers of its upgrade. */
export interface ConnectionOptions {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client of a subscription over a real WebSocket, which keeps what it was given. */
export class Subscriber<T> {
  readonly items: T[] = [];
  /** The errors that ended it; null while it goes on or when it was completed. */
  errors: readonly { message: string; extensions?: { code?: string } }[] | null = null;
  ended = false;
  /** The code that the socket was closed with; null while it is open. */
  closed: number | null = null;
  private readonly client: Client;
  private readonly dispose: () => void;
  private wake: () => void = () => {};

  constructor(url: string, query: string, variables: Record<string, unknown> = {}, connection: ConnectionOptions = {}) {
    const { params, headers } = connection;
    class Socket extends WebSocket {
      constructor(address: string, protocol: string) {
        super(address, protocol, headers ? { headers } : {});
      }
    }
    this.client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: Socket,
      ...(params ? { connectionParams: { ...params } } : {}),
      on: {
        closed: (event) => {
          this.closed = (event as { code: number }).code;
        },
      },
      retryAttempts: 0,
      lazy: true,
    });
    this.dispose = this.client.subscribe<Record<string, T>>(
      { query, variables },
      {
        next: (result) => this.next(result),
        error: (fault) => this.end(Array.isArray(fault) ? fault : [{ message: (fault as Error).message }]),
        complete: () => this.end(null),
      },
    );
  }

  /** Resolves when `enough` holds; fails after `limit` ms, saying what there was. */
  async until(enough: (subscriber: this) => boolean, limit = 30_000): Promise<void> {
    const deadline = performance.now() + limit;
    while (!enough(this)) {
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`Not within ${limit} ms; items ${this.items.length}, ${JSON.stringify(this.errors)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async close(): Promise<void> {
    this.dispose();
    await this.client.dispose();
  }

  private next({ data, errors }: FormattedExecutionResult<Record<string, T>, unknown>): void {
    if (errors) this.errors = errors.map(({ message, extensions }) => ({ message, extensions: { ...extensions } }));
    if (data) this.items.push(...Object.values(data));
    this.wake();
  }

  private end(errors: Subscriber<T>['errors']): void {
    this.errors ??= errors;
    this.ended = true;
    this.wake();
  }
}
