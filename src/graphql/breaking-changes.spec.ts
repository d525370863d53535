import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { breakingChanges, RELEASED_SCHEMA } from './breaking-changes.js';

const queryOf = (fields: string) => `type Query { ${fields} }`;
const PROMISED = queryOf('car(id: ID!): String liveCursor: String!');

describe('breakingChanges', () => {
  it('is empty for the same schema and for more than was promised', () => {
    const released = readFileSync(RELEASED_SCHEMA, 'utf8');
    expect(breakingChanges(released, released)).toEqual([]);
    expect(breakingChanges(released, `${released}\nextend type Query { another: Int }`)).toEqual([]);
    expect(breakingChanges(PROMISED, queryOf('car(id: ID!, at: Int): String liveCursor: String!'))).toEqual([]);
  });

  it('names a field that is gone, a type that changed and an argument that is needed now', () => {
    expect(breakingChanges(PROMISED, queryOf('car(id: ID!): String'))).toEqual([
      'FIELD_REMOVED: Query.liveCursor was removed.',
    ]);
    expect(breakingChanges(PROMISED, queryOf('car(id: ID!): String liveCursor: String'))).toEqual([
      'FIELD_CHANGED_KIND: Query.liveCursor changed type from String! to String.',
    ]);
    expect(breakingChanges(PROMISED, queryOf('car(id: ID!, tenant: ID!): String liveCursor: String!'))).toEqual([
      'REQUIRED_ARG_ADDED: A required arg tenant on Query.car was added.',
    ]);
  });
});
