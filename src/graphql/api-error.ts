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
  PAGE_TOO_LARGE: { retriable: false, meaning: 'A page of more than 500, or pages within pages of too many rows' },
  TOO_DEEP: { retriable: false, meaning: 'The selections are nested too deeply' },
  UNKNOWN_MODEL: { retriable: false, meaning: 'There is no such model in the registry' },
  MODEL_CONFLICT: { retriable: false, meaning: 'What the model does now does not allow it' },
  MODEL_REFUSED: { retriable: false, meaning: 'The model failed its check; the message says where it differs' },
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
