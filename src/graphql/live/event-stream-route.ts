import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import {
  type DocumentNode,
  type ExecutionResult,
  getOperationAST,
  type GraphQLSchema,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  subscribe,
} from 'graphql/index.js';
import type { Viewer } from '../../access/viewer.js';
import { ApiError } from '../api-error.js';
import { formatted, publicErrors } from '../error-format.js';
import { viewerIn } from '../current-viewer.js';
import { LONGEST_OPERATION } from '../limits.js';
import { EventStream } from './event-stream.js';
import { afterEvent, eventIdOf } from './last-event.js';

/** What every subscription passes before it starts, over WebSocket and as server-sent events alike. */
export interface Admission {
  /** bytes */
  readonly largestBody: number;
  /** @throws ApiError BODY_TOO_LARGE, UNKNOWN_OPERATION */
  source(text: string): void;
  /** @throws ApiError for what is not valid, costs too much or comes too often */
  document(schema: GraphQLSchema, document: DocumentNode, context: StreamContext): Promise<void>;
}

export interface StreamContext {
  readonly viewer?: Viewer | null | undefined;
  readonly request?: FastifyRequest;
}

export const STREAM_ADMISSION = Symbol('StreamAdmission');
export const FAULT_REPORT = Symbol('FaultReport');

interface Posted {
  readonly query?: unknown;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

/** `POST /graphql/stream`: one subscription, answered with server-sent events. */
@Injectable()
export class EventStreamRoute implements OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost<FastifyAdapter>,
    @Inject(STREAM_ADMISSION) private readonly admission: Admission,
    @Inject(FAULT_REPORT) private readonly report: (fault: unknown) => void,
  ) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance();
    const options: RouteShorthandOptions = {
      bodyLimit: this.admission.largestBody,
      errorHandler: (fault, _request, reply) => void this.refuse(reply, fault),
    };
    server.post('/graphql/stream', options, async (request: FastifyRequest, reply: FastifyReply) => {
      const { schema } = (server as unknown as { graphql: { schema: GraphQLSchema } }).graphql;
      const items = await this.started(schema, request).catch((fault: unknown) => this.refuse(reply, fault));
      if (items) await this.send(items, request, reply);
      return reply;
    });
  }

  /** @throws what it is refused for */
  private async started(schema: GraphQLSchema, request: FastifyRequest): Promise<AsyncIterable<ExecutionResult>> {
    const { query, variables, operationName } = (request.body ?? {}) as Posted;
    if (typeof query !== 'string') throw new ApiError('BAD_REQUEST', 'There is no query');
    if (variables != null && (typeof variables !== 'object' || Array.isArray(variables)))
      throw new ApiError('BAD_REQUEST', 'variables is no object');
    this.admission.source(query);
    const document = parse(query, { maxTokens: LONGEST_OPERATION });
    const operation = subscriptionOf(document, operationName);
    const contextValue = { viewer: viewerIn(request), request };
    await this.admission.document(schema, document, contextValue);
    const result = await subscribe({
      schema,
      document,
      rootValue: {},
      contextValue,
      variableValues: afterEvent(operation, variables ?? {}, request.headers['last-event-id']),
      operationName: operationName ?? null,
    });
    if (Symbol.asyncIterator in result) return result;
    throw result.errors?.[0] ?? new ApiError('INTERNAL');
  }

  private async send(
    items: AsyncIterable<ExecutionResult>,
    { raw: { socket } }: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const iterator = items[Symbol.asyncIterator]();
    const end = () => void iterator.return?.();
    if (socket.destroyed) return end();
    reply.hijack();
    reply.raw.once('close', end);
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const stream = new EventStream(reply.raw);
    try {
      for (let item = await iterator.next(); !item.done; item = await iterator.next())
        await stream.next(this.told(item.value), eventIdOf(item.value));
    } catch (fault) {
      await stream.next({ errors: publicErrors(fault, this.report) }, null);
    } finally {
      stream.complete();
    }
  }

  private told(result: ExecutionResult): unknown {
    return result.errors ? formatted(result, this.report).response : result;
  }

  private refuse(reply: FastifyReply, fault: unknown): null {
    const errors = publicErrors(fault, this.report);
    const large = errors.some(({ extensions }) => extensions.code === 'BODY_TOO_LARGE');
    void reply.code(large ? 413 : 400).send({ data: null, errors });
    return null;
  }
}

/** @throws ApiError BAD_REQUEST */
function subscriptionOf(document: DocumentNode, name: string | null | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, name);
  if (operation?.operation === OperationTypeNode.SUBSCRIPTION) return operation;
  throw new ApiError('BAD_REQUEST', 'Only subscriptions are streamed: everything else is posted to /graphql');
}
