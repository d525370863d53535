import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../../access/authenticator.js';
import { OWNER, type Viewer } from '../../access/viewer.js';
import { askedBy } from '../../fleet/joint-answer.js';
import { ApiError } from '../api-error.js';
import { clientName } from './client-name.js';
import type { PersistedOperations } from './persisted-operations.js';
import { SocketDoor } from './socket-door.js';
import { viewerBy } from './viewer-by.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on a WebSocket that has yet to say. */
    viewer?: Viewer | null;
  }
}

export interface HttpGuardOptions {
  readonly authenticator: Authenticator | null;
  /** Beside the service's own. */
  readonly origins: readonly string[];
  readonly persisted: PersistedOperations;
  /** bytes */
  readonly largestBody: number;
  /** WebSockets of one address. */
  readonly mostSockets: number;
}

/** Routes by the pattern that the router chose: what stands in the request may be spelt in many ways. */
const GUARDED = /^\/(graphql|export)(\/|$)/;
const STATUS: Partial<Record<ApiError['code'], number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BODY_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  TIMEOUT: 503,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

/** Everything that is asked of the API passes here first: who asks, from which page, and how. */
export function guardHttp(server: FastifyInstance, options: HttpGuardOptions): void {
  const sockets = new SocketDoor(options);
  server.addHook('onRequest', async (request, reply) => {
    const route = request.routeOptions.url ?? '';
    const upgrade = isUpgrade(request);
    if ((!GUARDED.test(route) && !upgrade) || request.method === 'OPTIONS') return;
    try {
      checkHost(request, options);
      checkOrigin(request, options.origins);
      if (upgrade) checkUpgrade(request, route);
      else checkMethod(request, route);
      checkLength(request, options.largestBody);
      request.viewer = await viewerOf(request, upgrade, options.authenticator);
      if (upgrade) sockets.enter(request);
    } catch (fault) {
      await refuse(request, reply, fault);
    }
  });
  server.addHook('preValidation', async (request, reply) => {
    if (!GUARDED.test(request.routeOptions.url ?? '') || request.method !== 'POST') return;
    try {
      const body = request.body as { query?: unknown; extensions?: unknown } | null;
      if (body && typeof body === 'object' && !Array.isArray(body))
        body.query = options.persisted.textOf(body.query, body.extensions);
    } catch (fault) {
      await refuse(request, reply, fault);
    }
  });
  server.addHook('preHandler', ({ viewer, ip }, reply, done) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    askedBy(gone.signal, viewer ? clientName(viewer, ip) : '', done);
  });
}

/** Whether the connection is to become something else: Node tells by more than the header. */
const isUpgrade = ({ raw }: FastifyRequest) => (raw as { upgrade?: boolean }).upgrade === true;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Where nobody is asked who they are, a page whose name was made to lead to this machine would be as good as its owner.
 * @throws ApiError FORBIDDEN
 */
function checkHost({ headers }: FastifyRequest, { authenticator, origins }: HttpGuardOptions): void {
  const { host } = headers;
  if (authenticator || host === undefined || LOOPBACK.test(host)) return;
  if (!origins.some((origin) => new URL(origin).host === host))
    throw new ApiError('FORBIDDEN', 'Without authentication the API answers under a loopback name only');
}

/** Browsers name the page that asks; other clients name none. @throws ApiError FORBIDDEN */
function checkOrigin({ headers }: FastifyRequest, origins: readonly string[]): void {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return;
  const own = /^https?:/.test(origin) && URL.canParse(origin) && new URL(origin).host === host;
  if (!own) throw new ApiError('FORBIDDEN', 'Pages of that origin may not ask');
}

/** WebSockets are opened at one place, in one protocol. @throws ApiError BAD_REQUEST */
function checkUpgrade({ method, headers }: FastifyRequest, route: string): void {
  const [protocol] = (headers['sec-websocket-protocol'] ?? '').split(',');
  const fits = method === 'GET' && route === '/graphql' && headers.upgrade?.toLowerCase() === 'websocket';
  if (!fits || protocol?.trim() !== 'graphql-transport-ws')
    throw new ApiError('BAD_REQUEST', 'WebSockets speak graphql-transport-ws, at /graphql');
}

/** What a page can have a browser send without asking first (GET, forms) does nothing here. @throws ApiError BAD_REQUEST */
function checkMethod({ method, headers }: FastifyRequest, route: string): void {
  if (!route.startsWith('/graphql')) return;
  if (method !== 'POST') throw new ApiError('BAD_REQUEST', 'Operations are posted');
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new ApiError('BAD_REQUEST', 'The content type must be application/json');
}

/** @throws ApiError BODY_TOO_LARGE */
function checkLength({ headers }: FastifyRequest, largest: number): void {
  if (Number(headers['content-length'] ?? 0) > largest)
    throw new ApiError('BODY_TOO_LARGE', `A request has at most ${largest} bytes`);
}

/** @returns null on a WebSocket without a header: it says who it is in its first message */
async function viewerOf(
  request: FastifyRequest,
  upgrade: boolean,
  authenticator: Authenticator | null,
): Promise<Viewer | null> {
  if (!authenticator) return OWNER;
  const { authorization } = request.headers;
  if (upgrade && authorization === undefined) return null;
  return viewerBy(authenticator, authorization);
}

/** Answers with the coded error. */
export async function refuse(request: FastifyRequest, reply: FastifyReply, fault: unknown): Promise<void> {
  if (!(fault instanceof ApiError)) throw fault;
  const { code, message } = fault;
  if (code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  // A connection that was to become a WebSocket is nobody else's to end.
  if (isUpgrade(request)) reply.raw.once('finish', () => request.raw.socket.destroySoon());
  const errors = [{ message, extensions: { code } }];
  await reply.code(STATUS[code] ?? 400).send({ data: null, errors });
}
