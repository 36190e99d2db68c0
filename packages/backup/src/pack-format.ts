import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { PackDamaged } from './errors.ts';
import { makeObjectKey, openBox, openObjectKey, type RepositoryKeys, sealBox } from './sealing.ts';

/** A pack is closed when its boxes reach this. */
export const PACK_BYTES = 1024 * 1024;
/** Records are compressed and sealed together in blocks of about so much: what one flipped bit can cost. */
const BLOCK_BYTES = 64 * 1024;
const BLOCK_BYTES_MAX = 32 * 1024 * 1024;
const TRAILER_BYTES_MAX = 64 * 1024 * 1024;
const MAGIC = 'CBP1';
const FOOT_BYTES = 12;
/** Most trailers with their foot fit in here, so that one request reads them. */
const TAIL_BYTES = 64 * 1024;

/** `part`: bytes of something that is larger than a record, or that is no JSON. */
export const BLOB_KINDS = ['record', 'list', 'part'] as const;
export type BlobKind = (typeof BLOB_KINDS)[number];

/** What a pack says of one blob in it; sealed with it. */
export interface BlobMeta {
  readonly stream: string;
  readonly object: string;
  readonly id: string;
}

export interface PackedBlob extends BlobMeta {
  readonly blob: string;
  readonly kind: BlobKind;
  /** Number of the block, and where in the block. */
  readonly block: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface PackInfo {
  readonly id: string;
  readonly keyId: string;
  readonly wrapped: string;
  /** Of the whole pack. */
  readonly bytes: number;
  /** Where each block's box begins; the last number is where the last ends. */
  readonly edges: readonly number[];
  readonly blobs: readonly PackedBlob[];
}

const header = z.strictObject({ id: z.uuid(), keyId: z.string(), wrapped: z.string() });
/** Columns, because they compress far better than rows. */
const trailer = z.strictObject({
  edges: z.array(z.int().min(0)),
  blob: z.array(z.string()),
  kind: z.array(z.enum(BLOB_KINDS)),
  block: z.array(z.int().min(0)),
  bytes: z.array(z.int().min(0)),
  stream: z.array(z.string()),
  object: z.array(z.string()),
  id: z.array(z.string()),
});

export const packName = (id: string): string => `packs/${id}`;
const blockContext = (id: string, block: number): string => `block ${block} of pack ${id}`;
const trailerContext = (id: string): string => `list of pack ${id}`;

export interface PackBuilder {
  readonly isEmpty: boolean;
  readonly isFull: boolean;
  add(kind: BlobKind, blob: string, plaintext: Uint8Array, meta: BlobMeta): void;
  finish(): { readonly info: PackInfo; readonly bytes: Buffer };
}

export function createPackBuilder(keys: RepositoryKeys, now: number): PackBuilder {
  const id = uuidv7(now);
  const { key, keyId, wrapped } = makeObjectKey(keys, id);
  const boxes: Buffer[] = [];
  const edges = [0];
  const blobs: PackedBlob[] = [];
  let open: Uint8Array[] = [];
  let openBytes = 0;

  const seal = (): void => {
    if (open.length === 0) return;
    const box = sealBox(key, zstdCompressSync(Buffer.concat(open)), blockContext(id, boxes.length));
    boxes.push(box);
    edges.push((edges.at(-1) ?? 0) + box.length);
    open = [];
    openBytes = 0;
  };
  return {
    get isEmpty() {
      return blobs.length === 0;
    },
    get isFull() {
      return (edges.at(-1) ?? 0) >= PACK_BYTES;
    },
    add(kind, blob, plaintext, meta) {
      if (openBytes > 0 && openBytes + plaintext.length > BLOCK_BYTES) seal();
      blobs.push({ ...meta, kind, blob, block: boxes.length, offset: openBytes, bytes: plaintext.length });
      open.push(plaintext);
      openBytes += plaintext.length;
    },
    finish() {
      seal();
      const columns = {
        edges,
        blob: blobs.map((one) => one.blob),
        kind: blobs.map((one) => one.kind),
        block: blobs.map((one) => one.block),
        bytes: blobs.map((one) => one.bytes),
        stream: blobs.map((one) => one.stream),
        object: blobs.map((one) => one.object),
        id: blobs.map((one) => one.id),
      };
      const list = sealBox(key, zstdCompressSync(Buffer.from(JSON.stringify(columns))), trailerContext(id));
      const head = Buffer.from(JSON.stringify({ id, keyId, wrapped }));
      const foot = Buffer.alloc(FOOT_BYTES);
      foot.writeUInt32BE(list.length, 0);
      foot.writeUInt32BE(head.length, 4);
      foot.write(MAGIC, 8, 'latin1');
      const bytes = Buffer.concat([...boxes, list, head, foot]);
      return { info: { id, keyId, wrapped, bytes: bytes.length, edges, blobs }, bytes };
    },
  };
}

function inflate(bytes: Buffer, max: number, what: string): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: max });
  } catch (cause) {
    throw new PackDamaged(`${what} can't be decompressed.`, { context: what }, cause);
  }
}

