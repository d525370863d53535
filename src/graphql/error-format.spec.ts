import { readFileSync } from 'node:fs';
import { GraphQLError } from 'graphql/index.js';
import { MongoNetworkError, MongoOperationTimeoutError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { API_ERRORS, ApiError } from './api-error.js';
import { formatted } from './error-format.js';

/** As the engine hands over what a resolver threw. */
const thrown = (fault: Error) => new GraphQLError(fault.message, { path: ['car'], originalError: fault });

function told(error: GraphQLError) {
  const reported: unknown[] = [];
  const { response, statusCode } = formatted({ errors: [error], data: null }, (fault) => reported.push(fault));
  return { ...response.errors[0], statusCode, reported };
}

describe('formatted', () => {
  it.each([
    ['UNAVAILABLE', new MongoNetworkError('connect ECONNREFUSED 10.0.0.7:27017')],
    ['UNAVAILABLE', new MongoServerError({ message: 'not primary on db7', code: 10107 })],
    ['TIMEOUT', new MongoServerError({ message: 'operation exceeded time limit', code: 50 })],
    ['TIMEOUT', new MongoOperationTimeoutError('Timed out after 5000 ms')],
    ['INTERNAL', new MongoServerError({ message: 'unknown operator $foo', code: 2 })],
    ['INTERNAL', new TypeError("Cannot read properties of undefined (reading 'secret')")],
  ])('tells %s and nothing of the fault itself', (code, fault) => {
    const { message, extensions, reported, path } = told(thrown(fault));
    expect({ message, extensions, path }).toEqual({
      message: API_ERRORS[code as keyof typeof API_ERRORS].meaning,
      extensions: { code },
      path: ['car'],
    });
    expect(reported).toEqual([fault]);
  });

  it("keeps the message of the caller's own mistakes and reports nothing", () => {
    expect(told(thrown(new ApiError('BAD_RANGE', 'from lies after to')))).toMatchObject({
      message: 'from lies after to',
      extensions: { code: 'BAD_RANGE' },
      reported: [],
    });
    expect(told(new GraphQLError('Cannot query field "x" on type "Query".'))).toMatchObject({
      message: 'Cannot query field "x" on type "Query".',
      extensions: { code: 'BAD_REQUEST' },
      statusCode: 400,
      reported: [],
    });
  });

  it.each([
    ['SignalName', 'UNKNOWN_SIGNAL'],
    ['FleetMeasure', 'UNKNOWN_SIGNAL'],
    ['SpeedUnit', 'UNKNOWN_UNIT'],
    ['CarStatus', 'BAD_REQUEST'],
    ['constructor', 'BAD_REQUEST'],
  ])('says what a name that %s does not have is', (type, code) => {
    const { extensions } = told(new GraphQLError(`Value "sped" does not exist in "${type}" enum.`));
    expect(extensions).toEqual({ code });
  });

  it.each([
    ['Value "KMH" does not exist in "SpeedUnit" enum.', ' Did you mean the enum value "MILES_PER_HOUR"?'],
    ['Variable "$m" got invalid value "sped"; Expected type FleetMeasure.', ' Did you mean the enum value "speed"?'],
    ['Value "sped" does not exist in "SignalName" enum. Did you mean the enum value "speed"?', ''],
    ['Value "sped" does not exist in "CarStatus" enum.', ''],
  ])('names the nearest signal or unit once: %s', (message, nearest) => {
    expect(told(new GraphQLError(message)).message).toBe(message + nearest);
  });

  it('takes the errors of a validation out of their wrapping', () => {
    const wrapped = Object.assign(new Error('Graphql validation error'), {
      errors: [new GraphQLError('one'), new GraphQLError('two', { extensions: { code: 'TOO_DEEP' } })],
    });
    const { response } = formatted({ errors: [new GraphQLError('x', { originalError: wrapped })] }, () => {});
    expect(response.errors).toEqual([
      { message: 'one', extensions: { code: 'BAD_REQUEST' } },
      { message: 'two', extensions: { code: 'TOO_DEEP' } },
    ]);
  });
});

describe('the list of codes', () => {
  it('is the same in docs/graphql.md', () => {
    const docs = readFileSync('docs/graphql.md', 'utf8');
    const rows = [...docs.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| (.+) \|$/gm)].map(([, code, retry, meaning]) => [
      code,
      retry === 'yes',
      meaning,
    ]);
    expect(rows).toEqual(
      Object.entries(API_ERRORS).map(([code, { retriable, meaning }]) => [code, retriable, meaning]),
    );
  });
});
