import { carIdOf } from '../telemetry/car-id.js';
import type { Reading } from '../telemetry/reading.js';
import { decodeJson } from './json-message.js';
import type { Envelope } from './message-draft.js';
import { type Decoded, Refusal } from './rejection.js';

/** What decoding needs of a Kafka record. */
export interface SensorRecord {
  /** The car id, or an MQTT topic that ends in it. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The record's time, ms since 1970. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, Buffer>>;
}

export interface DecoderOptions {
  /** auto: JSON or framed Avro, told apart by the first byte; avro: plain Avro. A header `content-type` wins over both. */
  readonly format: 'auto' | 'avro';
  /** Bytes; a larger body is rejected unseen. */
  readonly maxBody: number;
  /** How far a car's clock may be ahead of the record's time, ms. */
  readonly clockAhead: number;
  /** Confluent-compatible schema registry, http or https, with basic auth in the URL where it needs some. */
  readonly registryUrl?: string | undefined;
  /** The folder of the schemas that are known without a registry; the project's own when not given. */
  readonly schemaDir?: string | undefined;
}

export interface Decoder {
  /**
   * A decoded reading or a rejection for every record, in their order. Throws a DecodeFault, for the batch as a whole,
   * when the schema registry is needed and cannot be asked.
   */
  decode<R extends SensorRecord>(records: readonly R[]): Promise<{ record: R; decoded: Decoded }[]>;
}

export function createDecoder(options: DecoderOptions): Decoder {
  return {
    async decode(records) {
      return records.map((record) => ({ record, decoded: decodeRecord(record, options) }));
    },
  };
}

function decodeRecord(record: SensorRecord, options: DecoderOptions): Decoded {
  const car = record.key === null ? null : carIdOf(record.key.toString('latin1'));
  const outcome = decodeBody(record, car, options);
  if (!(outcome instanceof Refusal)) return { kind: 'reading', reading: outcome };
  return { kind: 'rejected', stage: 'decode', reason: outcome.reason, detail: outcome.detail, car };
}

function decodeBody(record: SensorRecord, car: string | null, options: DecoderOptions): Reading | Refusal {
  const { value: body, timestamp: recordTime } = record;
  if (car === null) return new Refusal('NO_CAR_ID', 'the key does not end in a car id');
  if (body === null) return new Refusal('TOMBSTONE', 'the record has no body');
  if (body.length > options.maxBody)
    return new Refusal('BODY_TOO_LARGE', `${body.length} bytes, of at most ${options.maxBody}`);
  const envelope: Envelope = { car, recordTime, clockAhead: options.clockAhead };
  return decodeJson(body, envelope);
}
