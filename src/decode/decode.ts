import { carIdOf } from '../telemetry/car-id.js';
import type { Reading } from '../telemetry/reading.js';
import { FRAME_HEADER, isFramed, schemaIdOf } from './avro-frame.js';
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

/** A body with what its record says about it. */
type Body = { readonly format: 'json' | 'plain' | 'framed' | 'none'; readonly bytes: Buffer };
type SchemaById = (id: number) => SchemaLookup | undefined;

/** Throws a DecodeFault when the schema files cannot be read. */
export function createDecoder(options: DecoderOptions): Decoder {
  const files = readSchemaFiles(options.schemaDir);
  const registry = options.registryUrl === undefined ? null : new SchemaRegistry({ url: options.registryUrl });
  return {
    async decode(records) {
      const schemas = registry ? await askFor(records, options, registry) : (id: number) => files.byId.get(id);
      return records.map((record) => ({ record, decoded: decodeRecord(record, options, files, schemas) }));
    },
  };
}

/** Asks for the schemas of a batch at once, so that decoding its records waits for nothing. */
async function askFor(records: readonly SensorRecord[], options: DecoderOptions, registry: SchemaRegistry) {
  const ids = new Set<number>();
  for (const record of records) {
    const body = bodyOf(record, options);
    const id = body.format === 'framed' && body.bytes.length <= options.maxBody ? schemaIdOf(body.bytes) : null;
    if (id !== null) ids.add(id);
  }
  const found = await registry.lookUp(ids);
  return (id: number) => found.get(id);
}

function decodeRecord(record: SensorRecord, options: DecoderOptions, files: SchemaFiles, schemas: SchemaById): Decoded {
  // A car id is ASCII; latin1 gives every other byte a character that no car id has.
  const car = record.key === null ? null : carIdOf(record.key.toString('latin1'));
  const outcome = decodeBody(record, car, options, files, schemas);
  if (!(outcome instanceof Refusal)) return { kind: 'reading', reading: outcome };
  return { kind: 'rejected', stage: 'decode', reason: outcome.reason, detail: outcome.detail, car };
}

function decodeBody(
  record: SensorRecord,
  car: string | null,
  options: DecoderOptions,
  files: SchemaFiles,
  schemas: SchemaById,
): Reading | Refusal {
  const { format, bytes } = bodyOf(record, options);
  if (car === null) return new Refusal('NO_CAR_ID', 'the key does not end in a car id');
  if (format === 'none') return new Refusal('TOMBSTONE', 'the record has no body');
  if (bytes.length > options.maxBody)
    return new Refusal('BODY_TOO_LARGE', `${bytes.length} bytes, of at most ${options.maxBody}`);
  const envelope: Envelope = { car, recordTime: record.timestamp, clockAhead: options.clockAhead };
  if (format === 'json') return decodeJson(bytes, envelope);
  const plain = format === 'plain';
  const schema = plain ? namedSchema(record, files) : framedSchema(bytes, schemas);
  return schema instanceof Refusal ? schema : schema.read(bytes, plain ? 0 : FRAME_HEADER, envelope);
}

function bodyOf({ value, headers }: SensorRecord, { format }: DecoderOptions): Body {
  if (value === null) return NO_BODY;
  const type = headers['content-type'];
  const said = type === undefined ? format : (MEDIA_TYPES.get(mediaType(type)) ?? format);
  if (said === 'avro') return { format: 'plain', bytes: value };
  return { format: said === 'auto' && isFramed(value) ? 'framed' : 'json', bytes: value };
}

const NO_BODY: Body = { format: 'none', bytes: Buffer.alloc(0) };

/** What a header `content-type` says; any other says nothing. */
const MEDIA_TYPES: ReadonlyMap<string, 'avro' | 'json'> = new Map([
  ['avro/binary', 'avro'],
  ['application/json', 'json'],
]);

function mediaType(header: Buffer): string {
  const text = header.toString('latin1', 0, 128).toLowerCase();
  return text.replace(/;.*$/s, '').trim();
}

function namedSchema({ headers }: SensorRecord, files: SchemaFiles): SchemaLookup {
  const name = headers['avro-schema']?.toString('utf8') ?? CANONICAL;
  return files.byName.get(name) ?? new Refusal('UNKNOWN_SCHEMA', `there is no schema ${quoted(name)} here`);
}

function framedSchema(bytes: Buffer, schemas: SchemaById): SchemaLookup {
  if (bytes.length < FRAME_HEADER) return new Refusal('UNKNOWN_FORMAT', 'a zero byte, but too short for framed Avro');
  const id = schemaIdOf(bytes);
  const schema = id === null ? undefined : schemas(id);
  return schema ?? new Refusal('UNKNOWN_SCHEMA', `there is no schema ${bytes.readUInt32BE(1)}`);
}
