import { COLUMNS_MAX, ROWS_MAX } from './limits.ts';

/** Rows and columns count from 1, as Excel shows them. */
export interface CellPlace {
  readonly row: number;
  readonly column: number;
}

const REF = /^\$?([A-Z]{1,3})\$?(\d{1,7})$/;

function columnName(column: number): string {
  let name = '';
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  }
  return name;
}

export function columnNumber(name: string): number {
  let number = 0;
  for (const letter of name.toUpperCase()) number = number * 26 + letter.charCodeAt(0) - 64;
  return number;
}

/** `C5` as a place; null when it is no reference inside a sheet. */
export function parseRef(ref: string): CellPlace | null {
  const match = REF.exec(ref.toUpperCase());
  if (!match) return null;
  const [row, column] = [Number(match[2]), columnNumber(match[1] ?? '')];
  return row < 1 || row > ROWS_MAX || column > COLUMNS_MAX ? null : { row, column };
}

export function refOf({ row, column }: CellPlace): string {
  return `${columnName(column)}${row}`;
}
