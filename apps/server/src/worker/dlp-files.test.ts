import { createClassifier } from '@cordon/classifier';
import { makeDocx, makePdf, writeWorkbook } from '@cordon/vendors/testing';
import { expect, test } from 'vitest';
import { createFileText } from './dlp-files.ts';

const IBAN = 'DE89370400440532013000';
const SSN = '536-22-1234';
const classifier = createClassifier();
const files = createFileText();

async function typesIn(bytes: Uint8Array, mediaType: string | null): Promise<string[]> {
  const read = await files.read(Buffer.from(bytes), mediaType);
  const parts = 'parts' in read ? read.parts : [];
  return parts.flatMap(({ bytes: part, contentType, where }) =>
    classifier.scan(part, { contentType }).map(({ type }) => `${where}: ${type}`),
  );
}

test.each([
  ['a PDF', makePdf(`Please pay ${IBAN}`), 'application/pdf', 'page 1: iban'],
  ['a Word document', makeDocx(`Please pay ${IBAN}`), null, 'text: iban'],
  [
    'a workbook',
    writeWorkbook([
      {
        name: 'Pay',
        rows: [
          ['name', 'ssn'],
          ['Ada', SSN],
        ],
      },
    ]),
    null,
    'sheet Pay: us-ssn',
  ],
  ['CSV', Buffer.from(`name,ssn\nAda,${SSN}\n`), 'text/csv', 'text: us-ssn'],
  ['JSON', Buffer.from(`{"iban":"${IBAN}"}`), 'application/json', 'text: iban'],
  ['text', Buffer.from(`IBAN ${IBAN}`), 'text/plain; charset=utf-8', 'text: iban'],
])('what %s says is found where it stands', async (_name, bytes, mediaType, found) => {
  expect(await typesIn(bytes, mediaType)).toContain(found);
});

test.each([
  ['an archive', Buffer.from('PK\u0003\u0004rubbish'), 'application/zip', 'broken'],
  ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 2]), 'application/octet-stream', 'unsupported'],
  ['a PDF that starts programs', makePdf('hello', '/OpenAction << /S /Launch >>'), 'application/pdf', 'active_content'],
])('%s is said to be unreadable, and why', async (_name, bytes, mediaType, reason) => {
  expect(await files.read(Buffer.from(bytes), mediaType)).toEqual({ unreadable: reason });
});
