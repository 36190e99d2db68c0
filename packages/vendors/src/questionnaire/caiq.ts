import { ContentUnrecognised } from '../errors.ts';
import { type Grid, gridOf, type Sheet, type Workbook } from '../files/workbook.ts';
import { isExactAnswer, isOwnership, oneLine, parseAnswer, parseControlId, parseQuestionId } from './answer-text.ts';
import { findHeader } from './header-row.ts';
import type { Columns, ImportedQuestionnaire, Role } from './imported.ts';
import { readQuestions } from './question-rows.ts';

/** Fewer ids than this are a sheet that mentions questions, not one that asks them. */
const QUESTIONS_MIN = 3;
const VERSION_ROWS_MAX = 20;
const VERSION = /v(?:ersion)?\.?\s*(\d+\.\d+(?:\.\d+)?)/i;

interface Candidate {
  readonly sheet: Sheet;
  readonly grid: Grid;
  readonly idColumn: number;
  readonly questions: number;
}

/** The column with most question ids, and how many different ones it holds. */
function findIdColumn(grid: Grid, sheet: Sheet): { idColumn: number; questions: number } {
  const ids = new Map<number, Set<string>>();
  for (const { column, text } of sheet.cells) {
    const id = parseQuestionId(text);
    if (id !== null) ids.set(column, (ids.get(column) ?? new Set<string>()).add(id));
  }
  const [best] = [...ids].sort(([a, left], [b, right]) => right.size - left.size || a - b);
  return { idColumn: best?.[0] ?? 0, questions: best?.[1].size ?? 0 };
}

/** The sheet named as the publisher names it, else the one with most questions; a visible one before a hidden one. */
function findSheet(workbook: Workbook): Candidate | null {
  const candidates = workbook.sheets
    .map((sheet): Candidate => {
      const grid = gridOf(sheet);
      return { sheet, grid, ...findIdColumn(grid, sheet) };
    })
    .filter(({ questions }) => questions >= QUESTIONS_MIN);
  const rank = ({ sheet, questions }: Candidate): number =>
    questions + (/^\s*caiq/i.test(sheet.name) ? 100_000 : 0) + (sheet.isHidden ? 0 : 10_000);
  return candidates.sort((a, b) => rank(b) - rank(a))[0] ?? null;
}

function findVersion(workbook: Workbook, { sheet, grid }: Candidate): string | null {
  const texts: string[] = [];
  for (let row = 1; row <= Math.min(grid.rows, VERSION_ROWS_MAX); row += 1) {
    for (const column of grid.filled(row)) texts.push(grid.at(row, column));
  }
  // A row that says only "v4.0.3" or "CAIQ v4.0.3" before one that mentions a version in passing.
  texts.sort((a, b) => a.length - b.length);
  const bare = texts.map((text) => /^\s*(?:caiq\s*)?v?(4\.\d+(?:\.\d+)?)\s*$/i.exec(text)?.[1]);
  const inSheet = texts.map((text) => VERSION.exec(text)?.[1]);
  const named = [sheet.name, ...workbook.sheets.map(({ name }) => name)].map((name) => VERSION.exec(name)?.[1]);
  return [...bare, ...inSheet, ...named].find((version) => version !== undefined) ?? null;
}

interface ColumnFacts {
  readonly column: number;
  readonly answers: number;
  readonly ownerships: number;
  readonly controlIds: number;
  readonly asks: number;
  readonly chars: number;
}

function factsOf(grid: Grid, rows: readonly number[], column: number): ColumnFacts {
  const texts = rows.map((row) => grid.value(row, column)).filter((text) => text !== '');
  const count = (test: (text: string) => boolean): number => texts.filter(test).length;
  return {
    column,
    answers: count((text) => isExactAnswer(text) || (text.length < 20 && parseAnswer(text) !== null)),
    ownerships: count(isOwnership),
    controlIds: count((text) => parseControlId(text) !== null),
    asks: count((text) => text.trimEnd().endsWith('?')),
    chars: texts.reduce((sum, text) => sum + text.length, 0),
  };
}

/** What headings leave open is told by what stands in the columns. */
function completeColumns(grid: Grid, rows: readonly number[], known: Columns): Columns {
  const columns: Partial<Record<Role, number>> = { ...known };
  const taken = new Set<number>(Object.values(columns));
  const facts = Array.from({ length: grid.columns }, (_, at) => factsOf(grid, rows, at + 1));
  const pick = (role: Role, measure: (facts: ColumnFacts) => number, least: number): void => {
    if (columns[role] !== undefined) return;
    const free = facts.filter(({ column }) => !taken.has(column)).sort((a, b) => measure(b) - measure(a));
    const best = free[0];
    if (!best || measure(best) < least) return;
    columns[role] = best.column;
    taken.add(best.column);
  };
  const some = Math.max(1, rows.length * 0.2);
  pick('answer', ({ answers }) => answers, some);
  pick('ownership', ({ ownerships }) => ownerships, some);
  pick('controlId', ({ controlIds }) => controlIds, some);
  pick('question', ({ asks }) => asks, some);
  pick('question', ({ chars }) => chars, rows.length * 10);
  return columns;
}

/** A heading merged over several columns may stand over values that are not in its first. */
function followMergedHeading(
  grid: Grid,
  header: number,
  rows: readonly number[],
  column: number,
  taken: ReadonlySet<number>,
): number {
  const area = grid.merge(header, column);
  if (!area || area.right === area.left) return column;
  const filled = (at: number): number => rows.filter((row) => grid.value(row, at) !== '').length;
  let best = column;
  for (let at = area.left; at <= area.right; at += 1) if (!taken.has(at) && filled(at) > filled(best)) best = at;
  return best;
}

/** Reads a CAIQ v4 workbook as the publisher gives it out or a vendor returns it. */
export function readCaiq(workbook: Workbook): ImportedQuestionnaire {
  const found = findSheet(workbook);
  if (!found) {
    throw new ContentUnrecognised(
      'No sheet of the workbook holds CAIQ questions (ids such as A&A-01.1). For another questionnaire map its columns.',
      { sheets: workbook.sheets.map(({ name }) => name) },
    );
  }
  const { sheet, grid, idColumn } = found;
  const rows: number[] = [];
  for (let row = 1; row <= grid.rows; row += 1) if (parseQuestionId(grid.at(row, idColumn)) !== null) rows.push(row);
  const isQuestionRow = (row: number): boolean => parseQuestionId(grid.at(row, idColumn)) !== null;
  const header = findHeader(grid, isQuestionRow);
  const headed: Partial<Record<Role, number>> = { ...header?.columns };
  // The ids themselves say where they are; a heading such as "Control ID" may stand over either.
  for (const role of Object.keys(headed) as Role[]) if (headed[role] === idColumn) delete headed[role];
  headed.id = idColumn;
  if (header) {
    for (const role of Object.keys(headed) as Role[]) {
      const column = headed[role];
      const others = new Set(Object.values(headed).filter((one) => one !== column));
      if (column !== undefined && role !== 'id') {
        headed[role] = followMergedHeading(grid, header.row, rows, column, others);
      }
    }
  }
  const columns = completeColumns(grid, rows, headed);
  const { questions, notes, problems } = readQuestions(grid, columns, {
    parseId: parseQuestionId,
    after: header?.row ?? 0,
  });
  return {
    format: 'caiq',
    version: findVersion(workbook, found),
    sheet: oneLine(sheet.name) === sheet.name ? sheet.name : sheet.name.trim(),
    headerRow: header?.row ?? null,
    columns,
    questions,
    notes,
    problems,
  };
}
