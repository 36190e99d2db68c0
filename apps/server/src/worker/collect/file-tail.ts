import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  dropPosition,
  type FilePosition,
  readPositions,
  RECORD_BYTES_MAX,
  RECORDS_MAX,
  savePosition,
  type SourceCredential,
  type SourceRecord,
  splitRecords,
  syslogRecord,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import type { SourceIngest } from '../source-ingest.ts';

const FILES_MAX = 2_000;
const CHUNK_BYTES_MAX = 4 * 1024 * 1024;
/** A file that is read whole: an archive, or one JSON array. */
export const WHOLE_BYTES_MAX = 128 * 1024 * 1024;
/** A file that is read whole is left alone until nobody has written to it for this long. */
const SETTLED_MS = 2_000;
/** What tells a file from another one that took its place and its inode. */
const HEAD_BYTES_MAX = 256;
/** So that a long file doesn't keep the others waiting: the rest comes with the next round. */
const CHUNKS_A_ROUND_MAX = 16;
const NEWLINE = 0x0a;
const unpack = promisify(gunzip);

/** What somebody can mend: said beside the source. */
export class CollectRefused extends Error {}

export interface TailDeps {
  readonly db: Database;
  readonly ingest: SourceIngest;
  readonly clock: Clock;
  /** Nothing outside these folders is read, whatever a source names. */
  readonly folders: readonly string[];
}

interface Found {
  readonly path: string;
  readonly inode: string;
  readonly size: number;
  readonly changedAt: number;
}

async function allowed(path: string, folders: readonly string[]): Promise<string> {
  if (folders.length === 0) {
    throw new CollectRefused('No folder may be read: name it in worker.collect_folders (CORDON_COLLECT_FOLDERS).');
  }
  const real = await realpath(path).catch(() => null);
  if (real === null) throw new CollectRefused(`${path} is not there, or Cordon may not read it.`);
  const roots = await Promise.all(folders.map((folder) => realpath(folder).catch(() => null)));
  const inside = roots.some((root) => root !== null && (real === root || real.startsWith(root + sep)));
  if (!inside) throw new CollectRefused(`${path} lies outside the folders of worker.collect_folders.`);
  return real;
}

async function describe(path: string): Promise<Found | null> {
  const info = await stat(path, { bigint: true }).catch(() => null);
  if (!info?.isFile()) return null;
  return { path, inode: String(info.ino), size: Number(info.size), changedAt: Number(info.mtimeMs) };
}

/** The files of a source, oldest name first. Beside a single file also what it was renamed to when it was rotated. */
async function findFiles(path: string, known: ReadonlySet<string>): Promise<Found[]> {
  const info = await stat(path);
  const folder = info.isDirectory() ? path : dirname(path);
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .toSorted();
  if (names.length > FILES_MAX) throw new CollectRefused(`${folder} holds more than ${FILES_MAX} files; clear it out.`);
  const found = await Promise.all(names.map((name) => describe(join(folder, name))));
  const files = found.filter((one) => one !== null);
  if (info.isDirectory()) return files;
  const rotated = files.filter(
    (one) => one.path !== path && basename(one.path).startsWith(basename(path)) && known.has(one.inode),
  );
  return [...rotated.filter((one) => !one.path.endsWith('.gz')), ...files.filter((one) => one.path === path)];
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url').slice(0, 22);

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Where to go on in a file: at the beginning when it isn't the one that was read before. */
async function resume(handle: FileHandle, file: Found, before: FilePosition | undefined): Promise<FilePosition> {
  const fresh = { inode: file.inode, offset: 0, head: '', done: false };
  if (!before || before.offset > file.size) return fresh;
  const head = await readAt(handle, 0, Math.min(before.offset, HEAD_BYTES_MAX));
  return before.head === digest(head) ? before : fresh;
}

function recordsOf(
  text: string,
  source: SourceCredential,
  at: { inode: string; offset: number; now: number },
): SourceRecord[] {
  if (source.product.split('/', 1)[0] !== 'syslog') return splitRecords(text).map((one) => ({ text: one }));
  let offset = at.offset;
  const records: SourceRecord[] = [];
  for (const line of text.split('\n')) {
    const externalId = `${at.inode}:${offset}`;
    offset += Buffer.byteLength(line) + 1;
    if (line.trim() !== '') {
      records.push({ ...syslogRecord(line, { product: source.product, now: at.now }), externalId });
    }
  }
  return records;
}

/** Reads what is new in the files of a source; everything that the positions say was read is on disk. */
export async function tailFiles(deps: TailDeps, source: SourceCredential, path: string): Promise<void> {
  const { db } = deps;
  const real = await allowed(path, deps.folders);
  const positions = await readPositions(db, source.id);
  const files = await findFiles(real, new Set(positions.keys()));
  for (const file of files) await readFileOn(deps, source, file, positions.get(file.inode));
  const there = new Set(files.map(({ inode }) => inode));
  for (const inode of positions.keys()) if (!there.has(inode)) await dropPosition(db, source.id, inode);
}

async function readFileOn(deps: TailDeps, source: SourceCredential, file: Found, before: FilePosition | undefined) {
  if (before && before.offset === file.size) return;
  // The path was judged before; a link that took its place since is not followed.
  const handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const position = await resume(handle, file, before);
    const first = await readAt(handle, 0, Math.min(file.size, HEAD_BYTES_MAX));
    const isArray = first.toString('utf8').trimStart().startsWith('[') && source.product.split('/', 1)[0] !== 'syslog';
    if (file.path.endsWith('.gz') || isArray) await takeWhole(deps, source, file, handle);
    else await takeLines(deps, source, handle, { ...position, inode: file.inode });
  } finally {
    await handle.close();
  }
}

