import mammoth from 'mammoth';
import { getDocumentProxy } from 'unpdf';
import { FileRefused } from '../errors.ts';
import { decodeText, kindOf } from './file-kind.ts';
import { PAGES_MAX, TEXT_CHARS_MAX } from './limits.ts';
import type { Workbook } from './workbook.ts';
import { readWorkbook } from './xlsx-reader.ts';
import { readXml } from './xml-reader.ts';
import { type Archive, readArchive } from './zip-reader.ts';

/** What a file says. `pages` are a PDF's; every other text is one page. */
export type Document =
  | { readonly kind: 'workbook'; readonly workbook: Workbook }
  | { readonly kind: 'docx' | 'pdf' | 'text'; readonly pages: readonly string[] };

/** Refuses what an Office archive may carry beside its text. */
function checkParts(archive: Archive): void {
  for (const [path, bytes] of archive) {
    if (/vbaProject|vbaData|(^|\/)macrosheets\//i.test(path)) {
      throw new FileRefused('vendors.file_macros', 'The file holds macros. Save it without them, as .xlsx or .docx.');
    }
    if (/(^|\/)activeX\//i.test(path)) {
      throw new FileRefused('vendors.file_active_content', 'The file holds ActiveX controls. Save it without them.');
    }
    if (path === 'EncryptedPackage') throw new FileRefused('vendors.file_encrypted', 'The file is encrypted.');
    if (path === '[Content_Types].xml' && /macroEnabled|vbaProject/i.test(decodeText(bytes))) {
      throw new FileRefused('vendors.file_macros', 'The file says that it holds macros. Save it as .xlsx or .docx.');
    }
    // Every part is walked once: depth, document types and broken XML are found before any other reader sees it.
    if (/\.(xml|rels)$/i.test(path)) readXml(bytes, {});
  }
}

/** Unpacks an Office file and refuses what must not be read further. Throws `FileRefused`. */
export function openOffice(bytes: Uint8Array): Archive {
  const archive = readArchive(bytes);
  checkParts(archive);
  return archive;
}

async function readDocx(bytes: Uint8Array): Promise<string> {
  // mammoth resolves external images only when asked for HTML; raw text reads nothing but the package.
  const { value } = await mammoth.extractRawText({ buffer: Buffer.from(bytes) });
  return value;
}

/** Lines as they stand on the page: pdf.js marks where a line ends. */
function pageText(items: readonly unknown[]): string {
  let text = '';
  for (const item of items) {
    if (typeof item !== 'object' || item === null || !('str' in item)) continue;
    text += String(item.str);
    if ('hasEOL' in item && item.hasEOL === true) text += '\n';
  }
  return text;
}

async function readPdf(bytes: Uint8Array): Promise<string[]> {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (/\/(Launch|RichMedia|XFA)\b/.test(raw)) {
    throw new FileRefused('vendors.file_active_content', 'The PDF starts programs or holds active forms.');
  }
  let pdf: Awaited<ReturnType<typeof getDocumentProxy>>;
  try {
    pdf = await getDocumentProxy(new Uint8Array(bytes), { stopAtErrors: false });
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'PasswordException') throw new FileRefused('vendors.file_encrypted', 'The PDF needs a password.');
    throw new FileRefused('vendors.file_broken', 'The PDF can not be read.', {}, error);
  }
  if (pdf.numPages > PAGES_MAX) throw new FileRefused('vendors.file_too_complex', `More than ${PAGES_MAX} pages.`);
  if ((await pdf.getJSActions()) !== null) {
    throw new FileRefused('vendors.file_active_content', 'The PDF holds scripts. Print it to a new PDF.');
  }
  const pages: string[] = [];
  let chars = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const text = pageText(items);
    chars += text.length;
    if (chars > TEXT_CHARS_MAX) throw new FileRefused('vendors.file_too_complex', 'The PDF holds too much text.');
    pages.push(text);
  }
  return pages;
}

/**
 * Reads what a file says, by what its bytes are. For the reading process only: in control or worker use
 * `createFileReader`, which holds time and memory.
 */
export async function readDocument(bytes: Uint8Array): Promise<Document> {
  const kind = kindOf(bytes);
  if (kind === 'text') {
    const text = decodeText(bytes);
    if (text.length > TEXT_CHARS_MAX) throw new FileRefused('vendors.file_too_complex', 'The text is too long.');
    return { kind: 'text', pages: [text] };
  }
  if (kind === 'pdf') return { kind: 'pdf', pages: await readPdf(bytes) };
  const archive = openOffice(bytes);
  const paths = [...archive.keys()].map((path) => path.toLowerCase());
  if (paths.some((path) => path.startsWith('xl/'))) return { kind: 'workbook', workbook: readWorkbook(archive) };
  if (paths.some((path) => path.startsWith('word/'))) return { kind: 'docx', pages: [await readDocx(bytes)] };
  throw new FileRefused('vendors.file_kind_unsupported', 'The archive is no workbook and no Word document.');
}
