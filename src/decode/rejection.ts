import type { Reading } from '../telemetry/reading.js';

/** Why a record is no reading. Closed: dead letters, metrics and docs/messages.md use these words. */
export const REJECTION_REASONS = [
  'NO_CAR_ID',
  'TOMBSTONE',
  'BODY_TOO_LARGE',
  'ERROR_LITERAL',
  'UNKNOWN_FORMAT',
  'INVALID_UTF8',
  'INVALID_JSON',
  'NOT_AN_OBJECT',
  'TOO_DEEP',
  'DUPLICATE_KEY',
  'FORBIDDEN_KEY',
  'INVALID_AVRO',
  'UNKNOWN_SCHEMA',
  'UNUSABLE_SCHEMA',
  'WRONG_TYPE',
  'NOT_FINITE',
  'CONFLICTING_VALUES',
  'CAR_MISMATCH',
  'BAD_LABEL',
  'BAD_TIME',
  'NO_SIGNAL',
] as const;

export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** A record becomes a reading, or is rejected for its own fault: normal outcomes, both. */
export type Decoded =
  | { readonly kind: 'reading'; readonly reading: Reading }
  | {
      readonly kind: 'rejected';
      readonly stage: 'decode';
      readonly reason: RejectionReason;
      /** For people; bounded, and free of the payload but for the beginning of a field's name. */
      readonly detail: string;
      /** The car of the record's key where there is a valid one. */
      readonly car: string | null;
    };

/** What the steps of decoding hand up when a record cannot become a reading. */
export class Refusal {
  constructor(
    readonly reason: RejectionReason,
    readonly detail: string,
  ) {}
}

const QUOTED = 64;

/** The beginning of a name from a payload, fit for a line of a log. */
export function quoted(name: string): string {
  const text = JSON.stringify(name.slice(0, QUOTED));
  return text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text;
}
