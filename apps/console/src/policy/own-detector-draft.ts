/** Kinds of own detectors, as people choose them. */
export const OWN_KINDS = [
  {
    value: 'dictionary',
    label: 'Words',
    counts: 'terms',
    description: 'Names of projects, products, customers: whole words, whatever their case.',
  },
  { value: 'regex', label: 'Expression', counts: 'expression', description: 'A regular expression in RE2 syntax.' },
  {
    value: 'exact',
    label: 'Records',
    counts: 'values',
    description: 'Values of your own records, such as customer numbers. Only keyed hashes are kept.',
  },
  {
    value: 'document',
    label: 'Document',
    counts: 'phrases',
    description: 'A document of which parts are recognised. Only keyed hashes are kept.',
  },
] as const;
export type OwnKind = (typeof OWN_KINDS)[number]['value'];

export const OWN_LABELS = ['public', 'internal', 'confidential', 'restricted'] as const;
export type OwnLabel = (typeof OWN_LABELS)[number];

/** One term a line; empty lines and doubles say nothing. */
export function termsOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ''))];
}

/** Whether there is enough to send; a detector that exists keeps what it looks for when nothing new is given. */
export function isComplete(draft: {
  readonly isNew: boolean;
  readonly kind: OwnKind;
  readonly name: string;
  readonly title: string;
  readonly terms: string;
  readonly pattern: string;
  readonly hasFile: boolean;
}): boolean {
  if (draft.title.trim() === '' || draft.name === '') return false;
  if (!draft.isNew) return true;
  if (draft.kind === 'dictionary') return termsOf(draft.terms).length > 0;
  if (draft.kind === 'regex') return draft.pattern.length > 1;
  return draft.hasFile;
}
