import { Logger } from '@nestjs/common';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  specifiedRules,
  validate,
  type DocumentNode,
  type OperationDefinitionNode,
} from 'graphql/index.js';
import { ApiError } from './api-error.js';
import { depthRule } from './depth-rule.js';
import { formatted, isApiErrorCode } from './error-format.js';
import { codedErrors } from './socket-frames.js';

/** Tokens in one operation. */
const LONGEST_OPERATION = 5_000;
/** How often a silent subscriber is pinged, ms. */
const KEEP_ALIVE = 20_000;

const log = new Logger('GraphQL');

/** Faults of the service go to its log and nowhere else. */
export function report(fault: unknown): void {
  log.error(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
}

export function mercuriusOptions(): Omit<MercuriusDriverConfig, 'driver'> {
  return {
    path: '/graphql',
    autoSchemaFile: true,
    sortSchema: true,
    jit: 1,
    graphiql: false,
    allowBatchedQueries: false,
    graphql: { parseOptions: { maxTokens: LONGEST_OPERATION } },
    validationRules: [depthRule],
    errorFormatter: (execution) => formatted(execution, report),
    subscription: {
      keepAlive: KEEP_ALIVE,
      context: async (socket, request) => {
        codedErrors(socket);
        return { request };
      },
    },
    hooks: {
      preExecution: async (_schema, document) => refuseSubscription(document),
      preSubscriptionExecution: async (schema, document) => refuseInvalid(schema, document),
    },
  };
}

/** Over HTTP there is nothing to send the items on. @throws ApiError BAD_REQUEST */
function refuseSubscription({ definitions }: DocumentNode): void {
  const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode[];
  if (operations.every(({ operation }) => operation === OperationTypeNode.SUBSCRIPTION))
    throw new ApiError('BAD_REQUEST', 'Subscriptions go over WebSocket (graphql-transport-ws), at the same address');
}

type Validated = Parameters<typeof validate>;

/** Over WebSocket an operation is executed without having been validated. @throws ApiError BAD_REQUEST, TOO_DEEP */
function refuseInvalid(schema: Validated[0], document: Validated[1]): void {
  const [first] = validate(schema, document, [...specifiedRules, depthRule]);
  if (first instanceof GraphQLError) {
    const { code } = first.extensions;
    throw new ApiError(isApiErrorCode(code) ? code : 'BAD_REQUEST', first.message);
  }
}
