import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** `preferred` when nothing listens there, else one that the system picks. */
export async function choosePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await canListen(preferred)) !== undefined) return preferred;
  const port = await canListen(0);
  if (port === undefined) throw new Error(`no free port on ${HOST}`);
  return port;
}

function canListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/**
 * Whether the process itself holds the listening socket. Between choosing a port and listening on it another
 * program may have taken it, and would then answer the health check in our server's place.
 * Only Linux tells; elsewhere the answer is yes.
 */
export function listensOn(pid: number, port: number): boolean {
  if (process.platform !== 'linux') return true;
  try {
    const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningSockets(pid, table, port)));
    return openFiles(pid).some((target) => sockets.has(target));
  } catch {
    return false;
  }
}

function listeningSockets(pid: number, table: string, port: number): string[] {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === LISTEN)
    .map((fields) => `socket:[${fields[9]}]`);
}

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
}
