import { connect } from 'node:net';

/** What a server answered to bytes that no well-behaved client sends. */
export interface RawAnswer {
  /** 0 where it closed without an answer. */
  readonly status: number;
  readonly text: string;
}

/** Sends bytes as they are and reads until the server closes or `limit` ms are over. */
export function sendRaw(url: string, bytes: string, limit = 5_000): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    const timer = setTimeout(end, limit);
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('close', end);
    socket.on('error', end);
    socket.write(bytes);
  });
}

/** A POST with exactly this target and these headers. */
export function rawPost(target: string, query: string, headers: Readonly<Record<string, string>> = {}): string {
  const body = JSON.stringify({ query });
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return `POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A GET with exactly this target and these headers. */
export function rawGet(target: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: '127.0.0.1', connection: 'close', ...headers });
  return `GET ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`;
}
