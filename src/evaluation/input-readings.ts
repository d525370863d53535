import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createDecoder } from '../decode/decode.js';
import { readCsv } from '../simulator/csv.js';
import { CsvError } from '../simulator/csv-header.js';
import type { Reading } from '../telemetry/reading.js';

/** A file of readings that cannot be read on. */
export class InputError extends Error {
  readonly code = 'BAD_INPUT';
}

const decoder = createDecoder({ format: 'auto', maxBody: 262_144, clockAhead: Infinity });

/**
 * The readings of a file in its order: FILE.csv with the header of the cars' CSV, or JSON lines in any spelling of the wire,
 * each with `car` and `timestamp`. Never held as a whole.
 * @throws InputError that names the file, the line, and what is wrong there
 */
export async function* inputReadings(file: string): AsyncGenerator<Reading> {
  try {
    if (file.endsWith('.csv')) yield* csvReadings(file);
    else yield* lineReadings(file);
  } catch (error) {
    if (error instanceof CsvError) throw new InputError(`${file}: ${error.message}`, { cause: error });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES')
      throw new InputError(`${file} cannot be read (${code})`, { cause: error });
    throw error;
  }
}

async function* csvReadings(file: string): AsyncGenerator<Reading> {
  for await (const { car, at, signals, label } of readCsv(file)) yield { car, at, skewedAt: null, signals, label };
}

async function* lineReadings(file: string): AsyncGenerator<Reading> {
  const input = createReadStream(file);
  const failed = new Promise<never>((_, reject) => input.once('error', reject));
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  try {
    for (let number = 1; ; number++) {
      const { done, value: line } = await Promise.race([lines.next(), failed]);
      if (done) return;
      if (line.trim() !== '') yield await readingOf(file, number, line);
    }
  } finally {
    input.destroy();
  }
}

async function readingOf(file: string, number: number, line: string): Promise<Reading> {
  const key = Buffer.from(carIn(line));
  const record = { key, value: Buffer.from(line), timestamp: -1, headers: {} };
  const [answer] = await decoder.decode([record]);
  const decoded = answer?.decoded;
  if (decoded?.kind === 'reading') return decoded.reading;
  throw new InputError(`${file}: line ${number}: ${decoded?.reason ?? 'nothing'}: ${decoded?.detail ?? ''}`);
}

/** The decoder says what is wrong with a line that is no object; here it only is not to be the key. */
function carIn(line: string): string {
  try {
    const { car } = (JSON.parse(line) ?? {}) as { car?: unknown };
    return typeof car === 'string' ? car : '';
  } catch {
    return 'unknown';
  }
}
