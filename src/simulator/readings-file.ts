import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import avro from 'avsc';
import { CAR, roleOf } from '../decode/field-names.js';
import { MessageDraft } from '../decode/message-draft.js';
import { Refusal } from '../decode/rejection.js';
import { isCarId } from '../telemetry/car-id.js';
import { readCsv } from './csv.js';
import { CsvError } from './csv-header.js';
import type { CarMessage } from './fleet.js';

/** What is wrong with a file of readings, and where. */
export class ReadingsFileError extends Error {
  override readonly name = 'ReadingsFileError';

  constructor(
    readonly file: string,
    /** `line 7`, `line 7, column speed`, `record 7`; null: the file as a whole */
    readonly place: string | null,
    problem: string,
    cause?: unknown,
  ) {
    super(place === null ? `${file}: ${problem}` : `${file}: ${place}: ${problem}`, { cause });
  }
}

/** How much of a value that cannot be read is shown. */
const SHOWN = 60;
const SYNC_MARKER = 16;

/**
 * The readings of a CSV, JSON-lines or Avro container file, by its ending, in its order; field names in any spelling of the
 * wire, in Avro under any schema that has them. The file is never held as a whole.
 *
 * @throws ReadingsFileError at the first reading that cannot be read; the file system's error when the file cannot
 */
export async function* readingsOf(file: string): AsyncGenerator<CarMessage, void, undefined> {
  if (file.endsWith('.jsonl')) yield* readJsonLines(file);
  else if (file.endsWith('.avro')) yield* readAvro(file);
  else if (file.endsWith('.csv')) yield* csvReadings(file);
  else throw new ReadingsFileError(file, null, 'neither .csv nor .jsonl nor .avro');
}

async function* csvReadings(file: string): AsyncGenerator<CarMessage, void, undefined> {
  try {
    yield* readCsv(file);
  } catch (error) {
    throw error instanceof CsvError ? new ReadingsFileError(file, null, error.message, error) : error;
  }
}

async function* readJsonLines(file: string): AsyncGenerator<CarMessage, void, undefined> {
  const input = createReadStream(file);
  // readline hands no error on, and would wait for a stream that never opens.
  await once(input, 'open');
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => undefined);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++;
      if (line.trim() !== '') yield readingOf(file, `line ${number}`, parsed(file, number, line));
    }
    if (input.errored) await failed;
  } finally {
    input.destroy();
  }
}

function parsed(file: string, number: number, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new ReadingsFileError(file, `line ${number}`, `${shown(line)} is not JSON`, error);
  }
}

async function* readAvro(file: string): AsyncGenerator<CarMessage, void, undefined> {
  const input = createReadStream(file);
  const decoder = new avro.streams.BlockDecoder();
  let marker: Buffer | null = null;
  decoder.once('metadata', (_type: unknown, _codec: unknown, header: { sync: Buffer }) => (marker = header.sync));
  // `pipe` hands no error on; destroying the decoder also ends the loop below.
  input.once('error', (error) => decoder.destroy(error));
  input.pipe(decoder);
  let number = 0;
  try {
    for await (const record of decoder as AsyncIterable<unknown>) yield readingOf(file, `record ${++number}`, record);
  } catch (error) {
    if (error instanceof ReadingsFileError || isFromSystem(error)) throw error;
    throw new ReadingsFileError(file, `after record ${number}`, `no Avro container file: ${String(error)}`, error);
  } finally {
    input.destroy();
  }
  if (marker === null) throw new ReadingsFileError(file, null, 'no Avro container file: it has no header');
  // The decoder takes a file that ends within a block for one that ends before it.
  if (!(await endOf(file)).equals(marker)) throw new ReadingsFileError(file, `after record ${number}`, 'it is cut off');
}

async function endOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(SYNC_MARKER), 0, SYNC_MARKER, Math.max(0, size - SYNC_MARKER));
    return buffer;
  } finally {
    await handle.close();
  }
}

/** As a record of the wire would be decoded, but that the car and the time have to be in it. */
function readingOf(file: string, place: string, message: unknown): CarMessage {
  const fail = (problem: string, column = '') => new ReadingsFileError(file, `${place}${column}`, problem);
  if (typeof message !== 'object' || message === null || Array.isArray(message)) throw fail('is not an object');
  const fields = Object.entries(message) as [string, unknown][];
  const named = fields.find(([name, value]) => roleOf(name) === CAR && value !== null)?.[1];
  const car = typeof named === 'number' ? String(named) : named;
  if (typeof car !== 'string' || !isCarId(car))
    throw fail(`${shown(named ?? '')} is no car id: 1 to 64 letters, digits, _ or -`, ', column car');
  const draft = new MessageDraft({ car, recordTime: -1, clockAhead: 0 });
  for (const [name, value] of fields) {
    const refusal = draft.put(name, value);
    if (refusal) throw fail(`${shown(value)}: ${refusal.detail}`, `, column ${name}`);
  }
  const reading = draft.finish();
  if (reading instanceof Refusal) throw fail(reading.detail);
  return { car, at: reading.at, signals: reading.signals, label: reading.label, failures: [] };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function isFromSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
