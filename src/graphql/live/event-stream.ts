import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** How often a silent client is sent a comment, ms, so that nothing in between takes the connection for dead. */
const KEEP_ALIVE = 20_000;

/** Server-sent events over one response, as graphql-sse's distinct connections mode has them. */
export class EventStream {
  private readonly alive: NodeJS.Timeout;
  private readonly gone: Promise<unknown>;

  constructor(private readonly response: ServerResponse) {
    this.gone = once(response, 'close');
    this.alive = setInterval(() => void (response.writableNeedDrain || response.write(':\n\n')), KEEP_ALIVE);
    response.once('close', () => clearInterval(this.alive));
    response.write(':\n\n');
  }

  get closed(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }

  /** Resolves once the client has room for more, or has gone. @param id what it gives back as `Last-Event-ID` */
  async next(result: unknown, id: string | null): Promise<void> {
    const text = `event: next\n${id === null ? '' : `id: ${id}\n`}data: ${JSON.stringify(result)}\n\n`;
    if (this.closed || this.response.write(text)) return;
    const drained = new AbortController();
    await Promise.race([once(this.response, 'drain', { signal: drained.signal }).catch(() => {}), this.gone]);
    drained.abort();
  }

  complete(): void {
    clearInterval(this.alive);
    if (!this.closed) this.response.end('event: complete\ndata:\n\n');
  }
}
