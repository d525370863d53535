import { GraphQLError, GraphQLScalarType, Kind } from 'graphql/index.js';

const ISO_8601 = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$/;
const PARTS = [86_400_000, 3_600_000, 60_000, 1_000];

/** ms. @throws GraphQLError */
export function parseDuration(value: unknown): number {
  const parts = typeof value === 'string' && value !== 'P' && !value.endsWith('T') ? ISO_8601.exec(value) : null;
  const length = parts ? PARTS.reduce((sum, part, n) => sum + part * Number(parts[n + 1] ?? 0), 0) : 0;
  if (length === 0)
    throw new GraphQLError('Duration must be an ISO 8601 duration of days, hours, minutes and seconds, like PT5M');
  return length;
}

function textOf(length: number): string {
  return `PT${length / 1_000}S`;
}

export const Duration = new GraphQLScalarType<number, string>({
  name: 'Duration',
  description: 'A length of time as ISO 8601 text of days, hours, minutes and seconds, like P1D or PT5M.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#appendix-A',
  serialize: (value) => textOf(value as number),
  parseValue: parseDuration,
  parseLiteral: (node) => parseDuration(node.kind === Kind.STRING ? node.value : undefined),
});
