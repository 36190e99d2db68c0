import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { FileRefused } from '../errors.ts';
import { createFileReader } from './file-reader.ts';
import { FILE_BYTES_MAX } from './limits.ts';
import { makeDocx, makePdf, makeZip } from './made-files.ts';
import { writeWorkbook } from './xlsx-writer.ts';

const reader = createFileReader();
const book = writeWorkbook([
  {
    name: 'One',
    rows: [
      ['a', 'b'],
      [1, { text: 'rich text', rich: true }],
    ],
  },
]);

async function codeOf(bytes: Uint8Array, with_ = reader): Promise<string> {
  const error: unknown = await with_.read(bytes).then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof FileRefused ? error.code : String(error);
}

const relationships = (target: string): string =>
  `<Relationships><Relationship Id="rId1" Type="x/officeDocument" Target="${target}"/></Relationships>`;
const workbookOf = (sheet: string): Record<string, string> => ({
  '_rels/.rels': relationships('xl/workbook.xml'),
  'xl/workbook.xml': '<workbook><sheets><sheet name="S" sheetId="1"/></sheets></workbook>',
  'xl/worksheets/sheet1.xml': sheet,
});

/** Two entries of the directory that name the same packed bytes: Fifield's construction. */
function overlapping(): Uint8Array {
  const packed = deflateRawSync(Buffer.alloc(1_000_000));
  const local = Buffer.alloc(30 + 1);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(1, 26);
  local.write('a', 30);
  const central = (name: string): Buffer => {
    const entry = Buffer.alloc(46 + 1);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(1_000_000, 24);
    entry.writeUInt16LE(1, 28);
    entry.write(name, 46);
    return entry;
  };
  const directory = Buffer.concat([central('a'), central('b')]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(2, 8);
  end.writeUInt16LE(2, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, directory, end]);
}

function withFlag(bytes: Uint8Array, flag: number): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  copy.writeUInt16LE(copy.readUInt16LE(at + 8) | flag, at + 8);
  return copy;
}

/** A directory that claims a small size for what unpacks to much. */
function lying(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(10, copy.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24);
  return copy;
}

const compound = (text: string): Uint8Array =>
  Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), Buffer.from(text, 'utf16le')]);
const bomb = makeZip({ 'xl/worksheets/sheet1.xml': new Uint8Array(80 * 1024 * 1024) });
const entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet><sheetData/></worksheet>';
const pdf = makePdf('Some text of a report');
const deep = `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`;

test.each<[what: string, bytes: Uint8Array, code: string]>([
  ['a zip bomb', bomb, 'vendors.file_expands'],
  ['a zip bomb that lies about its size', lying(bomb), 'vendors.file_expands'],
  [
    'many entries that are each allowed',
    makeZip(Object.fromEntries(Array.from({ length: 2_001 }, (_, at) => [`${at}`, '']))),
    'vendors.file_too_complex',
  ],
  ['entries that overlap', overlapping(), 'vendors.file_expands'],
  ['an encrypted archive', withFlag(book, 1), 'vendors.file_encrypted'],
  ['an encrypted Office file', compound('EncryptedPackage'), 'vendors.file_encrypted'],
  ['an old workbook', compound('Workbook'), 'vendors.file_kind_unsupported'],
  ['an old workbook with macros', compound('_VBA_PROJECT_CUR'), 'vendors.file_macros'],
  ['macros in a workbook', makeZip({ ...workbookOf('<worksheet/>'), 'xl/vbaProject.bin': 'x' }), 'vendors.file_macros'],
  ['macros in a Word document', makeDocx('text', { 'word/vbaProject.bin': 'x' }), 'vendors.file_macros'],
  [
    'old macro sheets',
    makeZip({ ...workbookOf('<worksheet/>'), 'xl/macrosheets/sheet1.xml': '<x/>' }),
    'vendors.file_macros',
  ],
  [
    'ActiveX controls',
    makeZip({ ...workbookOf('<worksheet/>'), 'xl/activeX/activeX1.bin': 'x' }),
    'vendors.file_active_content',
  ],
  ['an external entity in a workbook', makeZip(workbookOf(entity)), 'vendors.file_external_entity'],
  [
    'an external entity in a Word document',
    makeDocx('x', { 'word/document.xml': entity }),
    'vendors.file_external_entity',
  ],
  [
    'a document type in UTF-16',
    makeZip({ ...workbookOf(''), 'xl/worksheets/sheet1.xml': Buffer.from(`\uFEFF${entity}`, 'utf16le') }),
    'vendors.file_external_entity',
  ],
  ['XML nested too deep', makeZip(workbookOf(deep)), 'vendors.file_too_complex'],
  ['XML that ends early', makeZip(workbookOf('<worksheet><sheetData>')), 'vendors.file_broken'],
  ['a path that leads out', makeZip({ '../evil.xml': '<x/>' }), 'vendors.file_broken'],
  ['an archive cut off', book.subarray(0, book.length - 30), 'vendors.file_broken'],
  ['an archive of something else', makeZip({ 'a.txt': 'x' }), 'vendors.file_kind_unsupported'],
  ['a PDF with a zip behind it', Buffer.concat([pdf, book]), 'vendors.file_polyglot'],
  ['a program in front of a zip', Buffer.concat([Buffer.from('MZ program'), book]), 'vendors.file_polyglot'],
  ['a page in front of a PDF', Buffer.concat([Buffer.from('<script>1</script>'), pdf]), 'vendors.file_polyglot'],
  ['a zip that stores a PDF first', makeZip({ '%PDF-1.4': 'x' }), 'vendors.file_polyglot'],
  [
    'a PDF that runs a script',
    makePdf('x', '/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>'),
    'vendors.file_active_content',
  ],
  [
    'a PDF that starts a program',
    makePdf('x', '/OpenAction << /S /Launch /F (cmd.exe) >>'),
    'vendors.file_active_content',
  ],
  ['a PDF that is none', Buffer.from('%PDF-1.4 and nothing else'), 'vendors.file_broken'],
  ['bytes of no kind', Buffer.from([1, 2, 0, 4]), 'vendors.file_kind_unsupported'],
  ['nothing', new Uint8Array(0), 'vendors.file_broken'],
  ['a file too large', new Uint8Array(FILE_BYTES_MAX + 1), 'vendors.file_too_large'],
])('%s is refused', async (_, bytes, code) => {
  expect(await codeOf(bytes)).toBe(code);
});

