import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql/index.js';

const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** @throws GraphQLError */
export function parseInstant(value: unknown): Date {
  const date = typeof value === 'string' && ISO_8601.test(value) ? new Date(value) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime()))
    throw new GraphQLError('DateTime must be an ISO 8601 instant with its zone, like 2026-01-31T12:00:00.000Z');
  return date;
}

export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant as ISO 8601 text in UTC with milliseconds, like 2026-01-31T12:00:00.000Z.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(node.kind === Kind.STRING ? node.value : undefined),
});

function parseWhole(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new GraphQLError('Long must be a whole number within 2^53');
  return value as number;
}

export const Long = new GraphQLScalarType<number, number>({
  name: 'Long',
  description: 'A whole number of up to 2^53, which JSON carries exactly.',
  serialize: (value) => Number(value),
  parseValue: parseWhole,
  parseLiteral: (node) => parseWhole(node.kind === Kind.INT ? Number(node.value) : undefined),
});

export const Json = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
