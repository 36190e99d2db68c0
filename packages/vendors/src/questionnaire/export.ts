import type { CellEdit } from '../files/xlsx-patch.ts';
import { type CellInput, writeWorkbook } from '../files/xlsx-writer.ts';
import { gridOf, type Workbook } from '../files/workbook.ts';
import type { ImportedQuestionnaire } from './imported.ts';

/** What goes into the answer columns of one question; absent fields stay as they are. */
export interface ExportedAnswer {
  readonly answer?: string | null | undefined;
  readonly ownership?: string | null | undefined;
  readonly implementation?: string | null | undefined;
  readonly responsibilities?: string | null | undefined;
}

const FIELDS = ['answer', 'ownership', 'implementation', 'responsibilities'] as const;

export interface ExportPlan {
  readonly sheet: string;
  readonly edits: readonly CellEdit[];
  /** Answers that the layout has no cell of its own for. */
  readonly problems: readonly string[];
}

/** Which cells of the publisher's workbook take which answers. A merged cell takes one answer: the first. */
export function planExport(
  workbook: Workbook,
  imported: ImportedQuestionnaire,
  answers: ReadonlyMap<string, ExportedAnswer>,
): ExportPlan {
  const sheet = workbook.sheets.find(({ name }) => name.trim() === imported.sheet.trim());
  if (!sheet) return { sheet: imported.sheet, edits: [], problems: ['The sheet is not in the workbook.'] };
  const grid = gridOf(sheet);
  const edits = new Map<string, CellEdit>();
  const problems: string[] = [];
  for (const { id, row } of imported.questions) {
    const given = answers.get(id);
    for (const field of FIELDS) {
      const text = given?.[field];
      const column = imported.columns[field];
      if (text === undefined) continue;
      if (column === undefined) {
        if (text !== null) problems.push(`${id}: the workbook has no column for ${field}.`);
        continue;
      }
      const area = grid.merge(row, column);
      const place = area ? { row: area.top, column: area.left } : { row, column };
      const key = `${place.row}:${place.column}`;
      const known = edits.get(key);
      if (known && known.text !== (text ?? ''))
        problems.push(`${id}: ${field} shares a merged cell with another answer.`);
      else edits.set(key, { ...place, text: text ?? '' });
    }
  }
  return { sheet: sheet.name, edits: [...edits.values()], problems };
}

export interface PlainRow extends ExportedAnswer {
  readonly id: string;
  readonly question: string;
}

/** A workbook of our own layout, for questionnaires that came from none. */
export function writeAnswers(title: string, rows: readonly PlainRow[]): Uint8Array {
  const head = [
    'Question ID',
    'Question',
    'Answer',
    'Ownership',
    'Implementation description',
    'Customer responsibilities',
  ];
  const wrap = (text: string | null | undefined): CellInput | null => (text ? { text, style: 'wrap' } : null);
  return writeWorkbook([
    {
      name: title.replaceAll(/[[\]:*?/\\]/g, ' ').slice(0, 31) || 'Answers',
      widths: [14, 60, 14, 24, 60, 40],
      rows: [
        head.map((text) => ({ text, style: 'bold' as const })),
        ...rows.map((row) => [row.id, ...[row.question, ...FIELDS.map((field) => row[field])].map(wrap)]),
      ],
    },
  ]);
}
