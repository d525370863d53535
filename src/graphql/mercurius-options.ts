import { Logger } from '@nestjs/common';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import type { ExecutionResult } from 'graphql/index.js';
import { formatted } from './error-format.js';

/** Nesting that the deepest useful question needs, with room: cars, edges, node, history, edges, node, score, topSignals. */
export const DEEPEST = 12;

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
    queryDepth: DEEPEST,
    allowBatchedQueries: false,
    errorFormatter: (execution) => formatted(execution as ExecutionResult, report) as never,
  };
}
