import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { InputInvalid } from '../errors.ts';
import { type SignatureCheck, signDetached, type SigningKey, verifyDetached } from './signature.ts';

/** Writes a PDF 1.7 of text, with files in it, signed as PAdES baseline B-B (ETSI EN 319 142-1). */

export interface PdfLine {
  readonly text: string;
  readonly style?: 'title' | 'heading' | 'text' | 'small';
}
export interface PdfFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

const [PAGE_WIDTH, PAGE_HEIGHT, MARGIN, FOOT] = [595, 842, 50, 45];
const SIZES = { title: 18, heading: 12, text: 9.5, small: 8 } as const;
/** Of the mean letter, in parts of the size: the standard font's wide ones are rare enough. */
const MEAN_WIDTH = 0.52;
/** A signature with its certificate has about 900 bytes. */
const SIGNATURE_BYTES_MAX = 4096;
const RANGE_CHARS = 48;
const LINES_MAX = 100_000;

/** What WinAnsi has beside Latin-1 (ISO 32000-1, annex D). */
const WIN_ANSI: Readonly<Record<string, number>> = {
  '€': 0x80,
  '‚': 0x82,
  '„': 0x84,
  '…': 0x85,
  '‘': 0x91,
  '’': 0x92,
  '“': 0x93,
  '”': 0x94,
  '•': 0x95,
  '–': 0x96,
  '—': 0x97,
  '™': 0x99,
};

/** A text as the standard fonts can show it; what they lack is a question mark (the attached JSON has it all). */
function encode(text: string): string {
  const bytes = Array.from(text.normalize('NFC')).flatMap((char) => {
    const code = WIN_ANSI[char] ?? char.codePointAt(0) ?? 63;
    if ((code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff) || WIN_ANSI[char] !== undefined) return [code];
    const plain = char.normalize('NFKD').codePointAt(0) ?? 63;
    return [plain >= 0x20 && plain < 0x7f ? plain : code < 0x20 ? 0x20 : 63];
  });
  const latin = Buffer.from(bytes).toString('latin1');
  return `(${latin.replaceAll(/[\\()]/g, String.raw`\$&`)})`;
}

function wrap(text: string, chars: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/\s+/)) {
    let rest = word;
    while (rest.length > chars) {
      if (current !== '') lines.push(current);
      lines.push(rest.slice(0, chars));
      [current, rest] = ['', rest.slice(chars)];
    }
    if (current !== '' && current.length + 1 + rest.length > chars) {
      lines.push(current);
      current = rest;
    } else current = current === '' ? rest : `${current} ${rest}`;
  }
  return [...lines, current];
}

function layOut(lines: readonly PdfLine[], footer: string): string[] {
  const pages: string[][] = [];
  let y = 0;
  const put = (text: string, size: number, isBold: boolean): void => {
    const step = size * 1.45;
    if (pages.length === 0 || y - step < MARGIN + FOOT) {
      pages.push([]);
      y = PAGE_HEIGHT - MARGIN;
    }
    y -= step;
    pages.at(-1)?.push(`BT /F${isBold ? 2 : 1} ${size} Tf ${MARGIN} ${y.toFixed(1)} Td ${encode(text)} Tj ET`);
  };
  for (const { text, style = 'text' } of lines.slice(0, LINES_MAX)) {
    const size = SIZES[style];
    if (style === 'heading') y -= size;
    const chars = Math.floor((PAGE_WIDTH - 2 * MARGIN) / (size * MEAN_WIDTH));
    for (const line of text.split('\n').flatMap((one) => wrap(one, chars)))
      put(line, size, style !== 'text' && style !== 'small');
  }
  return pages.map((page, at) => {
    const foot = `BT /F1 8 Tf ${MARGIN} ${MARGIN} Td ${encode(`${footer} · ${at + 1} / ${pages.length}`)} Tj ET`;
    return [...page, foot].join('\n');
  });
}

const pdfDate = (ms: number): string => `(D:${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z)`;

