import { createHash } from 'node:crypto';
import { type Queryable, type SecretEnvelope, uuidv7 } from '@cordon/kernel';
import { FileRefused, NotFound } from '../errors.ts';
import type { FileReader } from '../files/file-reader.ts';
import type { Document } from '../files/read-document.ts';
import { LIST_MAX, tablesOf } from '../tables.ts';

type FilePurpose = 'evidence' | 'questionnaire' | 'contract' | 'attachment' | 'subprocessors';

export interface VendorFile {
  readonly id: string;
  readonly vendorId: string;
  readonly name: string;
  readonly kind: string;
  readonly purpose: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly createdAt: number;
  readonly createdBy: string;
}

export const ATTACHMENT_BYTES_MAX = 10 * 1024 * 1024;
const FILES_MAX = 500;
const NAME_CHARS_MAX = 150;
const IMAGES: readonly (readonly number[])[] = [
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  [0xff, 0xd8, 0xff],
];

/** A file after it was read: what it is and says, before anything is written. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly kind: Document['kind'] | 'image';
  readonly document: Document | null;
}

/** The last part of a path, without what could be taken for anything but a name. */
function safeName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replaceAll(/[^\p{L}\p{N} ._()-]+/gu, '_')
    .replace(/^\.+/, '')
    .trim();
  return plain.slice(-NAME_CHARS_MAX) || 'file';
}

/** A picture is kept without being read. Throws `FileRefused` for one that is too large. */
export function isPicture(bytes: Uint8Array): boolean {
  if (!IMAGES.some((magic) => magic.every((byte, at) => bytes[at] === byte))) return false;
  if (bytes.byteLength > ATTACHMENT_BYTES_MAX)
    throw new FileRefused('vendors.file_too_large', 'The picture is too large.');
  return true;
}

/** A file with what it says: null for a picture. */
export function readAs(name: string, bytes: Uint8Array, document: Document | null): ReadFile {
  return { bytes, name: safeName(name), kind: document?.kind ?? 'image', document };
}

/** Reads what came in, in a process of its own. Throws `FileRefused`. */
export async function readUpload(reader: FileReader, name: string, bytes: Uint8Array): Promise<ReadFile> {
  return readAs(name, bytes, isPicture(bytes) ? null : await reader.read(bytes));
}

function textOf(document: Document | null): string | null {
  if (!document) return null;
  if (document.kind !== 'workbook') return JSON.stringify(document.pages);
  const pages = document.workbook.sheets.map(({ cells }) => cells.map(({ text }) => text).join('\n\n'));
  return JSON.stringify(pages);
}

interface Place {
  readonly vendorId: string;
  readonly purpose: FilePurpose;
  readonly by: string;
  readonly at: number;
}

/** Keeps a read file, sealed together with its text. */
export async function insertFile(
  tx: Queryable,
  envelope: SecretEnvelope,
  { bytes, name, kind, document }: ReadFile,
  { vendorId, purpose, by, at }: Place,
): Promise<VendorFile> {
  const count = await tablesOf(tx)
    .selectFrom('vendor_files')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('vendor_id', '=', vendorId)
    .executeTakeFirstOrThrow();
  if (count.count >= FILES_MAX)
    throw new FileRefused('vendors.file_too_large', `A vendor keeps ${FILES_MAX} files at most.`);
  const id = uuidv7(at);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const text = textOf(document);
  await tablesOf(tx)
    .insertInto('vendor_files')
    .values({
      id,
      vendor_id: vendorId,
      name,
      kind,
      purpose,
      sha256,
      bytes: bytes.byteLength,
      sealed: envelope.seal(bytes, `vendor-file:${id}`),
      sealed_text: text === null ? null : envelope.seal(text, `vendor-file-text:${id}`),
      created_at: new Date(at),
      created_by: by,
    })
    .execute();
  return { id, vendorId, name, kind, purpose, sha256, bytes: bytes.byteLength, createdAt: at, createdBy: by };
}

const COLUMNS = ['id', 'vendor_id', 'name', 'kind', 'purpose', 'sha256', 'bytes', 'created_at', 'created_by'] as const;

export async function listFiles(db: Queryable, vendorId: string): Promise<VendorFile[]> {
  const query = tablesOf(db).selectFrom('vendor_files').select(COLUMNS).where('vendor_id', '=', vendorId);
  const rows = await query.orderBy('created_at', 'desc').limit(LIST_MAX).execute();
  return rows.map((row) => ({
    id: row.id,
    vendorId: row.vendor_id,
    name: row.name,
    kind: row.kind,
    purpose: row.purpose,
    sha256: row.sha256,
    bytes: row.bytes,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
  }));
}

/** A file's bytes, opened and checked against the hash that was kept. */
export async function openFile(db: Queryable, envelope: SecretEnvelope, vendorId: string, id: string) {
  const row = await tablesOf(db)
    .selectFrom('vendor_files')
    .select(['name', 'kind', 'sha256', 'sealed'])
    .where('id', '=', id)
    .where('vendor_id', '=', vendorId)
    .executeTakeFirst();
  if (!row) throw new NotFound('There is no such file.', { file: id });
  const bytes = envelope.open(row.sealed, `vendor-file:${id}`);
  if (createHash('sha256').update(bytes).digest('hex') !== row.sha256) {
    throw new FileRefused('vendors.file_broken', 'The stored file is not what was uploaded.');
  }
  return { name: row.name, kind: row.kind, bytes };
}

/** The texts of a vendor's evidence, for the search of passages. */
export async function openTexts(db: Queryable, envelope: SecretEnvelope, vendorId: string) {
  const rows = await tablesOf(db)
    .selectFrom('vendor_files')
    .select(['id', 'name', 'sealed_text'])
    .where('vendor_id', '=', vendorId)
    .where('purpose', 'in', ['evidence', 'attachment', 'contract'])
    .orderBy('created_at', 'desc')
    .limit(100)
    .execute();
  return rows.flatMap(({ id, name, sealed_text: sealed }) => {
    if (sealed === null) return [];
    const pages = JSON.parse(envelope.open(sealed, `vendor-file-text:${id}`).toString('utf8')) as string[]; // insertFile wrote it
    return [{ fileId: id, fileName: name, pages }];
  });
}
