import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { FastifyRequest } from 'fastify';
import type { Viewer } from '../access/viewer.js';
import { ApiError } from './api-error.js';

/** What every operation carries, over HTTP and WebSocket. */
export interface RequestContext {
  /** Set by the guard at the entrance; whoever did not pass it may do nothing. */
  readonly viewer?: Viewer | null | undefined;
}

/** @throws ApiError UNAUTHENTICATED */
export function viewerIn({ viewer }: RequestContext): Viewer {
  if (!viewer) throw new ApiError('UNAUTHENTICATED');
  return viewer;
}

const viewerParameter = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  viewerIn(GqlExecutionContext.create(context).getContext<RequestContext>()),
);

/** Who asks: the parameter of a resolver's method. */
export function CurrentViewer(): ParameterDecorator {
  return viewerParameter();
}

const cutParameter = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const { request } = GqlExecutionContext.create(context).getContext<RequestContext & { request?: FastifyRequest }>();
  return () => void request?.raw.socket.destroy();
});

/** What ends the connection that an operation came by, at once: the parameter of a resolver's method. */
export function CutConnection(): ParameterDecorator {
  return cutParameter();
}
