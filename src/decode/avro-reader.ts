import avro, { type Type } from 'avsc';
import { type FieldRole, roleOf } from './field-names.js';
import { AvroCursor, MalformedAvro } from './avro-cursor.js';
import { type Envelope, MessageDraft } from './message-draft.js';
import { quoted, Refusal } from './rejection.js';
import type { Reading } from '../telemetry/reading.js';

/** Reads the messages that one schema describes. */
export interface AvroReader {
  /** Full name of the schema's record. */
  readonly name: string;
  /** @param start where the record begins in `body`; it has to end where the body ends */
  read(body: Buffer, start: number, envelope: Envelope): Reading | Refusal;
}

type ReadValue = (cursor: AvroCursor) => unknown;

interface Field {
  readonly name: string;
  readonly role: FieldRole;
  readonly read: ReadValue;
}

/** Texts that matter are times, car ids and labels; of longer ones only the place where they end is of interest. */
const LONGEST_TEXT = 256;

/**
 * A reader for the writer's schema (parsed JSON), or why there is none. avsc reads the schema. The bytes are read here:
 * by a cursor that believes no length, and straight into the fields by their normalised names, which aliases of a reader
 * schema cannot express (KSQL writes names in upper case, others differ in underscores).
 */
export function avroReader(schema: unknown): AvroReader | Refusal {
  const type = parseType(schema);
  if (type === null) return new Refusal('UNUSABLE_SCHEMA', 'the schema is not valid Avro');
  if (!isRecord(type)) return new Refusal('UNUSABLE_SCHEMA', 'the schema is not that of a record');
  const fields = fieldsOf(type, new Map());
  return { name: type.name ?? '', read: (body, start, envelope) => readMessage(fields, body, start, envelope) };
}

function readMessage(fields: readonly Field[], body: Buffer, start: number, envelope: Envelope): Reading | Refusal {
  const draft = new MessageDraft(envelope);
  const cursor = new AvroCursor(body, start);
  try {
    const refusal = readFields(fields, cursor, draft);
    // Bytes that do not fit the schema are a better explanation than what came of them.
    if (cursor.left > 0) return new Refusal('INVALID_AVRO', `${cursor.left} bytes are left over`);
    return refusal ?? draft.finish();
  } catch (error) {
    if (error instanceof MalformedAvro) return new Refusal('INVALID_AVRO', error.message);
    throw error;
  }
}

/** Reads every field; answers with the first that cannot be taken. */
function readFields(fields: readonly Field[], cursor: AvroCursor, draft: MessageDraft): Refusal | null {
  let first: Refusal | null = null;
  for (const { role, name, read } of fields) {
    const refusal = draft.putAs(role, name, read(cursor));
    first ??= refusal;
  }
  return first;
}

function parseType(schema: unknown): Type | null {
  try {
    return avro.Type.forSchema(withoutDefaults(schema) as avro.Schema);
  } catch {
    return null;
  }
}

/** Defaults serve readers only, and many a writer's are wrong (null for a union that begins with double): avsc would refuse. */
function withoutDefaults(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => (key === 'default' ? undefined : value));
}

function isRecord(type: Type): type is avro.types.RecordType {
  return type.typeName === 'record';
}

function fieldsOf(record: avro.types.RecordType, seen: Map<Type, ReadValue>): Field[] {
  return record.fields.map(({ name, type }) => ({ name, role: roleOf(name), read: readerOf(type, seen) }));
}

/** @param seen the readers of the records on the way here: a record may contain itself */
function readerOf(type: Type, seen: Map<Type, ReadValue>): ReadValue {
  switch (type.typeName) {
    case 'null':
      return () => null;
    case 'boolean':
      return (cursor) => cursor.boolean();
    case 'int':
      return (cursor) => cursor.int();
    case 'long':
      return (cursor) => cursor.long();
    case 'float':
      return (cursor) => cursor.float();
    case 'double':
      return (cursor) => cursor.double();
    case 'string':
      return (cursor) => cursor.text(LONGEST_TEXT) ?? OTHER;
    default:
      return complexReaderOf(type, seen);
  }
}

/** Stands for a value that no field of a message can have: its type is wrong wherever it matters. */
const OTHER: object = Object.freeze({});

function complexReaderOf(type: Type, seen: Map<Type, ReadValue>): ReadValue {
  if (type instanceof avro.types.EnumType) return enumReader(type.symbols);
  if (type instanceof avro.types.FixedType) return skipping((cursor) => cursor.skip(type.size));
  if (type instanceof avro.types.BytesType) return skipping((cursor) => cursor.text(-1));
  if (type instanceof avro.types.ArrayType) return arrayReader(readerOf(type.itemsType, seen));
  if (type instanceof avro.types.MapType) return mapReader(readerOf(type.valuesType, seen));
  if (type instanceof avro.types.UnwrappedUnionType || type instanceof avro.types.WrappedUnionType)
    return unionReader(type.types.map((branch) => readerOf(branch, seen)));
  if (isRecord(type)) return recordReader(type, seen);
  throw new TypeError(`a type that Avro does not have: ${quoted(type.typeName)}`);
}

function skipping(skip: (cursor: AvroCursor) => unknown): ReadValue {
  return (cursor) => {
    skip(cursor);
    return OTHER;
  };
}

function enumReader(symbols: readonly string[]): ReadValue {
  return (cursor) => {
    const symbol = symbols[cursor.long()];
    if (symbol === undefined) throw new MalformedAvro('an enum without such a symbol');
    return symbol;
  };
}

function unionReader(branches: readonly ReadValue[]): ReadValue {
  return (cursor) => {
    const branch = branches[cursor.long()];
    if (branch === undefined) throw new MalformedAvro('a union without such a branch');
    return branch(cursor);
  };
}

function arrayReader(item: ReadValue): ReadValue {
  return skipping((cursor) => cursor.within(() => cursor.blocks(() => item(cursor))));
}

function mapReader(value: ReadValue): ReadValue {
  return skipping((cursor) =>
    cursor.within(() =>
      cursor.blocks(() => {
        cursor.text(-1);
        value(cursor);
      }),
    ),
  );
}

function recordReader(record: avro.types.RecordType, seen: Map<Type, ReadValue>): ReadValue {
  const known = seen.get(record);
  if (known) return known;
  const fields: Field[] = [];
  const read = skipping((cursor) =>
    cursor.within(() => {
      for (const field of fields) field.read(cursor);
    }),
  );
  seen.set(record, read);
  fields.push(...fieldsOf(record, seen));
  return read;
}
