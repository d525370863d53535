import { buildSchema, parse, validate } from 'graphql/index.js';
import { describe, expect, it } from 'vitest';
import { DEEPEST, depthRule } from './depth-rule.js';

const schema = buildSchema('type Query { a: Query, b: Int }');
const nested = (depth: number) => `${'a {'.repeat(depth - 1)} b ${'}'.repeat(depth - 1)}`;
const codes = (query: string) =>
  validate(schema, parse(query), [depthRule]).map(({ extensions }) => extensions['code']);

describe('depthRule', () => {
  it('lets the deepest through and refuses one more', () => {
    expect(codes(`{ ${nested(DEEPEST)} }`)).toEqual([]);
    expect(codes(`{ ${nested(DEEPEST + 1)} }`)).toEqual(['TOO_DEEP']);
  });

  it('counts through fragments, named and inline', () => {
    const parts = `fragment f on Query { ${nested(8)} } { ... on Query { a { a { a { a { ...f } } } } } }`;
    expect(codes(parts)).toEqual([]);
    expect(codes(parts.replace('{ ...f }', '{ a { ...f } }'))).toEqual(['TOO_DEEP']);
  });

  it('ends on fragments within themselves and on very many of them', () => {
    expect(codes('fragment f on Query { a { ...f } } { ...f }')).toEqual([]);
    const chain = Array.from({ length: 500 }, (_, n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} }`);
    expect(codes(`${chain.join(' ')} fragment f500 on Query { b } { ...f0 }`)).toEqual([]);
  });

  it('leaves introspection alone', () => {
    expect(
      codes(`{ __schema { types { fields { type { ${'ofType { '.repeat(12)} name ${'}'.repeat(12)} } } } } }`),
    ).toEqual([]);
  });
});
