import avro, { type Type } from 'avsc';
import type { Reading } from '../telemetry/reading.js';
import { SIGNALS } from '../telemetry/signals.js';
import { FRAME_HEADER } from './avro-frame.js';
import { registerSchema } from './register-schema.js';
import { registryAddress } from './registry-request.js';
import { canonicalSchema } from './schema-files.js';

/** What of a reading the canonical schema has a place for. */
export type CanonicalReading = Pick<Reading, 'car' | 'at' | 'signals' | 'label'>;

/** A record's value with the headers that it is read by. */
export interface Encoded {
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Readings as records of `schemas/car-reading.avsc`: time in ms, the signals in the cars' own units. */
export interface CanonicalEncoder {
  /** @throws DecodeFault when the registry does not give the schema an id */
  encode(readings: readonly CanonicalReading[]): Promise<Encoded[]>;
}

export interface CanonicalOptions {
  /** The topic that the records go to; the registry's subject is named after it. */
  readonly topic: string;
  /** With a registry records are framed with the schema's id there; without one they are plain, and a header says so. */
  readonly registryUrl?: string | undefined;
}

/** @throws DecodeFault SCHEMAS_UNREADABLE */
export function canonicalEncoder({ topic, registryUrl }: CanonicalOptions): CanonicalEncoder {
  const schema = canonicalSchema();
  const type = avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
  if (registryUrl === undefined) {
    const headers = { 'content-type': 'avro/binary' };
    return {
      encode: (readings) =>
        Promise.resolve(readings.map((reading) => ({ value: type.toBuffer(recordOf(reading)), headers }))),
    };
  }
  const address = registryAddress(registryUrl, 5_000);
  let registered: number | null = null;
  return {
    async encode(readings) {
      if (readings.length === 0) return [];
      const id = (registered ??= await registerSchema(address, `${topic}-value`, schema));
      return readings.map((reading) => ({ value: framed(type, id, reading), headers: {} }));
    },
  };
}

function framed(type: Type, id: number, reading: CanonicalReading): Buffer {
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, type.toBuffer(recordOf(reading))]);
}

function recordOf({ car, at, signals, label }: CanonicalReading): Record<string, unknown> {
  const values = SIGNALS.map(({ name, wire }) => [wire, signals[name]] as const);
  return { car, timestamp: at, ...Object.fromEntries(values), failure_occurred: label };
}
