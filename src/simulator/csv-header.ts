import { SIGNALS, type SignalName } from '../telemetry/signals.js';

/** What is wrong with a CSV of readings, and where. */
export class CsvError extends Error {
  override readonly name = 'CsvError';

  constructor(
    /** 1 is the header's. */
    readonly line: number,
    readonly column: string | null,
    readonly value: string | null,
    problem: string,
  ) {
    const where = column === null ? `line ${line}` : `line ${line}, column ${column}`;
    super(value === null ? `${where}: ${problem}` : `${where}: ${shown(value)} ${problem}`);
  }
}

export type Field = SignalName | 'at' | 'car' | 'label';

export interface Column {
  readonly title: string;
  readonly field: Field;
}

const FIELDS: ReadonlyMap<string, Field> = new Map([
  ...SIGNALS.map(({ name, wire }): [string, Field] => [folded(wire), name]),
  ['time', 'at'],
  ['timestamp', 'at'],
  ['car', 'car'],
  ['carid', 'car'],
  ['failureoccurred', 'label'],
]);

/** @throws CsvError a column that is unknown or there twice; no car, no time or no signal */
export function columnsOf(titles: readonly string[]): Column[] {
  const columns = titles.map((title) => ({ title, field: fieldOf(title) }));
  for (const { title, field } of columns.filter(
    (column, i) => columns.findIndex((c) => c.field === column.field) < i,
  )) {
    throw new CsvError(1, title, null, `there is a column for ${field} already`);
  }
  for (const needed of ['at', 'car'] as const) {
    const title = needed === 'at' ? 'time' : 'car';
    if (!columns.some(({ field }) => field === needed)) throw new CsvError(1, title, null, 'is missing in the header');
  }
  if (columns.every(({ field }) => field === 'at' || field === 'car' || field === 'label')) {
    throw new CsvError(1, null, null, 'the header names no signal');
  }
  return columns;
}

function fieldOf(title: string): Field {
  const field = FIELDS.get(folded(title));
  if (field === undefined)
    throw new CsvError(1, title, null, 'is neither time, car, failure_occurred nor one of the signals');
  return field;
}

/** Every spelling of a name agrees in this: no case, nothing but letters and digits, no `value` at its end. */
function folded(title: string): string {
  const letters = title.toLowerCase().replace(/[^a-z0-9]/g, '');
  return letters.length > 'value'.length && letters.endsWith('value') ? letters.slice(0, -'value'.length) : letters;
}

function shown(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
