import { FileRefused } from '../errors.ts';

export type FileKind = 'zip' | 'pdf' | 'text';

const OLE = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const END_OF_ZIP = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
const FIRST_OF_ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
/** Readers look for the header of a PDF in its first kilobyte, and for the end of a zip in its last 64. */
const PDF_HEAD_BYTES = 1_024;
const ZIP_TAIL_BYTES = 66_000;

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function refuseCompound(file: Buffer): never {
  const isEncrypted = file.includes(Buffer.from('EncryptedPackage', 'utf16le'));
  if (isEncrypted)
    throw new FileRefused('vendors.file_encrypted', 'The file is encrypted. Save it without a password.');
  if (file.includes(Buffer.from('_VBA_PROJECT', 'utf16le')) || file.includes(Buffer.from('Macros', 'utf16le'))) {
    throw new FileRefused('vendors.file_macros', 'The file holds macros. Save it without them, as .xlsx or .docx.');
  }
  throw new FileRefused('vendors.file_kind_unsupported', 'This is a file of an old Office. Save it as .xlsx or .docx.');
}

/** What a file is, from its bytes alone: names and media types are claims. Two kinds at once are refused. */
export function kindOf(bytes: Uint8Array): FileKind {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (begins(bytes, OLE)) refuseCompound(file);
  const isZip = begins(bytes, [0x50, 0x4b, 0x03, 0x04]) || begins(bytes, [0x50, 0x4b, 0x05, 0x06]);
  const isPdf = file.subarray(0, 5).toString('latin1') === '%PDF-';
  const tail = file.subarray(Math.max(0, file.length - ZIP_TAIL_BYTES));
  if (isPdf && tail.includes(END_OF_ZIP) && file.includes(FIRST_OF_ZIP)) {
    throw new FileRefused('vendors.file_polyglot', 'The file is a PDF and a zip archive at once.');
  }
  if (isZip && file.subarray(0, PDF_HEAD_BYTES).includes('%PDF-')) {
    throw new FileRefused('vendors.file_polyglot', 'The file is a zip archive and a PDF at once.');
  }
  if (isZip) return 'zip';
  if (isPdf) return 'pdf';
  if (
    file.subarray(0, PDF_HEAD_BYTES).includes('%PDF-') ||
    (tail.includes(END_OF_ZIP) && file.includes(FIRST_OF_ZIP))
  ) {
    throw new FileRefused('vendors.file_polyglot', 'Something stands in front of the document that the file holds.');
  }
  if (!file.includes(0) || isUtf16(file)) return 'text';
  throw new FileRefused('vendors.file_kind_unsupported', 'Give a .xlsx, .docx, .pdf, .csv, .txt or .md file.');
}

function isUtf16(file: Buffer): boolean {
  return (file[0] === 0xff && file[1] === 0xfe) || (file[0] === 0xfe && file[1] === 0xff);
}

/** Text of UTF-8 or of UTF-16 with its mark; what is neither is refused rather than guessed. */
export function decodeText(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    if (encoding === 'utf-8') return new TextDecoder('windows-1252').decode(bytes);
    throw new FileRefused('vendors.file_broken', 'The text is not valid.');
  }
}
