export const KINDS = [
  ['yes-no-na', 'Yes, no, not applicable'],
  ['choice', 'One of several'],
  ['choices', 'Any of several'],
  ['text', 'Text'],
  ['date', 'Date'],
] as const;

export interface QuestionDraft {
  readonly key: string;
  readonly text: string;
  readonly kind: (typeof KINDS)[number][0];
  /** Separated by commas. */
  readonly options: string;
  /** `Q1`, or empty: always asked. */
  readonly showIf: string;
  readonly showIs: string;
}

export function emptyQuestion(): QuestionDraft {
  return { key: crypto.randomUUID(), text: '', kind: 'yes-no-na', options: '', showIf: '', showIs: '' };
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** The form as the API takes it; questions are named by their place. */
export function draftToForm(title: string, questions: readonly QuestionDraft[]) {
  return {
    title: title.trim(),
    sections: [
      {
        title: title.trim(),
        questions: questions.map(({ text, kind, options, showIf, showIs }, at) => ({
          id: `Q${at + 1}`,
          text: text.trim(),
          kind,
          wantsNote: kind !== 'text',
          ...(kind.startsWith('choice') ? { options: listOf(options) } : {}),
          ...(showIf === '' ? {} : { showIf: { question: showIf, is: listOf(showIs || 'Yes') } }),
        })),
      },
    ],
  };
}
