import { createHash } from 'node:crypto';
import avro from 'avsc';
import { CANONICAL, readSchema } from '../decode/schema-files.js';
import { SIGNALS } from '../telemetry/signals.js';
import type { FileEncoding } from './file-encoding.js';
import type { CarMessage } from './fleet.js';

/** Avro 1.12, "Object Container Files" */
const MAGIC = Buffer.from('Obj\u0001');
const BLOCK = 64 * 1024;
const LONG = avro.Type.forSchema('long');
const METADATA = avro.Type.forSchema({ type: 'map', values: 'bytes' });

/**
 * An Avro object container file of the project's schema `car-reading`, without compression. The marker between the blocks
 * is to be unlikely in the data, not different in every file: it is made of the schema, so that the same messages give the
 * same bytes.
 */
export class AvroBlocks implements FileEncoding {
  /** One message in a block of its own would be twice as long. */
  readonly least = BLOCK;
  readonly #schema = JSON.stringify(readSchema(CANONICAL));
  readonly #type = avro.Type.forSchema(JSON.parse(this.#schema) as avro.Schema);
  readonly #marker = createHash('md5').update(this.#schema).digest();
  #head: Buffer = this.#headOf();
  #records: Buffer[] = [];
  #bytes = 0;

  get size(): number {
    return this.#head.length + this.#bytes;
  }

  add(message: CarMessage): void {
    const record = this.#type.toBuffer(recordOf(message));
    this.#records.push(record);
    this.#bytes += record.length;
  }

  take(): Buffer {
    const parts = [this.#head];
    if (this.#records.length > 0) {
      parts.push(LONG.toBuffer(this.#records.length), LONG.toBuffer(this.#bytes), ...this.#records, this.#marker);
    }
    this.#head = Buffer.alloc(0);
    this.#records = [];
    this.#bytes = 0;
    return Buffer.concat(parts);
  }

  #headOf(): Buffer {
    const metadata = { 'avro.codec': Buffer.from('null'), 'avro.schema': Buffer.from(this.#schema) };
    return Buffer.concat([MAGIC, METADATA.toBuffer(metadata), this.#marker]);
  }
}

function recordOf({ car, at, signals, label }: CarMessage): Record<string, unknown> {
  const record: Record<string, unknown> = { car, timestamp: at };
  for (const { name, wire } of SIGNALS) record[wire] = signals[name];
  record['failure_occurred'] = label;
  return record;
}
