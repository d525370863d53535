import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { CsvError as SyntaxProblem, parse, type InfoRecord } from 'csv-parse';
import { isCarId } from '../telemetry/car-id.js';
import { noSignals } from '../telemetry/signals.js';
import { columnsOf, CsvError, type Column } from './csv-header.js';
import type { CarMessage } from './fleet.js';

/**
 * The readings of a CSV file in its order: a header `time,car,…signals…` in any spelling of the wire, a label
 * `failure_occurred` if there is one; time in seconds or milliseconds since 1970 or ISO 8601. An empty field is a missing
 * signal. The file is never held as a whole.
 *
 * @throws CsvError at the first row that cannot be read; the file system's error when the file cannot
 */
export async function* readCsv(file: string): AsyncGenerator<CarMessage, void, undefined> {
  yield* parseCsv(createReadStream(file));
}

/** @throws CsvError */
export async function* parseCsv(input: Readable): AsyncGenerator<CarMessage, void, undefined> {
  const rows = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true });
  // `pipe` hands no error on; destroying the parser also ends the loop below.
  input.once('error', (error) => rows.destroy(error));
  input.pipe(rows);
  let columns: Column[] | null = null;
  try {
    for await (const { record, info } of rows as AsyncIterable<Row>) {
      if (columns === null) columns = columnsOf(record);
      else yield messageOf(columns, record, info.lines);
    }
  } catch (error) {
    throw error instanceof SyntaxProblem ? syntaxError(error) : error;
  } finally {
    input.destroy();
  }
  if (columns === null) throw new CsvError(1, null, null, 'the file is empty');
}

interface Row {
  readonly record: string[];
  readonly info: InfoRecord;
}

function messageOf(columns: readonly Column[], values: readonly string[], line: number): CarMessage {
  if (values.length !== columns.length) {
    throw new CsvError(line, null, null, `${values.length} fields, the header has ${columns.length}`);
  }
  const signals = noSignals();
  let car = '';
  let at = 0;
  let label: boolean | null = null;
  columns.forEach(({ title, field }, index) => {
    const value = values[index] ?? '';
    const fail = (problem: string) => new CsvError(line, title, value, problem);
    if (field === 'car') car = carOf(value, fail);
    else if (field === 'at') at = timeOf(value, fail);
    else if (field === 'label') label = labelOf(value, fail);
    else signals[field] = value === '' ? null : numberOf(value, fail);
  });
  return { car, at, signals, label, failures: [] };
}

type Fail = (problem: string) => CsvError;

function carOf(value: string, fail: Fail): string {
  if (!isCarId(value)) throw fail('is no car id: 1 to 64 letters, digits, _ or -');
  return value;
}

function numberOf(value: string, fail: Fail): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw fail('is no number');
  return number;
}

/** Seconds reach this in the year 5138; milliseconds passed it in 1973. */
const LEAST_MILLISECONDS = 1e11;

/** A day, with or without a time of day: `Date.parse` alone reads far more than ISO 8601 into a text. */
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$/;

function timeOf(value: string, fail: Fail): number {
  const number = Number(value);
  const at =
    value === ''
      ? NaN
      : Number.isNaN(number)
        ? isoTime(value)
        : Math.abs(number) < LEAST_MILLISECONDS
          ? number * 1_000
          : number;
  if (!Number.isFinite(at) || Number.isNaN(new Date(at).getTime()))
    throw fail('is no time: seconds or milliseconds since 1970, or ISO 8601');
  return Math.round(at);
}

function isoTime(value: string): number {
  if (!ISO.test(value)) return NaN;
  // Without a zone ISO 8601 means local time; a file must mean the same everywhere.
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(value) || value.length === 10 ? value : `${value}Z`);
}

const LABELS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
  ['', null],
]);

function labelOf(value: string, fail: Fail): boolean | null {
  const label = LABELS.get(value.toLowerCase());
  if (label === undefined) throw fail('is neither true nor false');
  return label;
}

function syntaxError(error: SyntaxProblem): CsvError {
  const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
  return new CsvError(line, null, null, error.message);
}
