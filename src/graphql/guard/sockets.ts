import type { Authenticator } from '../../access/authenticator.js';
import { OWNER, type Viewer } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';
import { viewerBy } from './viewer-by.js';
import { wants } from './watch-frames.js';

/** Closing codes of graphql-transport-ws. */
const CLOSED = { UNAUTHENTICATED: 4_401, LATER: 1_013 } as const;

interface Socket {
  close(code: number, reason: string): void;
}

/** Mercurius calls `onConnect` as a method of its connection, which it does not hand over otherwise. */
export interface Connection {
  readonly socket: Socket;
  readonly context: { readonly viewer?: Viewer | null };
  /** By id, what has begun. */
  readonly subscriptionIters: Map<string, Partial<AsyncIterator<unknown>>>;
}

/** What was ended while it was about to begin ends when it has begun: nobody would end it later. */
function endEarlyEnded({ socket, subscriptionIters }: Connection): void {
  const set = subscriptionIters.set.bind(subscriptionIters);
  subscriptionIters.set = (id, items) => {
    if (wants(socket, id) || !items.return) return set(id, items);
    void items.return();
    return subscriptionIters;
  };
}

/**
 * Who a WebSocket belongs to: by the header of its upgrade, or by `authorization` in its first message.
 * @returns what goes into the context of its operations; false after it was closed
 */
export async function connected(
  connection: Connection,
  payload: unknown,
  authenticator: Authenticator | null,
): Promise<{ viewer: Viewer } | false> {
  const { socket, context } = connection;
  endEarlyEnded(connection);
  if (!authenticator) return { viewer: OWNER };
  if (context.viewer) return { viewer: context.viewer };
  const said = (payload ?? {}) as Record<string, unknown>;
  const authorization = said['authorization'] ?? said['Authorization'];
  try {
    return { viewer: await viewerBy(authenticator, typeof authorization === 'string' ? authorization : undefined) };
  } catch (fault) {
    if (!(fault instanceof ApiError)) throw fault;
    socket.close(fault.code === 'UNAUTHENTICATED' ? CLOSED.UNAUTHENTICATED : CLOSED.LATER, fault.code);
    return false;
  }
}
