import { expect, test } from 'vitest';
import { findPassages, passagesOf } from './passages.ts';

const passages = passagesOf({
  fileId: 'f',
  fileName: 'policy.pdf',
  pages: [
    'Backups are made every night and restored in a test each quarter.\n\nPasswords have at least fourteen characters in all systems.',
    'Customer data is encrypted at rest with AES-256; keys are rotated yearly.',
  ],
});

test.each([
  ['Is customer data encrypted at rest?', 2, 'AES-256'],
  ['How often are backups tested by restoring them?', 1, 'every night'],
])('%s is answered on page %d', (question, page, words) => {
  const [best] = findPassages(question, passages, 3);
  expect(best?.page).toBe(page);
  expect(best?.text).toContain(words);
});

test('what nobody wrote of finds nothing', () => {
  expect(findPassages('Are visitors escorted through the building?', passages, 3)).toEqual([]);
});
