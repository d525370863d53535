import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '../../access/authenticator.js';
import { OWNER, type Viewer } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';
import type { PersistedOperations } from './persisted-operations.js';
import { expectInit } from './sockets.js';
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
}

const GUARDED = /^\/(graphql|export)(\/|\?|$)/;
const STATUS: Partial<Record<ApiError['code'], number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BODY_TOO_LARGE: 413,
  UNAVAILABLE: 503,
};

/** Everything that is asked of the API passes here first: who asks, from which page, and how. */
export function guardHttp(server: FastifyInstance, options: HttpGuardOptions): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!GUARDED.test(request.url) || request.method === 'OPTIONS') return;
    try {
      checkOrigin(request, options.origins);
      checkMethod(request);
      checkLength(request, options.largestBody);
      request.viewer = await viewerOf(request, options.authenticator);
      if (isUpgrade(request)) expectInit(request);
    } catch (fault) {
      await refuse(reply, fault);
    }
  });
  server.addHook('preValidation', async (request, reply) => {
    if (!/^\/graphql(\/|\?|$)/.test(request.url) || request.method !== 'POST') return;
    try {
      const body = request.body as { query?: unknown; extensions?: unknown } | null;
      if (body && typeof body === 'object' && !Array.isArray(body))
        body.query = options.persisted.textOf(body.query, body.extensions);
    } catch (fault) {
      await refuse(reply, fault);
    }
  });
}

const isUpgrade = ({ headers }: FastifyRequest) => headers.upgrade?.toLowerCase() === 'websocket';

/** Browsers name the page that asks; other clients name none. @throws ApiError FORBIDDEN */
function checkOrigin({ headers }: FastifyRequest, origins: readonly string[]): void {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes(origin)) return;
  const own = URL.canParse(origin) && new URL(origin).host === host;
  if (!own) throw new ApiError('FORBIDDEN', 'Pages of that origin may not ask');
}

/** What a page can have a browser send without asking first (GET, forms) does nothing here. @throws ApiError BAD_REQUEST */
function checkMethod(request: FastifyRequest): void {
  const { method, url, headers } = request;
  if (isUpgrade(request) || !url.startsWith('/graphql')) return;
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
async function viewerOf(request: FastifyRequest, authenticator: Authenticator | null): Promise<Viewer | null> {
  if (!authenticator) return OWNER;
  const { authorization } = request.headers;
  if (isUpgrade(request) && authorization === undefined) return null;
  return viewerBy(authenticator, authorization);
}

async function refuse(reply: FastifyReply, fault: unknown): Promise<void> {
  if (!(fault instanceof ApiError)) throw fault;
  const { code, message } = fault;
  if (code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  const errors = [{ message, extensions: { code } }];
  await reply.code(STATUS[code] ?? 400).send({ data: null, errors });
}