test('a PDF that unpacks to more memory than allowed ends its process only', async () => {
  const stream = makeHuge();
  const strict = createFileReader({ residentMibMax: 150 });
  expect(['vendors.file_took_too_much_memory', 'vendors.file_broken']).toContain(await codeOf(stream, strict));
  expect(await reader.read(book)).toMatchObject({ kind: 'workbook' });
});

/** A page whose content stream unpacks to 600 MB of text. */
function makeHuge(): Uint8Array {
  const packed = deflateTwice();
  const head =
    '%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n';
  const object = `4 0 obj\n<< /Length ${packed.length} /Filter [/FlateDecode /FlateDecode] >>\nstream\n`;
  return Buffer.concat([
    Buffer.from(head + object),
    packed,
    Buffer.from('\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n'),
  ]);
}

function deflateTwice(): Buffer {
  const zlib = (bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([0x78, 0x9c]), deflateRawSync(bytes), Buffer.alloc(4)]);
  return zlib(zlib(Buffer.alloc(300 * 1024 * 1024, '( ) Tj ')));
}

test('a reader that takes too long is ended', async () => {
  expect(await codeOf(book, createFileReader({ msMax: 1 }))).toBe('vendors.file_took_too_long');
});

test('what is attested and agreed is judged in the process too', async () => {
  const report = Buffer.from('SOC 2 Type II Report\n\nFor the period January 1, 2025 to December 31, 2025\n');
  const { reading } = await reader.attest(report);
  expect(reading.kinds[0]?.kind).toBe('soc2-type2');
  expect(reading.proposals.find(({ fact }) => fact === 'periodEnd')?.value).toBe('2025-12-31');
  const { check } = await reader.check(Buffer.from('Customer may audit Vendor once a year upon notice.'));
  expect(check.clauses.find(({ id }) => id === 'audit-right')?.spans).toHaveLength(1);
});

test('a pattern that a text makes endless ends with its process', async () => {
  const contentFolder = mkdtempSync(join(tmpdir(), 'cordon-endless-'));
  mkdirSync(join(contentFolder, 'attestations'));
  const kind = readFileSync(new URL('../../../../content/attestations/iso-27001.yaml', import.meta.url), 'utf8');
  const endless = kind.replace(/recognise:\n {2}all:\n/, "$&    - '(?:(?:a+)+)+!'\n");
  expect(endless).not.toBe(kind);
  writeFileSync(join(contentFolder, 'attestations', 'iso-27001.yaml'), endless);
  const slow = createFileReader({ msMax: 4_000, contentFolder });
  const attempt = slow.attest(Buffer.from('a'.repeat(2_000))).catch((error: unknown) => error);
  expect(await attempt).toMatchObject({ code: 'vendors.file_took_too_long' });
  rmSync(contentFolder, { recursive: true });
});

test('what is harmless is read', async () => {
  const { document } = { document: await reader.read(book) };
  expect(document).toEqual({
    kind: 'workbook',
    workbook: {
      sheets: [
        {
          name: 'One',
          isHidden: false,
          merges: [],
          cells: [
            { row: 1, column: 1, text: 'a' },
            { row: 1, column: 2, text: 'b' },
            { row: 2, column: 1, text: '1' },
            { row: 2, column: 2, text: 'rich text' },
          ],
        },
      ],
    },
  });
  expect(await reader.read(makeDocx('First line.\nSecond.'))).toEqual({
    kind: 'docx',
    pages: ['First line.\n\nSecond.\n\n'],
  });
  expect(await reader.read(pdf)).toMatchObject({ kind: 'pdf', pages: ['Some text of a report'] });
  expect(await reader.read(Buffer.from('plain'))).toEqual({ kind: 'text', pages: ['plain'] });
});
