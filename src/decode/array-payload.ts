import { isCarId } from '../telemetry/car-id.js';
import type { ArrayReading } from '../telemetry/array-reading.js';

/** Why a record is no array. Closed: dead letters, metrics and docs/bring-your-own-model.md use these words. */
export const ARRAY_REJECTIONS = [
  'TOMBSTONE',
  'EMPTY',
  'BODY_TOO_LARGE',
  'NO_ID',
  'BAD_ID',
  'NOT_A_NUMBER',
  'NOT_FINITE',
  'TOO_SHORT',
  'TOO_LONG',
] as const;

export type ArrayRejection = (typeof ARRAY_REJECTIONS)[number];

export type DecodedArray =
  | { readonly kind: 'array'; readonly reading: ArrayReading }
  | {
      readonly kind: 'rejected';
      readonly stage: 'decode';
      readonly reason: ArrayRejection;
      /** For people; bounded. */
      readonly detail: string;
    };

export interface ArrayFormat {
  /** Numbers that an array must have. */
  readonly width: number;
  /** A larger body is rejected; bytes. */
  readonly maxBody: number;
}

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const NO_NUMBER = /^\s*[+-]?(?:nan|inf|infinity)\s*$/i;
const QUOTED = 32;

/**
 * `<id>,<v1># <v2># …`: an id of 1 to 64 letters, digits, dashes and underscores, a comma, numbers between hash signs.
 * White space around a number does not count, nor does a hash sign behind the last one.
 * @param timestamp the record's time, ms
 */
export function decodeArray(value: Buffer | null, timestamp: number, { width, maxBody }: ArrayFormat): DecodedArray {
  if (value === null) return rejected('TOMBSTONE', 'the record has no body');
  if (value.length > maxBody) return rejected('BODY_TOO_LARGE', `${value.length} bytes, at most ${maxBody} are taken`);
  // Every byte is one character: whatever is not ASCII is found to be no id and no number.
  const text = value.toString('latin1');
  if (text.trim() === '') return rejected('EMPTY', 'the body is empty');
  const comma = text.indexOf(',');
  const id = comma < 0 ? '' : text.slice(0, comma).trim();
  if (id === '') return rejected('NO_ID', 'the body does not begin with an id and a comma');
  if (!isCarId(id)) return rejected('BAD_ID', `${quoted(id)} is not 1 to 64 letters, digits, - and _`);
  const cells = cellsOf(text.slice(comma + 1));
  if (cells.length === 0) return rejected('EMPTY', `nothing follows the id ${id}`);
  const values = numbersOf(cells, width);
  if (!(values instanceof Float64Array)) return values;
  if (cells.length === width) return { kind: 'array', reading: { id, at: timestamp, values } };
  const detail = `${cells.length} values, the model takes ${width}`;
  return cells.length < width ? rejected('TOO_SHORT', detail) : rejected('TOO_LONG', detail);
}

function cellsOf(text: string): string[] {
  const cells = text.split('#');
  if (cells.at(-1)?.trim() === '') cells.pop();
  return cells;
}

/** The first `width` of them. */
function numbersOf(cells: readonly string[], width: number): Float64Array | DecodedArray {
  const values = new Float64Array(width);
  for (let place = 0; place < Math.min(width, cells.length); place++) {
    const cell = cells[place] ?? '';
    const value = NUMBER.test(cell) ? Number(cell) : NaN;
    if (Number.isFinite(value)) values[place] = value;
    else if (Number.isNaN(value) && !NO_NUMBER.test(cell))
      return rejected('NOT_A_NUMBER', `value ${place + 1} is ${quoted(cell)}`);
    else return rejected('NOT_FINITE', `value ${place + 1} is ${quoted(cell)}`);
  }
  return values;
}

function rejected(reason: ArrayRejection, detail: string): DecodedArray {
  return { kind: 'rejected', stage: 'decode', reason, detail };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text);
}
