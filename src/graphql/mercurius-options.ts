import { Logger } from '@nestjs/common';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyRequest } from 'fastify';
import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql/index.js';
import type { Authenticator } from '../access/authenticator.js';
import { OWNER, type Viewer } from '../access/viewer.js';
import { ApiError } from './api-error.js';
import type { RequestContext } from './current-viewer.js';
import { depthRule } from './depth-rule.js';
import { apiErrorOf, formatted, isApiErrorCode } from './error-format.js';
import { aliasRule } from './guard/alias-rule.js';
import type { MutationAudit } from './guard/mutation-audit.js';
import type { OperationGuard } from './guard/operation-guard.js';
import type { PersistedOperations } from './guard/persisted-operations.js';
import { connected, type Connection, initSeen } from './guard/sockets.js';
import { LONGEST_OPERATION } from './limits.js';
import type { Admission } from './live/event-stream-route.js';
import { codedErrors } from './socket-frames.js';

/** How often a silent subscriber is pinged, ms. */
const KEEP_ALIVE = 20_000;

const log = new Logger('GraphQL');

/** Faults of the service go to its log and nowhere else. */
export function report(fault: unknown): void {
  log.error(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
}

export interface ApiGuards {
  readonly authenticator: Authenticator | null;
  readonly operations: OperationGuard;
  readonly persisted: PersistedOperations;
  readonly audit: MutationAudit;
  readonly aliases: number;
  /** bytes */
  readonly largestBody: number;
}

/** What hooks are given: the context of an operation. */
type HookContext = RequestContext & { readonly request?: FastifyRequest };
type Variables = Readonly<Record<string, unknown>>;

type Admitted = Pick<ApiGuards, 'operations' | 'persisted' | 'aliases' | 'largestBody'>;

/** What a subscription passes before it starts, over WebSocket and as server-sent events alike. */
export function subscriptionAdmission({ operations, persisted, aliases, largestBody }: Admitted): Admission {
  const rules = [depthRule, aliasRule(aliases)];
  return {
    source: (text) => {
      if (text.length > largestBody) throw new ApiError('BODY_TOO_LARGE');
      persisted.check(text);
    },
    document: async (schema, document, context) => {
      refuseInvalid(schema, document, rules);
      const viewer = context.viewer ?? OWNER;
      await operations
        .check(schema, document, {}, viewer, clientOf(viewer, context))
        .catch((fault: unknown) => Promise.reject(apiErrorOf(fault)));
    },
  };
}

export function mercuriusOptions(guards: ApiGuards): Omit<MercuriusDriverConfig, 'driver'> {
  const rules = [depthRule, aliasRule(guards.aliases)];
  const { authenticator, operations, persisted, audit } = guards;
  const admission = subscriptionAdmission(guards);
  const check = (schema: GraphQLSchema, document: DocumentNode, variables: Variables, context: HookContext) => {
    const viewer = context.viewer ?? OWNER;
    return operations.check(schema, document, variables, viewer, clientOf(viewer, context));
  };
  return {
    path: '/graphql',
    autoSchemaFile: true,
    sortSchema: true,
    jit: 1,
    graphiql: false,
    allowBatchedQueries: false,
    graphql: { parseOptions: { maxTokens: LONGEST_OPERATION } },
    validationRules: rules,
    errorFormatter: (execution) => formatted(execution, report),
    context: (request: FastifyRequest) => ({ viewer: request.viewer ?? OWNER, request }),
    subscription: {
      keepAlive: KEEP_ALIVE,
      context: async (socket, request) => {
        initSeen(request);
        codedErrors(socket);
        return { request, viewer: request.viewer };
      },
      onConnect: function (this: unknown, { payload }: { payload?: unknown }) {
        return connected(this as Connection, payload, authenticator);
      },
    },
    hooks: {
      preParsing: async (_schema, source) => persisted.check(source),
      preExecution: async (schema, document, context, variables: Variables = {}) => {
        refuseSubscription(document);
        const hook = context as unknown as HookContext;
        await check(schema, document, variables, hook);
        await audit.begin(schema, document, variables, hook);
      },
      onResolution: async (execution, context) =>
        // The answer stands: what was noted before it says that it was tried.
        audit.end(execution, context as unknown as HookContext).catch(report),
      preSubscriptionParsing: async (_schema, source) => admission.source(source),
      preSubscriptionExecution: (schema, document, context) =>
        admission.document(schema, document, context as unknown as HookContext),
    },
  };
}

/** By whom operations are counted: the name where there is one, the address where everybody is the same. */
function clientOf(viewer: Viewer, { request }: HookContext): string {
  return viewer === OWNER ? `address ${request?.ip ?? ''}` : `name ${viewer.name}`;
}

/** Over HTTP there is nothing to send the items on. @throws ApiError BAD_REQUEST */
function refuseSubscription({ definitions }: DocumentNode): void {
  const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode[];
  if (operations.every(({ operation }) => operation === OperationTypeNode.SUBSCRIPTION))
    throw new ApiError('BAD_REQUEST', 'Subscriptions go over WebSocket (graphql-transport-ws), at the same address');
}

type Rules = Parameters<typeof validate>[2];

/** Over WebSocket an operation is executed without having been validated. @throws ApiError BAD_REQUEST, TOO_DEEP, TOO_MANY_ALIASES */
export function refuseInvalid(schema: GraphQLSchema, document: DocumentNode, rules: NonNullable<Rules>): void {
  const [first] = validate(schema, document, [...specifiedRules, ...rules]);
  if (first instanceof GraphQLError) {
    const { code } = first.extensions;
    throw new ApiError(isApiErrorCode(code) ? code : 'BAD_REQUEST', first.message);
  }
}