async function save(deps: TailDeps, source: SourceCredential, handle: FileHandle, at: Omit<FilePosition, 'head'>) {
  const head = digest(await readAt(handle, 0, Math.min(at.offset, HEAD_BYTES_MAX)));
  const position = { ...at, head };
  await savePosition(deps.db, { sourceId: source.id, item: at.inode, position, now: deps.clock.now() });
}

async function takeAll(
  deps: Pick<TailDeps, 'ingest'>,
  source: SourceCredential,
  records: readonly SourceRecord[],
): Promise<void> {
  for (let at = 0; at < records.length; at += RECORDS_MAX) {
    await deps.ingest.take(source, records.slice(at, at + RECORDS_MAX));
  }
}

async function takeWhole(deps: TailDeps, source: SourceCredential, file: Found, handle: FileHandle): Promise<void> {
  if (deps.clock.now() - file.changedAt < SETTLED_MS) return;
  if (file.size > WHOLE_BYTES_MAX) throw new CollectRefused(`${file.path} holds more than ${WHOLE_BYTES_MAX} bytes.`);
  await takeContent(deps, source, { name: file.path, id: file.inode, raw: await readAt(handle, 0, file.size) });
  await save(deps, source, handle, { inode: file.inode, offset: file.size, done: true });
}

/** Everything in a file or object that doesn't grow: lines, a JSON array, either one gzipped. */
export async function takeContent(
  deps: Pick<TailDeps, 'ingest' | 'clock'>,
  source: SourceCredential,
  { name, id, raw }: { readonly name: string; readonly id: string; readonly raw: Buffer },
): Promise<void> {
  let bytes = raw;
  if (name.endsWith('.gz')) {
    bytes = await unpack(raw, { maxOutputLength: WHOLE_BYTES_MAX }).catch(() => {
      throw new CollectRefused(`${name} is no gzip, or holds more than ${WHOLE_BYTES_MAX} bytes unpacked.`);
    });
  }
  const now = deps.clock.now();
  const text = bytes.toString('utf8');
  if (text.trimStart().startsWith('[')) {
    let values: unknown;
    try {
      values = JSON.parse(text);
    } catch {
      throw new CollectRefused(`${name} begins as a JSON array and is none.`);
    }
    const list: unknown[] = Array.isArray(values) ? values : [values];
    await takeAll(
      deps,
      source,
      list.map((value) => ({ text: JSON.stringify(value) })),
    );
    return;
  }
  let offset = 0;
  for (const part of linesOf(text)) {
    await takeAll(deps, source, recordsOf(part, source, { inode: id, offset, now }));
    offset += Buffer.byteLength(part) + 1;
  }
}

/** Whole lines, at most `RECORDS_MAX` at a time. */
function* linesOf(text: string): Generator<string> {
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += RECORDS_MAX) yield lines.slice(at, at + RECORDS_MAX).join('\n');
}

async function takeLines(
  deps: TailDeps,
  source: SourceCredential,
  handle: FileHandle,
  position: FilePosition,
): Promise<void> {
  let { offset } = position;
  const { inode } = position;
  for (let round = 0; round < CHUNKS_A_ROUND_MAX; round += 1) {
    const chunk = await readAt(handle, offset, CHUNK_BYTES_MAX);
    // What has no end yet is still being written; a line that never ends is cut where a record must.
    const end = chunk.lastIndexOf(NEWLINE);
    const length = end !== -1 ? end + 1 : chunk.length > RECORD_BYTES_MAX ? chunk.length : 0;
    if (length === 0) return;
    const text = chunk.subarray(0, length).toString('utf8');
    let at = offset;
    for (const part of linesOf(text)) {
      await takeAll(deps, source, recordsOf(part, source, { inode, offset: at, now: deps.clock.now() }));
      at += Buffer.byteLength(part) + 1;
    }
    offset += length;
    await save(deps, source, handle, { inode, offset, done: false });
    if (chunk.length < CHUNK_BYTES_MAX) return;
  }
}
