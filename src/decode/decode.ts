import { carIdOf } from '../telemetry/car-id.js';
import type { Reading } from '../telemetry/reading.js';
import { FRAME_HEADER, schemaIdOf } from './avro-frame.js';
import { formatOf } from './body-format.js';
import { decodeJson } from './json-message.js';
import type { Envelope } from './message-draft.js';
import { type Decoded, quoted, Refusal } from './rejection.js';
import { CANONICAL, readSchemaFiles, type SchemaFiles } from './schema-files.js';
import { type SchemaLookup, SchemaRegistry } from './schema-registry.js';

/** What decoding needs of a Kafka record. */
export interface SensorRecord {
  /** The car id, or an MQTT topic that ends in it. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The record's time, ms since 1970; negative when it has none. */
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
   * A reading or a rejection for every record, in their order. Throws a DecodeFault, for the batch as a whole, when the
   * schema registry is needed and cannot be asked; nothing else waits for anything.
   */
  decode<R extends SensorRecord>(records: readonly R[]): Promise<{ record: R; decoded: Decoded }[]>;
}

/** Of a schema's name in a header, bytes. */
const LONGEST_NAME = 256;

/** What is the same for all records of a batch. */
interface Context {
  readonly options: DecoderOptions;
  readonly files: SchemaFiles;
  readonly schemaOf: (id: number) => SchemaLookup | undefined;
}

/** Throws a DecodeFault when the schema files cannot be read. */
export function createDecoder(options: DecoderOptions): Decoder {
  const files = readSchemaFiles(options.schemaDir);
  const registry = options.registryUrl === undefined ? null : new SchemaRegistry({ url: options.registryUrl });
  return {
    async decode(records) {
      const schemaOf = registry ? await askFor(records, options, registry) : (id: number) => files.byId.get(id);
      const context: Context = { options, files, schemaOf };
      return records.map((record) => ({ record, decoded: decodeRecord(record, context) }));
    },
  };
}

/** Asks for the schemas of a batch at once, so that decoding its records waits for nothing. */
async function askFor(records: readonly SensorRecord[], { format, maxBody }: DecoderOptions, registry: SchemaRegistry) {
  const ids = new Set<number>();
  for (const record of records) {
    const { value } = record;
    if (value === null || value.length > maxBody || formatOf(record, value, format) !== 'framed') continue;
    const id = schemaIdOf(value);
    if (id !== null) ids.add(id);
  }
  const found = await registry.lookUp(ids);
  return (id: number) => found.get(id);
}

function decodeRecord(record: SensorRecord, context: Context): Decoded {
  // A car id is ASCII; latin1 gives every other byte a character that no car id has.
  const car = record.key === null ? null : carIdOf(record.key.toString('latin1'));
  const outcome = decodeBody(record, car, context);
  if (!(outcome instanceof Refusal)) return { kind: 'reading', reading: outcome };
  return { kind: 'rejected', stage: 'decode', reason: outcome.reason, detail: outcome.detail, car };
}

function decodeBody(record: SensorRecord, car: string | null, context: Context): Reading | Refusal {
  const { value: body, timestamp: recordTime } = record;
  const { format, maxBody, clockAhead } = context.options;
  if (car === null) return new Refusal('NO_CAR_ID', 'the key does not end in a car id');
  if (body === null) return new Refusal('TOMBSTONE', 'the record has no body');
  if (body.length > maxBody) return new Refusal('BODY_TOO_LARGE', `${body.length} bytes, of at most ${maxBody}`);
  const envelope: Envelope = { car, recordTime, clockAhead };
  const found = formatOf(record, body, format);
  if (found === 'json') return decodeJson(body, envelope);
  const plain = found === 'plain';
  const schema = plain ? namedSchema(record, context) : framedSchema(body, context);
  return schema instanceof Refusal ? schema : schema.read(body, plain ? 0 : FRAME_HEADER, envelope);
}

function namedSchema({ headers }: SensorRecord, { files }: Context): SchemaLookup {
  const name = headers['avro-schema']?.toString('utf8', 0, LONGEST_NAME) ?? CANONICAL;
  return files.byName.get(name) ?? new Refusal('UNKNOWN_SCHEMA', `there is no schema ${quoted(name)} here`);
}

function framedSchema(body: Buffer, { schemaOf }: Context): SchemaLookup {
  if (body.length < FRAME_HEADER) return new Refusal('UNKNOWN_FORMAT', 'a zero byte, but too short for framed Avro');
  const id = schemaIdOf(body);
  const schema = id === null ? undefined : schemaOf(id);
  return schema ?? new Refusal('UNKNOWN_SCHEMA', `there is no schema ${body.readUInt32BE(1)}`);
}