function stream(dictionary: string, bytes: Uint8Array): Buffer {
  const packed = deflateSync(bytes);
  const head = `<< ${dictionary} /Filter /FlateDecode /Length ${packed.length} >>\nstream\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), packed, Buffer.from('\nendstream')]);
}

/** Objects in order, from 1, with the table of where they stand. */
function assemble(objects: readonly (string | Buffer)[], info: number): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  let at = parts[0]?.length ?? 0;
  const rows = objects.map((object, index) => {
    const row = `${String(at).padStart(10, '0')} 00000 n \n`;
    const body = typeof object === 'string' ? Buffer.from(object, 'latin1') : object;
    const whole = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')]);
    at += whole.length;
    parts.push(whole);
    return row;
  });
  const count = objects.length + 1;
  const id = createHash('sha256').update(Buffer.concat(parts)).digest('hex').slice(0, 32);
  const trailer = `<< /Size ${count} /Root 1 0 R /Info ${info} 0 R /ID [<${id}> <${id}>] >>`;
  const tail = `xref\n0 ${count}\n0000000000 65535 f \n${rows.join('')}trailer\n${trailer}\nstartxref\n${at}\n%%EOF\n`;
  return Buffer.concat([...parts, Buffer.from(tail, 'latin1')]);
}

export interface PdfInput {
  readonly title: string;
  readonly lines: readonly PdfLine[];
  readonly files: readonly PdfFile[];
  readonly reason: string;
  /** Milliseconds since the epoch; stands in the file as when it was signed. */
  readonly at: number;
}

function unsignedPdf({ title, lines, files, reason, at }: PdfInput): Buffer {
  const contents = layOut(lines, `${title} · ${new Date(at).toISOString()}`);
  const first = 7;
  const pageOf = (index: number): number => first + index * 2;
  const fileOf = (index: number): number => first + contents.length * 2 + index * 2;
  const names = files.map(({ name }, index) => `${encode(name)} ${fileOf(index) + 1} 0 R`);
  const attached = files.map((_, index) => `${fileOf(index) + 1} 0 R`).join(' ');
  const hole = `<${'0'.repeat(SIGNATURE_BYTES_MAX * 2)}>`;
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R /Lang (en) /AcroForm << /Fields [5 0 R] /SigFlags 3 >> ` +
      `/Names << /EmbeddedFiles << /Names [${names.join(' ')}] >> >> /AF [${attached}] >>`,
    `<< /Type /Pages /Count ${contents.length} /Kids [${contents.map((_, index) => `${pageOf(index)} 0 R`).join(' ')}] >>`,
    '<< /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> ' +
      '/F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >> >>',
    `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M ${pdfDate(at)} /Reason ${encode(reason)} ` +
      `/ByteRange ${'['.padEnd(RANGE_CHARS)} /Contents ${hole} >>`,
    `<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature) /V 4 0 R /Rect [0 0 0 0] /F 132 /P ${first} 0 R >>`,
    `<< /Title ${encode(title)} /Producer (Cordon) /CreationDate ${pdfDate(at)} >>`,
    ...contents.flatMap((content, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${PAGE_WIDTH} ${PAGE_HEIGHT}] /Resources << /Font 3 0 R >> ` +
        `/Contents ${pageOf(index) + 1} 0 R${index === 0 ? ' /Annots [5 0 R]' : ''} >>`,
      stream('', Buffer.from(content, 'latin1')),
    ]),
    ...files.flatMap(({ name, type, bytes }, index) => [
      stream(`/Type /EmbeddedFile /Subtype /${type.replaceAll('/', '#2F')} /Params << /Size ${bytes.length} >>`, bytes),
      `<< /Type /Filespec /F ${encode(name)} /UF ${encode(name)} /AFRelationship /Data /EF << /F ${fileOf(index)} 0 R >> >>`,
    ]),
  ];
  return assemble(objects, 6);
}

/** A PDF whose one signature covers every byte of it but itself. */
export function signedPdf(input: PdfInput, key: SigningKey): Buffer {
  const pdf = unsignedPdf(input);
  // The hole is the only run of zeros of this length in angle brackets: streams are packed, texts are in parentheses.
  const from = pdf.indexOf(`/Contents <${'0'.repeat(SIGNATURE_BYTES_MAX * 2)}>`) + '/Contents '.length;
  const to = from + SIGNATURE_BYTES_MAX * 2 + 2;
  const range = `[0 ${from} ${to} ${pdf.length - to}]`.padEnd(RANGE_CHARS);
  pdf.write(range, pdf.lastIndexOf('/ByteRange ', from) + '/ByteRange '.length, 'latin1');
  const cms = signDetached(Buffer.concat([pdf.subarray(0, from), pdf.subarray(to)]), key);
  if (cms.length > SIGNATURE_BYTES_MAX) throw new RangeError('the signature is larger than its place');
  pdf.write(cms.toString('hex'), from + 1, 'latin1');
  return pdf;
}

/** Checks the signature of an export: it must hold and cover the whole file. Throws `InputInvalid` with the reason. */
export function verifyPdf(pdf: Buffer): SignatureCheck {
  const text = pdf.toString('latin1');
  const ranges = [...text.matchAll(/\/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]/g)];
  const [range] = ranges;
  if (!range || ranges.length !== 1) throw new InputInvalid('The file does not hold exactly one signature.');
  const [start = 0, length = 0, next = 0, rest = 0] = range.slice(1).map(Number);
  const hex = /^<([0-9a-f]+)>$/.exec(text.slice(length, next))?.[1];
  if (start !== 0 || next + rest !== pdf.length || hex === undefined) {
    throw new InputInvalid('The signature does not cover the whole file.');
  }
  const raw = Buffer.from(hex, 'hex');
  const size = (raw[1] ?? 0) === 0x82 ? raw.readUInt16BE(2) + 4 : raw.length;
  if (raw.subarray(size).some((byte) => byte !== 0)) throw new InputInvalid('Something stands behind the signature.');
  try {
    return verifyDetached(Buffer.concat([pdf.subarray(0, length), pdf.subarray(next)]), raw.subarray(0, size));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputInvalid(`The signature is not good: ${error.message}.`, {}, error);
  }
}
