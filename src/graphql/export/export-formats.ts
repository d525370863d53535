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

type Batches = AsyncIterable<readonly ReadingDocument[]>;

/** @param resumed goes on behind other rows: text without a header, so that the pieces make one file */
export function exportStream(
  format: ExportFormat,
  columns: readonly ExportColumn[],
  batches: Batches,
  resumed: boolean,
): Readable {
  if (format === 'avro') return avroStream(columns, batches);
  const text = format === 'csv' ? csvText(columns, batches, resumed) : jsonText(columns, batches);
  return Readable.from(text, { objectMode: false, highWaterMark: 1 });
}

async function* csvText(columns: readonly ExportColumn[], batches: Batches, resumed: boolean): AsyncGenerator<Buffer> {
  const options = {
    // A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    escape_formulas: true,
    record_delimiter: '\r\n',
    cast: { boolean: String, date: (value: Date) => value.toISOString() },
  } as const;
  if (!resumed) {
    const heads = columns.map(({ name, unit }) => (unit === '' ? name : `${name} [${unit}]`));
    yield Buffer.from(stringify([heads], options));
  }
  for await (const batch of batches) {
    const rows = batch.map((row) => columns.map((column) => column.value(row)));
    yield Buffer.from(stringify(rows, options));
  }
}

async function* jsonText(columns: readonly ExportColumn[], batches: Batches): AsyncGenerator<Buffer> {
  for await (const batch of batches) {
    const lines = batch.map((row) => `${JSON.stringify(cellsOf(columns, row, (cell) => cell))}\n`);
    yield Buffer.from(lines.join(''));
  }
}

/** An object container of its own for every request: blocks of it are whole or not there. */
function avroStream(columns: readonly ExportColumn[], batches: Batches): Readable {
  const encoder = new avro.streams.BlockEncoder(schemaOf(columns) as avro.Schema, {
    codec: 'deflate',
    writeHeader: true,
  });
  const records = async function* () {
    for await (const batch of batches)
      for (const row of batch) yield cellsOf(columns, row, (cell) => (cell instanceof Date ? cell.getTime() : cell));
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