/** Reads a pack's own list. `read` gives bytes of the stored pack. */
export async function readPackInfo(
  keys: RepositoryKeys,
  pack: { readonly id: string; readonly bytes: number },
  read: (start: number, end: number) => Promise<Buffer>,
): Promise<PackInfo> {
  const damaged = (why: string): PackDamaged => new PackDamaged(`Pack ${pack.id} ${why}.`, { pack: pack.id });
  let start = Math.max(0, pack.bytes - TAIL_BYTES);
  let tail = await read(start, pack.bytes);
  if (tail.length < FOOT_BYTES || tail.length !== pack.bytes - start) throw damaged('is cut off');
  if (tail.toString('latin1', tail.length - 4) !== MAGIC) throw damaged('has no foot: it was changed or cut off');
  const listBytes = tail.readUInt32BE(tail.length - FOOT_BYTES);
  const headBytes = tail.readUInt32BE(tail.length - FOOT_BYTES + 4);
  const from = pack.bytes - FOOT_BYTES - headBytes - listBytes;
  if (from < 0) throw damaged('has a foot that can not be right');
  if (from < start) {
    start = from;
    tail = await read(start, pack.bytes);
  }
  const list = tail.subarray(from - start, from - start + listBytes);
  const head = tail.subarray(from - start + listBytes, tail.length - FOOT_BYTES);
  let parsedHead: z.output<typeof header>;
  try {
    parsedHead = header.parse(JSON.parse(head.toString('utf8')));
  } catch {
    throw damaged('has a head that can not be read');
  }
  if (parsedHead.id !== pack.id) throw damaged(`says that it is ${parsedHead.id}`);
  const key = openObjectKey(keys, pack.id, parsedHead.keyId, parsedHead.wrapped);
  const plain = inflate(openBox(key, list, trailerContext(pack.id)), TRAILER_BYTES_MAX, trailerContext(pack.id));
  const columns = trailer.parse(JSON.parse(plain.toString('utf8')));
  return { ...parsedHead, bytes: pack.bytes, edges: columns.edges, blobs: rowsOf(columns) };
}

function rowsOf(columns: z.output<typeof trailer>): PackedBlob[] {
  let block = -1;
  let offset = 0;
  return columns.blob.map((blob, at) => {
    const bytes = columns.bytes[at] ?? 0;
    const inBlock = columns.block[at] ?? 0;
    if (inBlock !== block) {
      block = inBlock;
      offset = 0;
    }
    const row: PackedBlob = {
      blob,
      kind: columns.kind[at] ?? 'record',
      block,
      offset,
      bytes,
      stream: columns.stream[at] ?? '',
      object: columns.object[at] ?? '',
      id: columns.id[at] ?? '',
    };
    offset += bytes;
    return row;
  });
}

/** Opens one block of a pack that was read whole. */
export function openBlock(keys: RepositoryKeys, info: PackInfo, pack: Buffer, block: number): Buffer {
  const [start, end] = [info.edges[block], info.edges[block + 1]];
  const what = blockContext(info.id, block);
  if (start === undefined || end === undefined || end > pack.length) {
    throw new PackDamaged(`${what} is not there.`, { pack: info.id, block });
  }
  const key = openObjectKey(keys, info.id, info.keyId, info.wrapped);
  return inflate(openBox(key, pack.subarray(start, end), what), BLOCK_BYTES_MAX, what);
}
