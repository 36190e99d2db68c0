import { expect, test } from 'vitest';
import { readArchive } from '../files/zip-reader.ts';
import { readWorkbook } from '../files/xlsx-reader.ts';
import { patchWorkbook } from '../files/xlsx-patch.ts';
import { parseAnswer, parseOwnership, parseQuestionId } from './answer-text.ts';
import { readCaiq } from './caiq.ts';
import type { ImportedQuestion } from './imported.ts';
import { type CaiqLayout, makeCaiq } from './made-caiq.ts';
import { outlineWorkbook, readMapped } from './mapped.ts';

const read = (bytes: Uint8Array) => readCaiq(readWorkbook(readArchive(bytes)));
const plain = ({ id, question, answer, ownership, implementation, responsibilities }: ImportedQuestion) => ({
  id,
  question,
  answer,
  ownership,
  implementation,
  responsibilities,
});

const shuffled = [
  'domain',
  'extra',
  'answer',
  'responsibilities',
  'id',
  'controlId',
  'implementation',
  'question',
  'ownership',
] as const;

test.each<[what: string, layout: CaiqLayout]>([
  ['the published layout', {}],
  ['an empty form', { unanswered: true }],
  ['answers merged over the questions of a control', { mergeAnswers: true }],
  ['rich text', { rich: true }],
  ['blank rows', { blankEvery: 9 }],
  ['a heading further down and to the right', { rowsAbove: 14, columnsBefore: 3 }],
  ['another order and more columns', { columns: shuffled }],
  [
    'headings in other words',
    {
      headings: {
        id: 'Question No.',
        question: 'Consensus Assessment Questions',
        answer: 'Response (Yes / No / NA)*',
        ownership: 'Shared Responsibility',
        implementation: 'Comments',
        responsibilities: 'Customer responsibilities',
      },
    },
  ],
  ['ids typed with other dashes and spaces', { spell: (id) => ` ${id.replace('-', '\u2011')}\u00a0` }],
  ['a sheet that is named otherwise', { sheet: 'Assessment' }],
  ['v4.1', { sheet: 'CAIQv4.1', version: 'v4.1' }],
])('261 questions are read back from %s', (_, layout) => {
  const { bytes, questions } = makeCaiq(layout);
  const result = read(bytes);
  expect(questions).toHaveLength(261);
  expect(result.questions.map(plain)).toEqual(questions);
  expect(result).toMatchObject({ format: 'caiq', version: layout.version === 'v4.1' ? '4.1' : '4.0.3', problems: [] });
  expect(result.notes.map(({ text }) => text)).toContain('End of Standard');
});

test('a question tells its control, and a second question takes it from the merged cell', () => {
  const { questions } = read(makeCaiq().bytes);
  expect(questions[1]).toMatchObject({
    id: 'A&A-01.2',
    controlId: 'A&A-01',
    controlTitle: 'Title of A&A-01',
    domain: 'Domain A&A',
  });
});

test("answers written into the publisher's workbook are read back, and nothing else changed", () => {
  const blank = makeCaiq({ unanswered: true });
  const archive = readArchive(blank.bytes);
  const before = read(blank.bytes);
  const { columns } = before;
  const edits = before.questions.flatMap(({ row }) => [
    { row, column: columns.answer ?? 0, text: 'Yes' },
    { row, column: columns.implementation ?? 0, text: `=1+1 & <row> ${row}` },
  ]);
  const after = read(patchWorkbook(archive, before.sheet, edits));
  expect(after.questions).toEqual(
    before.questions.map((one) => ({ ...one, answer: 'Yes', implementation: `=1+1 & <row> ${one.row}` })),
  );
  expect({ ...after, questions: [] }).toEqual({ ...before, questions: [] });
});

test('the same question twice is told, not doubled', () => {
  const result = read(makeCaiq({ spell: (id) => (id === 'A&A-02.1' ? 'A&A-01.1' : id) }).bytes);
  expect(result.questions).toHaveLength(260);
  expect(result.problems).toHaveLength(1);
});

test.each([
  ['Yes', 'Yes'],
  ['yes ', 'Yes'],
  ['Y', 'Yes'],
  ['TRUE', 'Yes'],
  ['Yes, partly', 'Yes'],
  ['Yes we do', 'Yes'],
  ['No', 'No'],
  ['NO.', 'No'],
  ['No - planned', 'No'],
  ['FALSE', 'No'],
  ['NA', 'NA'],
  ['N/A', 'NA'],
  ['n.a.', 'NA'],
  ['Not applicable', 'NA'],
  ['N/A (no cards)', 'NA'],
  ['', null],
  ['No later than May', null],
  ['Nothing', null],
  ['Yesterday', null],
  ['Partially', null],
  ['Name', null],
])('the answer %j is %s', (text, answer) => {
  expect(parseAnswer(text)).toBe(answer);
});

test.each([
  ['CSP owned', 'CSP-owned'],
  ['Shared CSP & CSC', 'Shared CSP and CSC'],
  ['3rd-party outsourced', 'Third-party outsourced'],
  ['Shared CSP and  third\u2011party', 'Shared CSP and third-party'],
  ['somebody', 'somebody'],
])('the ownership %j is %s', (text, name) => {
  expect(parseOwnership(text)).toBe(name);
});

test.each([
  ['A&A-01.1', true],
  ['a&a – 1.10', true],
  ['AIS-07', false],
  ['Text A&A-01.1', false],
])('%j is an id: %s', (text, is) => {
  expect(parseQuestionId(text) !== null).toBe(is);
});

test('any other workbook is read by a mapping that the outline proposes', () => {
  const { bytes, questions } = makeCaiq({ sheet: 'Lite', spell: (id) => `SL ${id.replaceAll('&', '')}` });
  const workbook = readWorkbook(readArchive(bytes));
  const outline = outlineWorkbook(workbook).find(({ sheet }) => sheet === 'Lite');
  expect(outline?.proposal?.headerRow).toBe(4);
  const mapped = readMapped(workbook, {
    sheet: 'Lite',
    headerRow: 4,
    columns: { id: 'A', question: 'B', answer: 'C', ownership: 4, implementation: 'E', responsibilities: 'f' },
    idPrefix: 'SL ',
  });
  const withoutIds = (list: readonly object[]) => list.map((one) => ({ ...one, id: '' }));
  expect(withoutIds(mapped.questions.map(plain))).toEqual(withoutIds(questions));
  expect(mapped.questions[0]?.id).toBe('SL AA-01.1');
  expect(() => readMapped(workbook, { sheet: 'None', columns: { question: 'B' } })).toThrow(
    /It has: Introduction, Lite/,
  );
});
