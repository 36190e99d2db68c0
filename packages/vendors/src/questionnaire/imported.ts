/** What Cordon reads of a questionnaire in a workbook, whoever published it. */
export const ROLES = [
  'id',
  'question',
  'answer',
  'ownership',
  'implementation',
  'responsibilities',
  'controlId',
  'controlTitle',
  'domain',
] as const;
export type Role = (typeof ROLES)[number];

/** Which column (counted from 1) holds what. */
export type Columns = Readonly<Partial<Record<Role, number>>>;

export type Answer = 'Yes' | 'No' | 'NA';

export interface ImportedQuestion {
  readonly id: string;
  readonly question: string;
  /** The published choices; null when not answered or answered otherwise. */
  readonly answer: Answer | null;
  /** What the cell says, when that is not exactly one of the choices. */
  readonly answerText: string | null;
  readonly ownership: string | null;
  readonly implementation: string | null;
  readonly responsibilities: string | null;
  readonly controlId: string | null;
  readonly controlTitle: string | null;
  readonly domain: string | null;
  /** The row of the sheet in which the question stands, from 1. */
  readonly row: number;
}

export interface ImportedQuestionnaire {
  readonly format: 'caiq' | 'mapped';
  readonly version: string | null;
  readonly sheet: string;
  readonly headerRow: number | null;
  readonly columns: Columns;
  readonly questions: readonly ImportedQuestion[];
  /** Text that stands outside of questions: instructions, legal notes. */
  readonly notes: readonly { readonly row: number; readonly text: string }[];
  /** What a person should look at: repeated ids, answers outside of the choices. */
  readonly problems: readonly { readonly row: number; readonly problem: string }[];
}
