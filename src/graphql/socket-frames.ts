import { API_ERRORS } from './api-error.js';
import { isApiErrorCode } from './error-format.js';

/** What is used of a WebSocket. */
interface Socket {
  send(data: unknown, ...rest: unknown[]): void;
}

interface Frame {
  readonly type?: string;
  readonly payload?: unknown;
}

/**
 * Makes every error that the subscription protocol itself sends (a query that does not parse, a message that is none)
 * carry a code, as those of resolvers do. Nothing else is touched.
 */
export function codedErrors(socket: Socket): void {
  const send = socket.send.bind(socket);
  socket.send = (data, ...rest) => {
    send(typeof data === 'string' && data.startsWith('{"type":"error"') ? recoded(data) : data, ...rest);
  };
}

function recoded(text: string): string {
  const frame = JSON.parse(text) as Frame;
  const payload = Array.isArray(frame.payload) ? frame.payload.map(coded) : frame.payload;
  return JSON.stringify({ ...frame, payload });
}

interface FrameError {
  readonly message?: string;
  readonly extensions?: { readonly code?: unknown };
}

function coded(error: FrameError): FrameError {
  if (isApiErrorCode(error.extensions?.code)) return error;
  const told = error.message?.startsWith('Syntax Error') ? error.message : API_ERRORS.BAD_REQUEST.meaning;
  return { message: told, extensions: { code: 'BAD_REQUEST' } };
}
