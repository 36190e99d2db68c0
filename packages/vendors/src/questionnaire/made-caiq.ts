import type { Merge } from '../files/workbook.ts';
import { type CellInput, writeWorkbook } from '../files/xlsx-writer.ts';

/**
 * Makes a workbook in the layout in which the CSA publishes CAIQ v4: for tests, with ids by the control counts of CCM
 * v4 and placeholder texts, since the real ones are the publisher's.
 */
const CONTROLS: Readonly<Record<string, number>> = {
  'A&A': 6, AIS: 7, BCR: 11, CCC: 9, CEK: 21, DCS: 15, DSP: 19, GRC: 8, HRS: 13,
  IAM: 16, IPY: 4, IVS: 9, LOG: 13, SEF: 8, STA: 14, TVM: 10, UEM: 14,
}; // prettier-ignore
const SECOND_QUESTIONS = 64;
const ANSWERS = ['Yes', 'No', 'NA', 'N/A'] as const;
const OWNERSHIPS = [
  'CSP-owned',
  'CSC-owned',
  'Third-party outsourced',
  'Shared CSP and CSC',
  'Shared CSP and third-party',
] as const;

type Column =
  | 'id'
  | 'question'
  | 'answer'
  | 'ownership'
  | 'implementation'
  | 'responsibilities'
  | 'controlId'
  | 'specification'
  | 'controlTitle'
  | 'domain'
  | 'extra';

const HEADINGS: Readonly<Record<Column, string>> = {
  id: 'Question ID',
  question: 'Question',
  answer: 'CSP CAIQ Answer',
  ownership: 'SSRM Control Ownership',
  implementation: 'CSP Implementation Description (Optional/Recommended)',
  responsibilities: 'CSC Responsibilities\n(Optional/Recommended)',
  controlId: 'CCM Control ID',
  specification: 'CCM Control Specification',
  controlTitle: 'CCM Control Title',
  domain: 'CCM Domain Title',
  extra: 'Internal reviewer',
};

interface MadeQuestion {
  readonly id: string;
  readonly question: string;
  readonly answer: 'Yes' | 'No' | 'NA' | null;
  readonly ownership: string | null;
  readonly implementation: string | null;
  readonly responsibilities: string | null;
}

export interface MadeCaiq {
  readonly bytes: Uint8Array;
  readonly questions: readonly MadeQuestion[];
}

export interface CaiqLayout {
  readonly sheet?: string;
  readonly version?: string;
  readonly columns?: readonly Column[];
  readonly headings?: Readonly<Partial<Record<Column, string>>>;
  readonly rowsAbove?: number;
  readonly columnsBefore?: number;
  readonly blankEvery?: number;
  readonly rich?: boolean;
  /** Answers, ownership and descriptions of a control's two questions are one merged cell. */
  readonly mergeAnswers?: boolean;
  readonly unanswered?: boolean;
  /** As some vendors type it. */
  readonly spell?: (id: string) => string;
}

const LAYOUT: readonly Column[] = [
  'id', 'question', 'answer', 'ownership', 'implementation', 'responsibilities', 'controlId', 'specification', 'controlTitle', 'domain',
]; // prettier-ignore

interface Row {
  readonly made: MadeQuestion;
  readonly texts: Readonly<Record<Column, string>>;
  readonly isFirst: boolean;
  readonly hasSecond: boolean;
}

