import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createFileReader } from '../files/file-reader.ts';
import { makeDocx, makePdf } from '../files/made-files.ts';
import { checkContract } from './check.ts';
import { loadClauses } from './clause.ts';

const clauses = loadClauses(fileURLToPath(new URL('../../../../content/', import.meta.url)));
const DPA = fileURLToPath(new URL('../../../../../shared/corpora/contracts/commonpaper-dpa.md', import.meta.url));

const around = (sentence: string): string =>
  `1. General\n\nThis agreement is made between the parties named on the cover page.\n\n2. Terms\n\n${sentence}\n\n3. Law\n\nThe law of Ireland applies.\n`;
const check = (text: string) => checkContract({ kind: 'text', pages: [text] }, clauses);

const STATUS = { present: 'present', weaker: 'weaker', negated: 'negated', absent: 'missing' } as const;
const samples = clauses.flatMap(({ id, samples: of }) =>
  (Object.keys(STATUS) as (keyof typeof STATUS)[]).flatMap((kind) =>
    of[kind].map((sentence) => [id, STATUS[kind], sentence] as const),
  ),
);

test.each(samples)('%s is %s: %s', (id, status, sentence) => {
  const result = check(around(sentence)).clauses.find((one) => one.id === id);
  expect(result).toMatchObject({ status });
  for (const span of result?.spans ?? []) expect(around(sentence).slice(span.start, span.end)).toBe(span.text);
});

test('every clause has samples of a contract that holds it and of one that does not', () => {
  for (const { samples: of } of clauses) {
    expect(of.present.length).toBeGreaterThan(0);
    expect(of.absent.length).toBeGreaterThan(0);
  }
});

test.each([
  [
    'shall notify Customer of a security breach within seventy-two (72) hours.',
    { hours: 72, businessDays: null, unit: 'hours' },
  ],
  [
    'shall notify Customer of a security breach within 3 business days.',
    { hours: null, businessDays: 3, unit: 'business_days' },
  ],
  ['shall notify Customer of a security breach within two (2) days.', { hours: 48, businessDays: null, unit: 'days' }],
  [
    'shall notify Customer of a security breach without undue delay.',
    { hours: null, businessDays: null, unit: null, qualifier: 'without undue delay' },
  ],
  [
    'shall, within 10 days of signing, name a contact, and notify Customer of a security breach no later than forty-eight hours after discovery and report within 5 days.',
    { hours: 48 },
  ],
])('Provider %s', (text, clock) => {
  const {
    clauses: [...results],
  } = check(around(`Provider ${text} It shall pay invoices within 30 days.`));
  expect(results.find(({ id }) => id === 'breach-notice')?.clock).toMatchObject(clock);
});

test('items of a list stand under the words that lead into it, and keep their own numbers', () => {
  const list =
    'Upon becoming aware of a Security Incident, Vendor shall:\n\n(a) notify Customer within 24 hours;\n\n(b) deliver a root cause analysis within ten (10) business days; and\n\n(c) delete Customer Data within 30 days of termination.\n';
  const { clauses: results, clocks } = check(around(list));
  expect(results.find(({ id }) => id === 'breach-notice')).toMatchObject({ status: 'present', clock: { hours: 24 } });
  expect(clocks.find(({ clause }) => clause === 'return-and-deletion')).toMatchObject({ hours: 720 });
});

test.skipIf(!existsSync(DPA))(
  'a public agreement is read alike as text, Word and PDF (skipped: corpora absent)',
  async () => {
    const markdown = readFileSync(DPA, 'utf8');
    const plain = markdown.replaceAll(/<[^>]+>|\*\*/g, '');
    const reader = createFileReader();
    const results = [];
    for (const file of [Buffer.from(markdown), makeDocx(plain), makePdf(plain)]) {
      results.push(checkContract(await reader.read(file), clauses));
    }
    const [text, docx, pdf] = results.map(({ clauses: all }) =>
      Object.fromEntries(all.map(({ id, status, clock }) => [id, `${status} ${clock?.text ?? ''}`.trim()])),
    );
    expect(text).toEqual({
      'audit-right': 'present',
      'breach-notice': 'present 72 hours',
      confidentiality: 'missing',
      continuity: 'missing',
      'data-subject-requests': 'present',
      'deletion-certificate': 'present',
      encryption: 'missing',
      exit: 'missing',
      instructions: 'present',
      liability: 'weaker',
      'penetration-test': 'missing',
      'regulator-cooperation': 'present',
      'return-and-deletion': 'present',
      'security-measures': 'missing',
      subprocessors: 'present 10 business days',
      transfers: 'present',
    });
    expect(docx).toEqual(text);
    expect(pdf).toEqual(text);
  },
);
