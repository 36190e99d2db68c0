import { expect, test } from 'vitest';
import { draftToForm, emptyQuestion } from './form-draft.ts';

test('questions are named by place, options and conditions split, and no empty condition is sent', () => {
  const form = draftToForm(' Cards ', [
    { ...emptyQuestion(), text: 'Cards?' },
    { ...emptyQuestion(), text: 'Where?', kind: 'choice', options: 'EU, US,', showIf: 'Q1', showIs: '' },
  ]);
  expect(form.title).toBe('Cards');
  expect(form.sections[0]?.questions).toEqual([
    { id: 'Q1', text: 'Cards?', kind: 'yes-no-na', wantsNote: true },
    {
      id: 'Q2',
      text: 'Where?',
      kind: 'choice',
      wantsNote: true,
      options: ['EU', 'US'],
      showIf: { question: 'Q1', is: ['Yes'] },
    },
  ]);
});
