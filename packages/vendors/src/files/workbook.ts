/** A cell that holds something: row and column count from 1; numbers and dates come as their text. */
export interface Cell {
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

/** A merged area; its value is that of the top left cell. */
export interface Merge {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export interface Sheet {
  readonly name: string;
  readonly isHidden: boolean;
  readonly cells: readonly Cell[];
  readonly merges: readonly Merge[];
}

export interface Workbook {
  readonly sheets: readonly Sheet[];
}

/** Cells by place, with what merged areas cover. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** The cell's own text. */
  at(row: number, column: number): string;
  /** The cell's text, or that of the merged area that covers it. */
  value(row: number, column: number): string;
  /** The merged area that covers the cell. */
  merge(row: number, column: number): Merge | null;
  /** The columns of a row that hold something, in order. */
  filled(row: number): readonly number[];
}

export function gridOf(sheet: Sheet): Grid {
  const byRow = new Map<number, Map<number, string>>();
  let [rows, columns] = [0, 0];
  for (const { row, column, text } of sheet.cells) {
    const cells = byRow.get(row) ?? new Map<number, string>();
    cells.set(column, text);
    byRow.set(row, cells);
    rows = Math.max(rows, row);
    columns = Math.max(columns, column);
  }
  // Only rows that hold something somewhere can be asked for, so areas are cut to them.
  const mergesByRow = new Map<number, Merge[]>();
  for (const merge of sheet.merges) {
    for (let row = merge.top; row <= Math.min(merge.bottom, rows); row += 1) {
      mergesByRow.set(row, [...(mergesByRow.get(row) ?? []), merge]);
    }
  }
  const at = (row: number, column: number): string => byRow.get(row)?.get(column) ?? '';
  const merge = (row: number, column: number): Merge | null =>
    mergesByRow.get(row)?.find(({ left, right }) => left <= column && column <= right) ?? null;
  return {
    rows,
    columns,
    at,
    merge,
    value(row, column) {
      const area = merge(row, column);
      return area ? at(area.top, area.left) : at(row, column);
    },
    filled: (row) => [...(byRow.get(row)?.keys() ?? [])].sort((a, b) => a - b),
  };
}
