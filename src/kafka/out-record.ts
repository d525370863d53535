export type RecordHeaders = Readonly<Record<string, Buffer | string>>;

export interface OutRecord {
  readonly topic: string;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders;
  /** ms since 1970; the time of producing when not given. */
  readonly timestamp?: number;
}

export interface RefusedRecord {
  readonly record: OutRecord;
  /** Kafka's own name of the error. */
  readonly reason: string;
}

export type ProduceErrorCode = 'RECORDS_REFUSED' | 'PRODUCER_CLOSED';

export class ProduceError extends Error {
  override readonly name = 'ProduceError';
  readonly retriable = false;

  constructor(
    readonly code: ProduceErrorCode,
    message: string,
    /** Records that Kafka will never take; all others of the same call are in Kafka. */
    readonly refused: readonly RefusedRecord[] = [],
  ) {
    super(message);
  }
}

/** What a record takes beside key, value and headers; generous. */
const RECORD_OVERHEAD = 64;

/** Bytes of a record in a request, never too few. */
export function sizeOf(record: OutRecord): number {
  let bytes = RECORD_OVERHEAD + (record.value?.length ?? 0);
  if (record.key !== null) bytes += lengthOf(record.key);
  for (const name in record.headers) bytes += 10 + name.length * 3 + lengthOf(record.headers[name] as Buffer | string);
  return bytes;
}

function lengthOf(data: Buffer | string): number {
  return typeof data === 'string' ? data.length * 3 : data.length;
}
