import type { Grid } from '../files/workbook.ts';
import { oneLine } from './answer-text.ts';
import { type Columns, type Role, ROLES } from './imported.ts';

const HEADER_ROWS_MAX = 100;
const HEADER_CHARS_MAX = 120;
/** Fewer than this is a row of text that happens to hold one of the words. */
const HEADER_ROLES_MIN = 2;

/** How publishers and vendors head their columns, most telling first. A cell takes the first role that fits. */
const HEADINGS: readonly (readonly [Role, RegExp])[] = [
  ['responsibilities', /\bcsc\b.*responsibilit|customer.*responsibilit|responsibilit.*\bcsc\b|^responsibilit/],
  ['ownership', /ownership|\bssrm\b(?!.*responsib)|control owner|responsible party|shared.*responsib/],
  [
    'implementation',
    /implementation|explanation|justification|\bcomments?\b|^(vendor |csp |additional )?notes?$|^description$|details|remarks/,
  ],
  ['domain', /domain|^category$|^section$/],
  ['controlTitle', /(control|ccm).*(title|name)|^title$/],
  [
    'id',
    /^(caiq |assessment |control )?question (id|no\.?|number|#)|^(caiq|question) ?id|^(q )?id$|^#$|^no\.?$|^ref(erence)?$|identifier|^serial/,
  ],
  ['controlId', /(ccm|control).*\b(id|number|no)\b/],
  ['answer', /\banswers?\b|\bresponses?\b|^yes ?\/ ?no/],
  ['question', /\bquestions?\b|assessment quest|^requirement|^control text/],
];
/** Columns of the same workbook that must not be taken for one of the roles. */
const NOT_A_ROLE = /specification|auditing guideline|implementation guideline|threat|lifecycle|mapping/;

function roleOf(text: string): Role | null {
  const heading = oneLine(text)
    .toLowerCase()
    .replaceAll(/[*:]+$/g, '')
    .trim();
  if (heading === '' || heading.length > HEADER_CHARS_MAX || NOT_A_ROLE.test(heading)) return null;
  return HEADINGS.find(([, pattern]) => pattern.test(heading))?.[0] ?? null;
}

function columnsOf(grid: Grid, row: number): Partial<Record<Role, number>> {
  const found: Partial<Record<Role, number>> = {};
  for (const column of grid.filled(row)) {
    const role = roleOf(grid.at(row, column));
    if (role !== null) found[role] ??= column;
  }
  return found;
}

export interface Header {
  readonly row: number;
  readonly columns: Columns;
}

/**
 * The row whose cells head the columns, wherever it stands. A heading of two rows (a merged one above what it groups)
 * counts as one: what the lower row lacks is taken from above it.
 */
export function findHeader(grid: Grid, isQuestionRow: (row: number) => boolean): Header | null {
  let best: { row: number; columns: Partial<Record<Role, number>>; score: number } | null = null;
  for (let row = 1; row <= Math.min(grid.rows, HEADER_ROWS_MAX); row += 1) {
    if (isQuestionRow(row)) continue;
    const columns = columnsOf(grid, row);
    const score = ROLES.filter((role) => columns[role] !== undefined).length;
    if (score >= HEADER_ROLES_MIN && score > (best?.score ?? 0)) best = { row, columns, score };
  }
  if (!best) return null;
  const { columns } = best;
  for (const row of [best.row + 1, best.row - 1]) {
    if (row < 1 || isQuestionRow(row)) continue;
    const taken = new Set(Object.values(columns));
    const beside = columnsOf(grid, row);
    for (const role of ROLES) {
      const column = beside[role];
      if (columns[role] === undefined && column !== undefined && !taken.has(column)) columns[role] = column;
    }
  }
  return { row: best.row, columns };
}
