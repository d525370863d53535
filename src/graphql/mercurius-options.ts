import { Logger } from '@nestjs/common';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { FastifyRequest } from 'fastify';
import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql/index.js';
import type { Authenticator } from '../access/authenticator.js';
import { ApiError } from './api-error.js';
import { type RequestContext, viewerIn } from './current-viewer.js';
import { depthRule } from './depth-rule.js';
import { apiErrorOf, formatted, isApiErrorCode, namedCode } from './error-format.js';
import { aliasRule } from './guard/alias-rule.js';
import { clientName } from './guard/client-name.js';
import { checkShape, withoutSuggestion } from './guard/document-shape.js';
import type { MutationAudit } from './guard/mutation-audit.js';
import type { OperationGuard } from './guard/operation-guard.js';
import type { PersistedOperations } from './guard/persisted-operations.js';
import { initSeen } from './guard/socket-door.js';
import { connected, type Connection } from './guard/sockets.js';
import { LONGEST_OPERATION } from './limits.js';
import type { Admission } from './live/event-stream-route.js';

const PARSE = { maxTokens: LONGEST_OPERATION };
/** Operations that are kept parsed and compiled, and as many that were refused: the largest take a megabyte each. */
const REMEMBERED = 200;
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
  /** Whether the schema may be asked for; where not, no error tells of it either. */
  readonly introspection: boolean;
  /** bytes */
  readonly largestBody: number;
}

/** What hooks are given: the context of an operation. */
type HookContext = RequestContext & { readonly request?: FastifyRequest };
type Variables = Readonly<Record<string, unknown>>;

type Admitted = Pick<ApiGuards, 'operations' | 'persisted' | 'aliases' | 'introspection' | 'largestBody'>;

/** What a subscription passes before it starts, over WebSocket and as server-sent events alike. */
export function subscriptionAdmission({
  operations,
  persisted,
  aliases,
  introspection,
  largestBody,
}: Admitted): Admission {
  const rules = [depthRule, aliasRule(aliases)];
  return {
    largestBody,
    source: (text) => {
      if (text.length > largestBody) throw new ApiError('BODY_TOO_LARGE');
      parse(text, PARSE);
      persisted.check(text);
    },
    document: async (schema, document, context) => {
      checkShape(document);
      refuseInvalid(schema, document, rules, introspection ? (message) => message : withoutSuggestion);
      const viewer = viewerIn(context);
      // Not every way is given the variables here.
      await operations
        .check(schema, document, null, viewer, clientName(viewer, context.request?.ip))
        .catch((fault: unknown) => Promise.reject(apiErrorOf(fault)));
    },
  };
}

export function mercuriusOptions(guards: ApiGuards): Omit<MercuriusDriverConfig, 'driver'> {
  const rules = [depthRule, aliasRule(guards.aliases)];
  const { authenticator, operations, persisted, audit } = guards;
  const check = (schema: GraphQLSchema, document: DocumentNode, variables: Variables | null, context: HookContext) => {
    const viewer = viewerIn(context);
    return operations.check(schema, document, variables, viewer, clientName(viewer, context.request?.ip));
  };
  const admission = subscriptionAdmission(guards);
  const told = (message: string) => (guards.introspection ? message : withoutSuggestion(message));
  return {
    path: '/graphql',
    autoSchemaFile: true,
    sortSchema: true,
    jit: 1,
    graphiql: false,
    allowBatchedQueries: false,
    additionalRouteOptions: { bodyLimit: guards.largestBody },
    cache: REMEMBERED,
    graphql: { parseOptions: PARSE },
    validationRules: rules,
    errorFormatter: (execution) => {
      const { statusCode, response } = formatted(execution, report);
      const errors = response.errors.map((error) => ({ ...error, message: told(error.message) }));
      return { statusCode, response: { ...response, errors } };
    },
    context: (request: FastifyRequest) => ({ viewer: request.viewer, request }),
    subscription: {
      keepAlive: KEEP_ALIVE,
      context: async (_socket, request) => {
        initSeen(request);
        return { request, viewer: request.viewer };
      },
      onConnect: function (this: unknown, { payload }: { payload?: unknown }) {
        return connected(this as Connection, payload, authenticator);
      },
    },
    hooks: {
      preParsing: async (_schema, source) => persisted.check(source),
      preValidation: async (_schema, document) => checkShape(document),
      preExecution: async (schema, document, context, given: Variables | null | undefined) => {
        const variables = given ?? {};
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

/** Over HTTP there is nothing to send the items on. @throws ApiError BAD_REQUEST */
function refuseSubscription({ definitions }: DocumentNode): void {
  const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode[];
  if (operations.every(({ operation }) => operation === OperationTypeNode.SUBSCRIPTION))
    throw new ApiError('BAD_REQUEST', 'Subscriptions go over WebSocket (graphql-transport-ws), at the same address');
}

type Rules = Parameters<typeof validate>[2];

/** Over WebSocket an operation is executed without having been validated. @throws ApiError BAD_REQUEST, TOO_DEEP, TOO_MANY_ALIASES */
export function refuseInvalid(
  schema: GraphQLSchema,
  document: DocumentNode,
  rules: NonNullable<Rules>,
  told: (message: string) => string,
): void {
  const [first] = validate(schema, document, [...specifiedRules, ...rules]);
  if (first instanceof GraphQLError) {
    const { code } = first.extensions;
    const coded = isApiErrorCode(code) ? code : namedCode('BAD_REQUEST', first.message);
    throw new ApiError(coded, told(first.message));
  }
}
