import { pipeline, Readable } from 'node:stream';
import avro from 'avsc';
import { stringify } from 'csv-stringify/sync';
import type { ReadingDocument } from '../../twin/documents.js';
import type { Cell, ExportColumn } from './export-columns.js';

export const EXPORT_FORMATS = ['csv', 'ndjson', 'avro'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
  avro: 'application/vnd.apache.avro',
};

type Slices = AsyncIterable<readonly ReadingDocument[]>;

/** @param resumed goes on behind other rows: text without a header, so that the pieces make one file */
export function exportStream(
  format: ExportFormat,
  columns: readonly ExportColumn[],
  slices: Slices,
  resumed: boolean,
): Readable {
  if (format === 'avro') return avroStream(columns, slices);
  const text = format === 'csv' ? csvText(columns, slices, resumed) : jsonText(columns, slices);
  return Readable.from(text, { objectMode: false, highWaterMark: 1 });
}

/** As `String` has it, which would keep the number and its text in V8's cache, where they outlive the row. */
const numberText = (value: number) => (Number.isFinite(value) ? JSON.stringify(value) : String(value));

async function* csvText(columns: readonly ExportColumn[], slices: Slices, resumed: boolean): AsyncGenerator<Buffer> {
  const options = {
    // A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    escape_formulas: true,
    record_delimiter: '\r\n',
    cast: { boolean: String, number: numberText, date: (value: Date) => value.toISOString() },
  } as const;
  if (!resumed) {
    const heads = columns.map(({ name, unit }) => (unit === '' ? name : `${name} [${unit}]`));
    yield Buffer.from(stringify([heads], options));
  }
  for await (const slice of slices) {
    const rows = slice.map((row) => columns.map((column) => column.value(row)));
    yield Buffer.from(stringify(rows, options));
  }
}

async function* jsonText(columns: readonly ExportColumn[], slices: Slices): AsyncGenerator<Buffer> {
  for await (const slice of slices) {
    const lines = slice.map((row) => `${JSON.stringify(cellsOf(columns, row, (cell) => cell))}\n`);
    yield Buffer.from(lines.join(''));
  }
}

/** An object container of its own for every request: blocks of it are whole or not there. */
function avroStream(columns: readonly ExportColumn[], slices: Slices): Readable {
  const encoder = new avro.streams.BlockEncoder(schemaOf(columns) as avro.Schema, {
    codec: 'deflate',
    writeHeader: true,
  });
  const records = async function* () {
    for await (const slice of slices)
      for (const row of slice) yield cellsOf(columns, row, (cell) => (cell instanceof Date ? cell.getTime() : cell));
  };
  // A fault or an end of either side reaches the other; whoever reads the encoder sees it there.
  pipeline(Readable.from(records(), { highWaterMark: 16 }), encoder, () => undefined);
  return encoder;
}

const TYPES = {
  text: 'string',
  number: 'double',
  boolean: 'boolean',
  time: { type: 'long', logicalType: 'timestamp-millis' },
} as const;

function schemaOf(columns: readonly ExportColumn[]): object {
  const fields = columns.map(({ name, kind, unit, meaning, always }) => ({
    name,
    type: always ? TYPES[kind] : ['null', TYPES[kind]],
    doc: unit === '' ? meaning : `${meaning} [${unit}]`,
  }));
  return { type: 'record', name: 'Reading', namespace: 'fleettwin.export', fields };
}

function cellsOf<T>(
  columns: readonly ExportColumn[],
  row: ReadingDocument,
  cast: (cell: Cell) => T,
): Record<string, T> {
  return Object.fromEntries(columns.map((column) => [column.name, cast(column.value(row))]));
}
