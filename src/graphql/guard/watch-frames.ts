import { ApiError } from '../api-error.js';
import { codedErrors } from '../socket-frames.js';
import type { PersistedOperations } from './persisted-operations.js';

/** What is used of a WebSocket. */
interface Socket {
  readonly bufferedAmount: number;
  emit(event: string | symbol, ...rest: unknown[]): boolean;
  send(data: unknown, ...rest: unknown[]): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

export interface FrameRules {
  /** bytes */
  readonly largestBody: number;
  readonly persisted: PersistedOperations;
}

/** Closing codes of graphql-transport-ws, and two of WebSocket itself. */
const CLOSED = { BAD: 4_400, EARLY: 4_401, TAKEN: 4_409, AGAIN: 4_429, LARGE: 1_009 } as const;

/** Messages at once, and messages a second in the long run. */
const BURST = 5_000;
const PER_SECOND = 500;
/** Bytes that wait for a client that sends without reading. */
const UNREAD = 8 * 1_024 * 1_024;
const LONGEST_ID = 200;
/** Entries of the first message: they are kept as headers. */
const MOST_ENTRIES = 20;

interface Frame {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly payload?: unknown;
  readonly extensions?: unknown;
}

/**
 * Keeps a client to the protocol: the server behind it takes a second first message for another beginning, an id that is
 * taken for a new one, a parsed operation for a text, and answers whatever comes, however fast.
 */
export function watchFrames(socket: Socket, rules: FrameRules): void {
  codedErrors(socket);
  const frames = new Frames(socket, rules);
  watched.set(socket, frames);
  const emit = socket.emit.bind(socket);
  socket.emit = (event, ...rest) => {
    if (event !== 'message') return emit(event, ...rest);
    const taken = frames.take(rest[0] as Buffer, rest[1] === true);
    return taken === null ? true : emit(event, taken, false);
  };
  const send = socket.send.bind(socket);
  socket.send = (data, ...rest) => {
    frames.sent(data);
    send(data, ...rest);
  };
}

const watched = new WeakMap<object, Frames>();

/** Whether the client of a socket has asked for a subscription of that id and not ended it since. */
export function wants(socket: object, id: string): boolean {
  return watched.get(socket)?.has(id) ?? false;
}

class Frames {
  private readonly ids = new Set<string>();
  private begun = false;
  private ready = false;
  private tokens = BURST;
  private filledAt = performance.now();
  private over = false;

  constructor(
    private readonly socket: Socket,
    private readonly rules: FrameRules,
  ) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** @returns what the server is given; null where it is nothing to it */
  take(data: Buffer, isBinary: boolean): Buffer | string | null {
    if (this.over) return null;
    if (this.socket.bufferedAmount > UNREAD) {
      this.over = true;
      this.socket.terminate();
      return null;
    }
    if (!this.inTime()) return this.end(CLOSED.AGAIN, 'RATE_LIMITED');
    if (data.length > this.rules.largestBody) return this.end(CLOSED.LARGE, 'BODY_TOO_LARGE');
    const frame = isBinary ? null : parsed(data.toString());
    if (!frame) return this.end(CLOSED.BAD, 'BAD_REQUEST');
    if (frame.type === 'connection_init') return this.init(frame, data);
    if (frame.type === 'subscribe') return this.subscribe(frame);
    if (frame.type === 'complete') return this.complete(frame, data);
    return frame.type === 'ping' || frame.type === 'pong' ? data : this.end(CLOSED.BAD, 'BAD_REQUEST');
  }

  /** What the server says ends subscriptions, too. */
  sent(data: unknown): void {
    if (typeof data !== 'string') return;
    if (data.startsWith('{"type":"connection_ack"')) this.ready = true;
    const ended = /^\{"type":"(?:complete|error)","id":("(?:[^"\\]|\\.)*")/.exec(data)?.[1];
    if (ended !== undefined) this.ids.delete(JSON.parse(ended) as string);
  }

  private init({ payload }: Frame, data: Buffer): Buffer | null {
    if (this.begun) return this.end(CLOSED.AGAIN, 'BAD_REQUEST');
    this.begun = true;
    const fits = payload == null || (isRecord(payload) && Object.keys(payload).length <= MOST_ENTRIES);
    return fits ? data : this.end(CLOSED.BAD, 'BAD_REQUEST');
  }

  private subscribe({ id, payload, extensions }: Frame): string | null {
    if (!this.ready) return this.end(CLOSED.EARLY, 'UNAUTHENTICATED');
    if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID) return this.end(CLOSED.BAD, 'BAD_REQUEST');
    if (this.ids.has(id)) return this.end(CLOSED.TAKEN, 'BAD_REQUEST');
    // Both are ways around what is checked of a text and of who sent it.
    if (!isRecord(payload) || extensions !== undefined) return this.end(CLOSED.BAD, 'BAD_REQUEST');
    this.ids.add(id);
    const query = this.textOf(payload, id);
    return query === null ? null : JSON.stringify({ id, type: 'subscribe', payload: { ...payload, query } });
  }

  private textOf(payload: Readonly<Record<string, unknown>>, id: string): string | null {
    try {
      const query = this.rules.persisted.textOf(payload['query'], payload['extensions']);
      if (typeof query === 'string') return query;
      return this.refuse(id, new ApiError('BAD_REQUEST', 'The operation is no text'));
    } catch (fault) {
      if (!(fault instanceof ApiError)) throw fault;
      return this.refuse(id, fault);
    }
  }

  private refuse(id: string, { message, code }: ApiError): null {
    this.socket.send(JSON.stringify({ type: 'error', id, payload: [{ message, extensions: { code } }] }));
    return null;
  }

  private complete({ id }: Frame, data: Buffer): Buffer | null {
    if (typeof id !== 'string' || !this.ids.delete(id)) return null;
    return data;
  }

  private inTime(): boolean {
    const now = performance.now();
    this.tokens = Math.min(BURST, this.tokens + ((now - this.filledAt) * PER_SECOND) / 1_000) - 1;
    this.filledAt = now;
    return this.tokens >= 0;
  }

  private end(code: number, reason: string): null {
    this.over = true;
    this.socket.close(code, reason);
    return null;
  }
}

/** Text that may name a prototype, be it spelt in escapes. */
const SUSPICIOUS = /__proto__|\\u/i;

function withoutPrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new Error('a prototype is no value');
  return value;
}

function parsed(text: string): Frame | null {
  try {
    const frame: unknown = SUSPICIOUS.test(text) ? JSON.parse(text, withoutPrototype) : JSON.parse(text);
    return isRecord(frame) ? frame : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
