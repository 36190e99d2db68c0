import { z } from 'zod';
import { ContentUnrecognised, InputInvalid } from '../errors.ts';
import { columnNumber } from '../files/cell-ref.ts';
import { COLUMNS_MAX } from '../files/limits.ts';
import { gridOf, type Sheet, type Workbook } from '../files/workbook.ts';
import { oneLine } from './answer-text.ts';
import { findHeader } from './header-row.ts';
import { type ImportedQuestionnaire, type Role, ROLES } from './imported.ts';
import { readQuestions } from './question-rows.ts';

const SAMPLE_ROWS_MAX = 8;
const SAMPLE_CHARS_MAX = 200;
const ID_CHARS_MAX = 60;

const column = z.union([
  z.int().min(1).max(COLUMNS_MAX),
  z
    .string()
    .regex(/^[A-Za-z]{1,3}$/)
    .transform(columnNumber),
]);

/** A person's word on where things stand in a workbook; columns by letter or number. */
export const mappingInput = z.strictObject({
  sheet: z.string().min(1).max(100),
  headerRow: z.int().min(0).max(10_000).default(1),
  columns: z.strictObject({
    id: column.optional(),
    question: column,
    answer: column.optional(),
    ownership: column.optional(),
    implementation: column.optional(),
    responsibilities: column.optional(),
    controlId: column.optional(),
    controlTitle: column.optional(),
    domain: column.optional(),
  }),
  /** Only rows whose id fits are questions, for example `^[A-Z]\.\d+`. Letters, digits and the simplest of signs. */
  idPrefix: z.string().max(20).optional(),
});
export type MappingInput = z.input<typeof mappingInput>;

export interface SheetOutline {
  readonly sheet: string;
  readonly isHidden: boolean;
  readonly rows: number;
  readonly columns: number;
  /** What the wizard proposes; a person confirms or changes it. */
  readonly proposal: { readonly headerRow: number; readonly columns: Readonly<Partial<Record<Role, number>>> } | null;
  /** The first rows, for the person to see what they map. */
  readonly sample: readonly {
    readonly row: number;
    readonly cells: readonly { readonly column: number; readonly text: string }[];
  }[];
}

/** What a wizard shows of a workbook: its sheets, their first rows, and a guess. */
export function outlineWorkbook(workbook: Workbook): SheetOutline[] {
  return workbook.sheets.map((sheet) => {
    const grid = gridOf(sheet);
    const header = findHeader(grid, () => false);
    const first = header?.row ?? 1;
    const sample: { row: number; cells: { column: number; text: string }[] }[] = [];
    for (let row = first; row <= grid.rows && sample.length < SAMPLE_ROWS_MAX; row += 1) {
      const cells = grid
        .filled(row)
        .map((at) => ({ column: at, text: oneLine(grid.at(row, at)).slice(0, SAMPLE_CHARS_MAX) }));
      if (cells.length > 0) sample.push({ row, cells });
    }
    return {
      sheet: sheet.name,
      isHidden: sheet.isHidden,
      rows: grid.rows,
      columns: grid.columns,
      proposal: header ? { headerRow: header.row, columns: header.columns } : null,
      sample,
    };
  });
}

function sheetNamed(workbook: Workbook, name: string): Sheet {
  const sheet = workbook.sheets.find((one) => one.name === name);
  if (!sheet) {
    const names = workbook.sheets.map((one) => one.name);
    throw new InputInvalid(`The workbook has no sheet named ${name}. It has: ${names.join(', ')}.`, { sheets: names });
  }
  return sheet;
}

/** Reads any questionnaire by a mapping. Without an id column the question's row is its id. */
export function readMapped(workbook: Workbook, raw: MappingInput): ImportedQuestionnaire {
  const parsed = mappingInput.safeParse(raw);
  if (!parsed.success) throw new InputInvalid(`The mapping is not valid: ${z.prettifyError(parsed.error)}`);
  const { sheet: name, headerRow, columns: given, idPrefix } = parsed.data;
  const grid = gridOf(sheetNamed(workbook, name));
  const columns: Partial<Record<Role, number>> = {};
  for (const role of ROLES) if (given[role] !== undefined) columns[role] = given[role];
  const isId = (text: string): string | null => {
    const id = oneLine(text);
    if (id === '' || id.length > ID_CHARS_MAX) return null;
    return idPrefix === undefined || id.startsWith(idPrefix) ? id : null;
  };
  let result: Pick<ImportedQuestionnaire, 'questions' | 'notes' | 'problems'>;
  if (columns.id === undefined) {
    // The text of the question stands in for an id while rows are found; the row number then names it.
    const read = readQuestions(
      grid,
      { ...columns, id: given.question },
      { parseId: (text) => oneLine(text) || null, after: headerRow },
    );
    result = { ...read, questions: read.questions.map((one) => ({ ...one, id: `R${one.row}` })) };
  } else result = readQuestions(grid, columns, { parseId: isId, after: headerRow });
  const questions = result.questions.filter(({ question }) => question !== '');
  if (questions.length === 0) throw new ContentUnrecognised('No row of the sheet holds a question by this mapping.');
  return { format: 'mapped', version: null, sheet: name, headerRow, columns, ...result, questions };
}