function makeRows({ unanswered = false, mergeAnswers = false }: CaiqLayout): Row[] {
  const rows: Row[] = [];
  let [index, second] = [0, 0];
  for (const [domain, count] of Object.entries(CONTROLS)) {
    for (let number = 1; number <= count; number += 1) {
      const control = `${domain}-${String(number).padStart(2, '0')}`;
      const hasSecond = index % 3 === 0 && second < SECOND_QUESTIONS;
      if (hasSecond) second += 1;
      const shared = index;
      for (let part = 1; part <= (hasSecond ? 2 : 1); part += 1) {
        const at = mergeAnswers ? shared : rows.length;
        const raw = unanswered ? '' : (ANSWERS[at % 4] ?? '');
        const isNa = raw === 'NA' || raw === 'N/A';
        const texts: Record<Column, string> = {
          id: `${control}.${part}`,
          question: `Placeholder question ${part} about control ${control}: is it "done" & <kept>?`,
          answer: raw,
          ownership: unanswered || isNa ? '' : (OWNERSHIPS[at % 5] ?? ''),
          implementation:
            unanswered || at % 7 === 0
              ? ''
              : `How ${control} is met (${at}).\nSecond line; ü, 日本, Yes and No in text.`,
          responsibilities: unanswered || at % 3 !== 0 ? '' : `The customer configures ${control} (${at}).`,
          controlId: control,
          specification: `Placeholder specification of ${control}.`,
          controlTitle: `Title of ${control}`,
          domain: `Domain ${domain}`,
          extra: 'checked',
        };
        const orNull = (text: string): string | null => (text === '' ? null : text);
        rows.push({
          made: {
            id: texts.id,
            question: texts.question,
            answer: raw === '' ? null : isNa ? 'NA' : raw,
            ownership: orNull(texts.ownership),
            implementation: orNull(texts.implementation),
            responsibilities: orNull(texts.responsibilities),
          },
          texts,
          isFirst: part === 1,
          hasSecond,
        });
      }
      index += 1;
    }
  }
  return rows;
}

export function makeCaiq(layout: CaiqLayout = {}): MadeCaiq {
  const { sheet = 'CAIQv4.0.3', version = 'v4.0.3', columns = LAYOUT, rowsAbove = 1, columnsBefore = 0 } = layout;
  const made = makeRows(layout);
  const rows: (CellInput | null)[][] = [];
  const merges: Merge[] = [];
  const pad = Array.from({ length: columnsBefore }, () => null);
  const last = columnsBefore + columns.length;
  rows.push([...pad, { text: 'CONSENSUS ASSESSMENTS INITIATIVE QUESTIONNAIRE (placeholder)', style: 'bold' }]);
  rows.push([...pad, version]);
  merges.push({ top: 1, left: columnsBefore + 1, bottom: 1, right: last });
  for (let at = 0; at < rowsAbove; at += 1)
    rows.push([...pad, `Instruction ${at}: choose Yes, No or NA in the answer column.`]);
  rows.push([
    ...pad,
    ...columns.map((column) => ({ text: layout.headings?.[column] ?? HEADINGS[column], style: 'bold' as const })),
  ]);
  for (const [index, row] of made.entries()) {
    if (layout.blankEvery !== undefined && index % layout.blankEvery === 0) rows.push([]);
    const number = rows.length + 1;
    const covered = (column: Column): boolean =>
      ['controlId', 'specification', 'controlTitle', 'domain'].includes(column) ||
      (layout.mergeAnswers === true && ['answer', 'ownership', 'implementation', 'responsibilities'].includes(column));
    const cells = columns.map((column): CellInput | null => {
      if (!row.isFirst && covered(column)) return null;
      const text = column === 'id' ? (layout.spell?.(row.texts.id) ?? row.texts.id) : row.texts[column];
      return text === '' ? null : { text, style: 'wrap', rich: layout.rich === true };
    });
    rows.push([...pad, ...cells]);
    const isPair =
      row.isFirst && row.hasSecond && !(layout.blankEvery !== undefined && (index + 1) % layout.blankEvery === 0);
    if (!isPair) continue;
    for (const [at, column] of columns.entries()) {
      const left = columnsBefore + at + 1;
      if (covered(column)) merges.push({ top: number, left, bottom: number + 1, right: left });
    }
  }
  rows.push([...pad, 'End of Standard']);
  rows.push([...pad, 'Placeholder legal note, merged over the whole width.']);
  merges.push({ top: rows.length, left: columnsBefore + 1, bottom: rows.length, right: last });
  const introduction = { name: 'Introduction', rows: [['About this workbook'], ['Ids look like A&A-01.1.']] };
  return {
    bytes: writeWorkbook([
      introduction,
      { name: sheet, rows, merges, widths: [...pad.map(() => 4), ...columns.map(() => 30)] },
    ]),
    questions: made.map((row) => row.made),
  };
}
