import {
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';

/** Closed list of what can go wrong with the store. */
export const STORE_FAULTS = ['STORE_UNAVAILABLE', 'STORE_REFUSED_DOCUMENT', 'STORE_KEEPS_ABORTING'] as const;
export type StoreFaultCode = (typeof STORE_FAULTS)[number];

/**
 * STORE_UNAVAILABLE: MongoDB is away, changing its primary, out of space, or refuses the service as a whole: wait and
 * try again. STORE_REFUSED_DOCUMENT: it refuses one of the documents, and will again. STORE_KEEPS_ABORTING: it ends the
 * transaction every time, as one that lasts too long or is too large: try with fewer documents.
 */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly retriable: boolean;

  constructor(
    readonly code: StoreFaultCode,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.retriable = code === 'STORE_UNAVAILABLE';
  }
}

/**
 * Server error codes that speak of a document and not of the server (mongo/src/mongo/base/error_codes.yml): BadValue,
 * FailedToParse, TypeMismatch, InvalidLength, DollarPrefixedFieldName, EmptyFieldName, DocumentValidationFailure,
 * BSONObjectTooLarge, KeyTooLong, DuplicateKey, InvalidBSON. Everything else is taken for a fault of the moment:
 * a record is dead-lettered only for what is surely its own fault.
 */
const DOCUMENT_CODES: ReadonlySet<unknown> = new Set([2, 9, 14, 16, 22, 52, 56, 121, 10_334, 11_000, 17_280]);

/** Whether a code of the server's speaks of a document that it will never take. */
export function refusesDocument(code: unknown): boolean {
  return DOCUMENT_CODES.has(code);
}

export function storeFaultOf(error: unknown): StoreFault {
  if (error instanceof StoreFault) return error;
  const refused = error instanceof MongoServerError ? refusesDocument(error.code) : isClientSide(error);
  return new StoreFault(refused ? 'STORE_REFUSED_DOCUMENT' : 'STORE_UNAVAILABLE', error);
}

/** ShutdownInProgress, PrimarySteppedDown, NotWritablePrimary, InterruptedAtShutdown and -DueToReplStateChange, NotPrimary… */
const AWAY_CODES: ReadonlySet<unknown> = new Set([91, 189, 10_107, 11_600, 11_602, 13_435, 13_436]);

/** Whether it was surely MongoDB's absence, for those who would otherwise blame what they read. */
export function isAway(error: unknown): boolean {
  if (error instanceof MongoServerError) return AWAY_CODES.has(error.code);
  return AWAY.some((kind) => error instanceof kind);
}

const AWAY = [
  MongoNetworkError,
  MongoServerSelectionError,
  MongoOperationTimeoutError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoTopologyClosedError,
];

/** The driver could not even encode the document (too large, a value that BSON has no place for). */
function isClientSide(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name } = error;
  return (
    name === 'BSONError' ||
    name === 'MongoInvalidArgumentError' ||
    (error instanceof RangeError && !(error instanceof MongoError))
  );
}

/** TransactionTooLarge (257), TransactionTooLargeForCache (388): the documents are fine, there are too many of them. */
export function isTransactionTooLarge(error: unknown): boolean {
  return error instanceof MongoServerError && (error.code === 257 || error.code === 388);
}

export function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

/** Two writers met on one document; the transaction is to be tried again as a whole. */
export function isWriteConflict(error: unknown): boolean {
  return hasLabel(error, 'TransientTransactionError') || (error instanceof MongoServerError && error.code === 112);
}
