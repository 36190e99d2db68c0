import { expect, test } from 'vitest';
import { isComplete, termsOf } from './own-detector-draft.ts';

test('terms are lines, each once', () => {
  expect(termsOf(' Blue Heron\n\nKestrel\nBlue Heron \n')).toEqual(['Blue Heron', 'Kestrel']);
});

const draft = {
  isNew: true,
  kind: 'dictionary',
  name: 'projects',
  title: 'Projects',
  terms: '',
  pattern: '',
  hasFile: false,
} as const;
test.each([
  [draft, false],
  [{ ...draft, terms: 'Kestrel' }, true],
  [{ ...draft, terms: 'Kestrel', title: ' ' }, false],
  [{ ...draft, terms: 'Kestrel', name: '' }, false],
  [{ ...draft, kind: 'regex' }, false],
  [{ ...draft, kind: 'regex', pattern: 'OPS-[0-9]+' }, true],
  [{ ...draft, kind: 'exact' }, false],
  [{ ...draft, kind: 'document', hasFile: true }, true],
  [{ ...draft, kind: 'exact', isNew: false }, true],
] as const)('%j can be sent: %s', (given, complete) => {
  expect(isComplete(given)).toBe(complete);
});
