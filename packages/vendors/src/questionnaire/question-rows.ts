import type { Grid } from '../files/workbook.ts';
import { isExactAnswer, oneLine, paragraph, parseAnswer, parseOwnership } from './answer-text.ts';
import type { Columns, ImportedQuestion, ImportedQuestionnaire, Role } from './imported.ts';

interface Options {
  /** The question's id in a cell; null when the cell is no id. */
  readonly parseId: (text: string) => string | null;
  /** Rows up to this one are no questions. */
  readonly after: number;
}

type Rows = Pick<ImportedQuestionnaire, 'questions' | 'notes' | 'problems'>;

/** The rows that one question takes: more than one when its id is merged over them. */
function rowsOf(grid: Grid, row: number, idColumn: number): number[] {
  const area = grid.merge(row, idColumn);
  if (!area || area.top !== row) return [row];
  return Array.from({ length: Math.min(area.bottom, grid.rows) - row + 1 }, (_, at) => row + at);
}

/**
 * What a column says for a question. A merged cell speaks for every row that it covers, but only in the column in
 * which it begins or that heads it: an area over answer and ownership says the answer, not both.
 */
function textAt(grid: Grid, rows: readonly number[], column: number | undefined, others: ReadonlySet<number>): string {
  if (column === undefined) return '';
  const texts: string[] = [];
  let last = 0;
  for (const row of rows) {
    const area = grid.merge(row, column);
    if (area && area.left !== column && others.has(area.left)) continue;
    if (area && area.top === last) continue;
    if (area) last = area.top;
    const text = paragraph(grid.value(row, column));
    if (text !== '') texts.push(text);
  }
  return texts.join('\n');
}

const orNull = (text: string): string | null => (text === '' ? null : text);

/** Reads questions row by row; what stands in other rows is kept as a note. */
export function readQuestions(grid: Grid, columns: Columns, { parseId, after }: Options): Rows {
  const idColumn = columns.id ?? 0;
  const questions: ImportedQuestion[] = [];
  const notes: { row: number; text: string }[] = [];
  const problems: { row: number; problem: string }[] = [];
  const seen = new Map<string, number>();
  const used = new Set<number>(Object.values(columns));
  const inQuestion = new Set<number>();
  for (let row = 1; row <= grid.rows; row += 1) {
    if (inQuestion.has(row)) continue;
    const id = row > after ? parseId(grid.at(row, idColumn)) : null;
    if (id === null) {
      const texts = [...new Set(grid.filled(row).map((column) => oneLine(grid.at(row, column))))];
      if (row !== after && texts.length > 0) notes.push({ row, text: texts.join(' | ') });
      continue;
    }
    const rows = rowsOf(grid, row, idColumn);
    for (const one of rows) inQuestion.add(one);
    const earlier = seen.get(id);
    if (earlier !== undefined) {
      problems.push({ row, problem: `The question ${id} stands in row ${earlier} already; this row is left out.` });
      continue;
    }
    seen.set(id, row);
    const text = (role: Role): string => textAt(grid, rows, columns[role], used);
    const answerText = text('answer');
    const answer = parseAnswer(answerText);
    if (answer === null && answerText !== '') {
      problems.push({
        row,
        problem: `The answer to ${id} is none of Yes, No and NA: ${oneLine(answerText).slice(0, 100)}`,
      });
    }
    questions.push({
      id,
      question: text('question'),
      answer,
      answerText: answerText === '' || isExactAnswer(answerText) ? null : answerText,
      ownership: orNull(parseOwnership(text('ownership'))),
      implementation: orNull(text('implementation')),
      responsibilities: orNull(text('responsibilities')),
      controlId: orNull(oneLine(text('controlId'))),
      controlTitle: orNull(oneLine(text('controlTitle'))),
      domain: orNull(oneLine(text('domain'))),
      row,
    });
  }
  return { questions, notes, problems };
}
