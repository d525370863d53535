/**
 * Every code that an answer can carry in `extensions.code`, with whether the same request may succeed later. The list is
 * closed: docs/graphql.md has the same one, and a test keeps them equal.
 */
export const API_ERRORS = {
  BAD_REQUEST: { retriable: false, meaning: 'The request is not valid GraphQL for this schema' },
  BAD_ARGUMENT: { retriable: false, meaning: 'An argument has the right type but no meaning' },
  NOT_FOUND: { retriable: false, meaning: 'What is to be changed is not there' },
  BAD_CURSOR: { retriable: false, meaning: 'A cursor was not made by this field with this order' },
  BAD_RANGE: { retriable: false, meaning: 'A time range ends before it begins' },
  PAGE_TOO_LARGE: {
    retriable: false,
    meaning: 'A page of more than 500, or of rollups that would take too many readings',
  },
  TOO_DEEP: { retriable: false, meaning: 'The selections are nested too deeply' },
  UNAUTHENTICATED: { retriable: false, meaning: 'No valid token or key came with the request, or it has expired' },
  FORBIDDEN: { retriable: false, meaning: 'The role of the caller, or the fleets that it may see, do not allow it' },
  TOO_COSTLY: { retriable: false, meaning: 'The operation costs more than the limit; the message says how much' },
  TOO_MANY_ALIASES: { retriable: false, meaning: 'More aliases in one operation than the limit' },
  BODY_TOO_LARGE: { retriable: false, meaning: 'The body of the request is larger than the limit' },
  UNKNOWN_OPERATION: { retriable: false, meaning: 'Only persisted operations are taken, and this is none of them' },
  RATE_LIMITED: { retriable: true, meaning: 'Too many requests from this client; the message says when to come again' },
  TOO_MANY_SUBSCRIPTIONS: { retriable: false, meaning: 'More subscriptions at a time than one client may have' },
  VERSION_CONFLICT: {
    retriable: false,
    meaning: 'What is to be changed is not at the version that the change was made for',
  },
  INVALID_ATTRIBUTES: { retriable: false, meaning: 'The attributes do not meet their schema; the message says where' },
  INVALID_DESIRED: { retriable: false, meaning: 'The desired values do not meet their schema; the message says where' },
  BEFORE_RETENTION: { retriable: false, meaning: 'The instant lies before the oldest reading that is kept' },
  TOO_MANY_BUCKETS: { retriable: false, meaning: 'Range and step would give over 10,000 buckets' },
  UNKNOWN_SIGNAL: { retriable: false, meaning: 'There is no such signal; the message names the nearest' },
  UNKNOWN_UNIT: { retriable: false, meaning: 'The signal is not given in that unit; the message names the nearest' },
  TOO_MANY_READINGS: {
    retriable: false,
    meaning: 'The answer would take more readings than the limit; ask for a shorter range',
  },
  UNKNOWN_MODEL: { retriable: false, meaning: 'There is no such model in the registry' },
  MODEL_CONFLICT: { retriable: false, meaning: 'What the model does now does not allow it' },
  MODEL_REFUSED: { retriable: false, meaning: 'The model failed its check; the message says where it differs' },
  BUSY: { retriable: true, meaning: 'Too many questions about the fleet are being answered' },
  TIMEOUT: { retriable: true, meaning: 'The database did not answer within the time limit' },
  UNAVAILABLE: { retriable: true, meaning: 'The database cannot be reached' },
  TOO_SLOW: { retriable: true, meaning: 'A subscriber did not keep up; it resumes from its last cursor' },
  INTERNAL: { retriable: false, meaning: 'A fault of the service; the details are in its log' },
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** A fault whose message is meant for the caller. `extensions` is what GraphQL puts beside the message. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly retriable: boolean;
  readonly extensions: { readonly code: ApiErrorCode };

  constructor(
    readonly code: ApiErrorCode,
    message: string = API_ERRORS[code].meaning,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.retriable = API_ERRORS[code].retriable;
    this.extensions = { code };
  }
}
