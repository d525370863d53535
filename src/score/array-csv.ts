import { readFileSync } from 'node:fs';

/**
 * Arrays in a file without a header, one a line, numbers between commas.
 * @throws Error that names line, column and value
 */
export function readArrayCsv(path: string, width: number): Float64Array[] {
  const rows: Float64Array[] = [];
  for (const [index, line] of linesOf(path).entries()) {
    if (line.trim() === '') continue;
    const cells = line.split(',');
    if (cells.length !== width)
      throw new Error(`${path}, line ${index + 1}: ${cells.length} values where the model takes ${width}`);
    rows.push(
      Float64Array.from(cells, (cell, column) => numberOf(cell, `${path}, line ${index + 1}, column ${column + 1}`)),
    );
  }
  if (rows.length === 0) throw new Error(`${path} has no arrays`);
  return rows;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function numberOf(cell: string, place: string): number {
  const value = cell.trim() === '' ? NaN : Number(cell);
  if (!Number.isFinite(value)) throw new Error(`${place}: ${JSON.stringify(cell.slice(0, 32))} is not a number`);
  return value;
}
