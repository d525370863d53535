import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { ApiError } from '../api-error.js';
import { type FrameRules, watchFrames } from './watch-frames.js';

/** ms that a client has to say who it is. */
const INIT_WITHIN = 10_000;
/** WebSockets of one address that have yet to say who they are. */
const MOST_WAITING = 1_000;

export interface SocketDoorOptions extends FrameRules {
  /** WebSockets of one address. */
  readonly mostSockets: number;
}

/** What the plugin that opens WebSockets adds to the server. */
interface SocketServer {
  on(event: 'connection', listener: (socket: WebSocket) => void): void;
}

interface Held {
  open: number;
  waiting: number;
}

const settled = new WeakMap<object, () => void>();

/** Who comes in as a WebSocket: so many from one address, and none that opens and then says nothing. */
export class SocketDoor {
  private readonly held = new Map<string, Held>();
  private readonly watched = new WeakSet<object>();

  constructor(private readonly options: SocketDoorOptions) {}

  /** @throws ApiError RATE_LIMITED */
  enter(request: FastifyRequest): void {
    this.watch((request.server as unknown as { websocketServer?: SocketServer }).websocketServer);
    const held = this.held.get(request.ip) ?? { open: 0, waiting: 0 };
    if (held.open >= this.options.mostSockets || held.waiting >= MOST_WAITING)
      throw new ApiError('RATE_LIMITED', 'There are too many WebSockets from this address; come again later');
    this.held.set(request.ip, held);
    held.open += 1;
    held.waiting += 1;
    const { socket } = request.raw;
    const timer = setTimeout(() => socket.destroy(), INIT_WITHIN).unref();
    const settle = () => {
      clearTimeout(timer);
      if (settled.delete(socket)) held.waiting -= 1;
    };
    settled.set(socket, settle);
    socket.once('close', () => {
      settle();
      held.open -= 1;
      if (held.open === 0) this.held.delete(request.ip);
    });
  }

  /** The server of WebSockets comes to be after this: it is known from the first one on. */
  private watch(server: SocketServer | undefined): void {
    if (!server || this.watched.has(server)) return;
    this.watched.add(server);
    server.on('connection', (socket) => watchFrames(socket, this.options));
  }
}

/** Its first message has come. */
export function initSeen({ raw }: FastifyRequest): void {
  settled.get(raw.socket)?.();
}
