import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { FastifyRequest } from 'fastify';
import { OWNER, type Viewer } from '../access/viewer.js';

/** What every operation carries, over HTTP and WebSocket. */
export interface RequestContext {
  readonly viewer?: Viewer;
}

const viewerParameter = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    GqlExecutionContext.create(context).getContext<RequestContext>().viewer ?? OWNER,
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
