import { connect, type Socket } from 'node:net';

export interface Measured {
  /** A second */
  readonly rate: number;
  /** ms */
  readonly p50: number;
  readonly p99: number;
}

/** Runs `work` in so many loops side by side for that long. */
export async function measure(
  loops: number,
  seconds: number,
  work: (loop: number) => Promise<void>,
): Promise<Measured> {
  const times: number[] = [];
  const started = performance.now();
  const end = started + seconds * 1_000;
  await Promise.all(
    Array.from({ length: loops }, async (_, loop) => {
      for (let before = performance.now(); before < end; ) {
        await work(loop);
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
    }),
  );
  const elapsed = (performance.now() - started) / 1_000;
  const sorted = Float64Array.from(times).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { rate: times.length / elapsed, p50: at(0.5), p99: at(0.99) };
}

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * One connection that is kept, one request at a time. It does no more than a load needs: what the client costs is taken
 * from the service where both share the processors.
 */
export class Connection {
  private readonly socket: Socket;
  private received: Buffer = Buffer.alloc(0);
  private settle: { resolve: (body: Buffer) => void; reject: (fault: Error) => void } | null = null;

  constructor(
    private readonly port: number,
    private readonly path: string,
  ) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (data) => this.take(data));
    this.socket.on('error', (fault) => this.settle?.reject(fault));
    this.socket.on('close', () => this.settle?.reject(new Error('the connection was closed')));
  }

  /** The body of the answer. @throws Error for any status but 200, and for an answer with errors */
  async post(body: string): Promise<Buffer> {
    const answer = new Promise<Buffer>((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    const head = `POST ${this.path} HTTP/1.1\r\nhost: 127.0.0.1:${this.port}\r\ncontent-type: application/json\r\n`;
    this.socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return answer;
  }

  close(): void {
    this.settle = null;
    this.socket.destroy();
  }

  private take(data: Buffer): void {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const from = headEnd + HEAD_END.length;
    if (this.received.length < from + length) return;
    const body = this.received.subarray(from, from + length);
    this.received = Buffer.from(this.received.subarray(from + length));
    const { resolve, reject } = this.settle ?? {};
    this.settle = null;
    if (!head.startsWith('HTTP/1.1 200') || body.includes('"errors":[{'))
      reject?.(new Error(`${head}\n${body.toString()}`));
    else resolve?.(body);
  }
}
