import { crc32, inflateRawSync } from 'node:zlib';
import { FileRefused } from '../errors.ts';
import { ENTRIES_MAX, ENTRY_BYTES_MAX, EXPANDED_BYTES_MAX, EXPANSION_RATIO_MAX, RATIO_FLOOR_BYTES } from './limits.ts';

/** Names of an archive's files and their bytes, all of them within the limits. */
export type Archive = ReadonlyMap<string, Uint8Array>;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

const EOCD = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const EOCD_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const COMMENT_BYTES_MAX = 65_535;
const ZIP64 = 0xffffffff;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

const broken = (why: string): FileRefused => new FileRefused('vendors.file_broken', `The archive is damaged: ${why}.`);
const expands = (why: string, detail: Record<string, unknown>): FileRefused =>
  new FileRefused('vendors.file_expands', `The archive unpacks to more than is allowed: ${why}.`, detail);

function findEnd(file: Buffer): number {
  const lowest = Math.max(0, file.length - EOCD_BYTES - COMMENT_BYTES_MAX);
  for (let at = file.length - EOCD_BYTES; at >= lowest; at -= 1) {
    if (file.readUInt32LE(at) !== EOCD) continue;
    if (at + EOCD_BYTES + file.readUInt16LE(at + 20) === file.length) return at;
  }
  throw broken('its directory has no end');
}

function readDirectory(file: Buffer): Entry[] {
  const end = findEnd(file);
  const [count, bytes, start] = [file.readUInt16LE(end + 10), file.readUInt32LE(end + 12), file.readUInt32LE(end + 16)];
  if (start === ZIP64 || count === 0xffff) throw broken('archives beyond 4 GB are not read');
  if (start + bytes !== end) throw new FileRefused('vendors.file_polyglot', 'The archive stands inside another file.');
  if (count > ENTRIES_MAX) {
    throw new FileRefused('vendors.file_too_complex', `The archive holds ${count} files; ${ENTRIES_MAX} are allowed.`);
  }
  const entries: Entry[] = [];
  let at = start;
  for (let index = 0; index < count; index += 1) {
    if (at + CENTRAL_BYTES > end || file.readUInt32LE(at) !== CENTRAL) throw broken('its directory is cut off');
    const nameBytes = file.readUInt16LE(at + 28);
    entries.push({
      name: file.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes).replaceAll('\\', '/'),
      flags: file.readUInt16LE(at + 8),
      method: file.readUInt16LE(at + 10),
      crc: file.readUInt32LE(at + 16),
      packedBytes: file.readUInt32LE(at + 20),
      bytes: file.readUInt32LE(at + 24),
      offset: file.readUInt32LE(at + 42),
    });
    at += CENTRAL_BYTES + nameBytes + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return entries;
}

/** Where each entry's packed bytes lie. Entries that share bytes are how the densest bombs are built. */
function locate(file: Buffer, entries: readonly Entry[]): Map<Entry, Buffer> {
  const places = new Map<Entry, Buffer>();
  let free = 0;
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    const { offset, packedBytes } = entry;
    if (offset + LOCAL_BYTES > file.length || file.readUInt32LE(offset) !== LOCAL) throw broken('an entry is missing');
    if (offset < free) throw new FileRefused('vendors.file_expands', 'Entries of the archive overlap.');
    const start = offset + LOCAL_BYTES + file.readUInt16LE(offset + 26) + file.readUInt16LE(offset + 28);
    free = start + packedBytes;
    if (free > file.length) throw broken('an entry is cut off');
    places.set(entry, file.subarray(start, free));
  }
  return places;
}

function checkEntry(entry: Entry, seen: ReadonlySet<string>): void {
  const { name, flags, method } = entry;
  if ((flags & ENCRYPTED) !== 0) throw new FileRefused('vendors.file_encrypted', 'The archive is encrypted.');
  if (method !== STORED && method !== DEFLATED) throw broken(`packing method ${method} is not known`);
  if (name.startsWith('/') || name.split('/').includes('..') || name.includes('\0')) throw broken('a path leads out');
  if (seen.has(name.toLowerCase())) throw broken(`two files are named ${name}`);
}

function unpack(entry: Entry, packed: Buffer, budget: number): Uint8Array {
  if (entry.method === STORED) {
    if (packed.length > budget) throw expands('too much in all', {});
    return packed;
  }
  const byRatio = Math.max(RATIO_FLOOR_BYTES, packed.length * EXPANSION_RATIO_MAX);
  const most = Math.min(ENTRY_BYTES_MAX, budget, byRatio);
  if (entry.bytes > most) throw expands(entry.name, { entry: entry.name, bytes: entry.bytes, allowed: most });
  try {
    // The directory's size is a claim; the limit holds for what really comes out.
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    if (error instanceof RangeError) throw expands(entry.name, { entry: entry.name, allowed: most });
    throw broken(`${entry.name} can't be unpacked`);
  }
}

/** Unpacks an archive in memory. Throws `FileRefused`. */
export function readArchive(bytes: Uint8Array): Archive {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < EOCD_BYTES) throw broken('it is too short');
  const entries = readDirectory(file);
  const places = locate(file, entries);
  const archive = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  let total = 0;
  for (const entry of entries) {
    if (entry.name.endsWith('/')) continue;
    checkEntry(entry, seen);
    seen.add(entry.name.toLowerCase());
    const content = unpack(entry, places.get(entry) ?? Buffer.alloc(0), EXPANDED_BYTES_MAX - total);
    if (content.length !== entry.bytes || crc32(content) !== entry.crc)
      throw broken(`${entry.name} is not what it says`);
    total += content.length;
    archive.set(entry.name, content);
  }
  return archive;
}
