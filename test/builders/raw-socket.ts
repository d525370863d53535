import { WebSocket } from 'ws';

/** A WebSocket that says whatever it is told to, and keeps what it is told. */
export class RawSocket {
  readonly frames: { type?: string; id?: string; payload?: unknown }[] = [];
  /** The code that it was closed with; null while it is open. */
  closed: number | null = null;
  reason = '';
  private wake: () => void = () => {};

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as RawSocket['frames'][number]);
      this.wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = code;
      this.reason = reason.toString();
      this.wake();
    });
    socket.on('error', () => undefined);
  }

  /** @returns the status of the answer where it is refused */
  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    protocols: string | string[] = 'graphql-transport-ws',
  ): Promise<RawSocket | number> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocols, { headers });
    const raw = new RawSocket(socket);
    return new Promise((resolve) => {
      socket.once('open', () => resolve(raw));
      socket.once('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0);
        socket.terminate();
      });
      socket.once('error', () => resolve(0));
    });
  }

  /** Text and bytes as they are, everything else as JSON. */
  say(...frames: unknown[]): this {
    for (const frame of frames)
      this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
    return this;
  }

  async until(enough: (socket: this) => boolean, limit = 20_000): Promise<void> {
    const deadline = performance.now() + limit;
    while (!enough(this)) {
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`Not within ${limit} ms: ${JSON.stringify(this.frames).slice(0, 2_000)}, ${this.closed}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
