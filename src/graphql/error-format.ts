import { type ExecutionResult, GraphQLError } from 'graphql/index.js';
import { MongoError, MongoServerError } from 'mongodb';
import { NoTurn } from '../fleet/turns.js';
import { RegistryError } from '../registry/registry-error.js';
import { SIGNAL_NAMES } from '../telemetry/signals.js';
import { API_ERRORS, ApiError, type ApiErrorCode } from './api-error.js';
import { PressureUnit, SpeedUnit, TemperatureUnit } from './history/units.args.js';
import { nearestName } from './nearest-name.js';

const MAX_TIME_EXPIRED = 50;
const TIMED_OUT = new Set(['MongoOperationTimeoutError']);
const AWAY = new Set([
  'MongoServerSelectionError',
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
]);
/** Shutting down, stepping down, not primary: the server is there and cannot answer now. */
const AWAY_CODES = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** What a caller is told about any fault. Nothing of a fault that is not ours gets out. */
export function apiErrorOf(fault: unknown): ApiError {
  if (fault instanceof ApiError) return fault;
  if (fault instanceof RegistryError) return new ApiError(fault.code, fault.message, { cause: fault });
  if (fault instanceof NoTurn) return new ApiError('BUSY', fault.message);
  if (fault instanceof MongoError) return new ApiError(codeOfMongo(fault), undefined, { cause: fault });
  return new ApiError('INTERNAL', undefined, { cause: fault });
}

function codeOfMongo(fault: MongoError): ApiErrorCode {
  if (TIMED_OUT.has(fault.name) || (fault instanceof MongoServerError && fault.code === MAX_TIME_EXPIRED))
    return 'TIMEOUT';
  const away = AWAY.has(fault.name) || (fault instanceof MongoServerError && AWAY_CODES.has(Number(fault.code)));
  return away ? 'UNAVAILABLE' : 'INTERNAL';
}

export function isApiErrorCode(code: unknown): code is ApiErrorCode {
  return typeof code === 'string' && Object.hasOwn(API_ERRORS, code);
}

export interface PublicError {
  readonly message: string;
  readonly locations?: GraphQLError['locations'];
  readonly path?: GraphQLError['path'];
  readonly extensions: { readonly code: ApiErrorCode };
}

/**
 * The errors of an execution as they leave the service. An error of the GraphQL engine about the request itself keeps its
 * message; an error that was thrown while resolving becomes that of `apiErrorOf`.
 * @param report is given what is not the caller's fault
 */
export function publicErrors(error: unknown, report: (fault: unknown) => void): PublicError[] {
  const inner = innerErrors(error);
  if (inner) return inner.flatMap((each) => publicErrors(each, report));
  const place = error instanceof GraphQLError ? { locations: error.locations, path: error.path } : {};
  const { message, code } = told(error, report);
  return [{ message, ...definedOnly(place), extensions: { code } }];
}

function told(error: unknown, report: (fault: unknown) => void): { message: string; code: ApiErrorCode } {
  const cause = causeOf(error);
  const engine = engineCode(error, cause);
  if (engine) return named(engine, (error as Error).message);
  const fault = apiErrorOf(cause);
  if (fault.cause !== undefined) report(fault.cause);
  return fault;
}

/** As GraphQL says it, and as compiled queries do, about variables. */
const UNKNOWN_NAME = /does not exist in "(\w+)" enum|Expected type (\w+)\.$/;
const WRONG_NAME = /[vV]alue "([^"]*)"/;
interface Unknown {
  readonly code: ApiErrorCode;
  /** Those that there are. */
  readonly names: readonly string[];
}
const unitsOf = (units: object): Unknown => ({ code: 'UNKNOWN_UNIT', names: Object.keys(units) });
const signals: Unknown = { code: 'UNKNOWN_SIGNAL', names: SIGNAL_NAMES };
/** By the enum. */
const UNKNOWN: ReadonlyMap<string, Unknown> = new Map([
  ['SignalName', signals],
  ['FleetMeasure', signals],
  ['SpeedUnit', unitsOf(SpeedUnit)],
  ['PressureUnit', unitsOf(PressureUnit)],
  ['TemperatureUnit', unitsOf(TemperatureUnit)],
]);

function unknownIn(message: string): Unknown | undefined {
  const [, said, compiled] = UNKNOWN_NAME.exec(message) ?? [];
  return UNKNOWN.get(said ?? compiled ?? '');
}

/** A request that is refused for a signal or a unit that there is not says so. */
export function namedCode(code: ApiErrorCode, message: string): ApiErrorCode {
  return (code === 'BAD_REQUEST' && unknownIn(message)?.code) || code;
}

/** And its message names the nearest, in GraphQL's words, where the engine does not. */
function named(code: ApiErrorCode, message: string): { message: string; code: ApiErrorCode } {
  const unknown = unknownIn(message);
  const [, text] = WRONG_NAME.exec(message) ?? [];
  const add = unknown && text !== undefined && !message.includes('Did you mean');
  const told = add ? `${message} Did you mean the enum value "${nearestName(text, unknown.names)}"?` : message;
  return { message: told, code: namedCode(code, message) };
}

/** Mercurius wraps the errors of a validation into one. */
function innerErrors(error: unknown): readonly unknown[] | null {
  const holder = causeOf(error) as { errors?: unknown };
  return Array.isArray(holder?.errors) && holder.errors.length > 0 ? holder.errors : null;
}

function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? causeOf(error.originalError) : error;
}

/** The code of a refusal by the GraphQL engine or the HTTP layer; null when the error came out of a resolver. */
function engineCode(error: unknown, cause: unknown): ApiErrorCode | null {
  if (cause instanceof ApiError || cause instanceof MongoError) return null;
  const { code, statusCode } = (cause ?? {}) as { code?: unknown; statusCode?: unknown };
  // Errors of compiled queries have none where the error that they stand for has none.
  const { extensions } = error as { extensions?: { code?: unknown } };
  if (error instanceof GraphQLError && isApiErrorCode(extensions?.code)) return extensions.code;
  if (typeof code === 'string' && code.startsWith('MER_ERR_')) return 'BAD_REQUEST';
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'BODY_TOO_LARGE';
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return 'BAD_REQUEST';
  if (cause instanceof GraphQLError && cause.path === undefined) return 'BAD_REQUEST';
  return error instanceof GraphQLError && error.path === undefined && cause === error ? 'BAD_REQUEST' : null;
}

function definedOnly<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<T>;
}

/** 400 when the request was refused as a whole, 200 otherwise: errors of fields come beside what could be answered. */
export function formatted(execution: ExecutionResult, report: (fault: unknown) => void) {
  const errors = (execution.errors ?? []).flatMap((error) => publicErrors(error, report));
  const refused = !execution.data && errors.some(({ path }) => path === undefined);
  const large = errors.some(({ extensions }) => extensions.code === 'BODY_TOO_LARGE');
  return { statusCode: refused ? (large ? 413 : 400) : 200, response: { data: execution.data ?? null, errors } };
}
