import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { PackDamaged } from './errors.ts';
import { makeObjectKey, openBox, openObjectKey, type RepositoryKeys, sealBox } from './sealing.ts';

const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
const box = z.strictObject({ keyId: z.string(), wrapped: z.string(), body: z.string() });
const blobs = z.array(z.string());

/** One snapshot: what it holds, and where its list lies. Written last: what has no manifest is no snapshot. */
export const snapshotManifest = z.strictObject({
  id: z.uuid(),
  /** What was backed up: an app's connection, or Cordon itself. */
  subject: z.string().min(1),
  title: z.string(),
  /** When reading began: what changed later may be missing. Milliseconds. */
  at: z.number(),
  endedAt: z.number(),
  /** Blobs of the whole list, then of each difference since, in order. */
  base: blobs,
  differences: z.array(blobs),
  /** Entries that the differences hold together. */
  differing: z.int(),
  root: z.string(),
  records: z.int(),
  added: z.int(),
  changed: z.int(),
  removed: z.int(),
  /** Bytes that this snapshot added to the store. */
  storedBytes: z.int(),
  streams: z.array(
    z.strictObject({
      name: z.string(),
      mode: z.enum(['whole', 'changes']),
      records: z.int(),
      /** Where the next read of changes goes on. */
      mark: z.json().optional(),
      /** Why it could not be read: what the last snapshot had was kept. */
      notRead: z.string().nullable(),
    }),
  ),
});
export type SnapshotManifest = z.output<typeof snapshotManifest>;

export const manifestName = (id: string): string => `snapshots/${id}`;

/** Seals any JSON under a key of its own, bound to its name. */
export function sealJson(keys: RepositoryKeys, name: string, value: unknown): Buffer {
  const { key, keyId, wrapped } = makeObjectKey(keys, name);
  const body = sealBox(key, zstdCompressSync(Buffer.from(JSON.stringify(value))), name).toString('base64');
  return Buffer.from(JSON.stringify({ keyId, wrapped, body }));
}

export function openJson(keys: RepositoryKeys, name: string, bytes: Buffer): unknown {
  try {
    const { keyId, wrapped, body } = box.parse(JSON.parse(bytes.toString('utf8')));
    const key = openObjectKey(keys, name, keyId, wrapped);
    const plain = zstdDecompressSync(openBox(key, Buffer.from(body, 'base64'), name), {
      maxOutputLength: MANIFEST_BYTES_MAX,
    });
    return JSON.parse(plain.toString('utf8')) as unknown;
  } catch (cause) {
    throw new PackDamaged(`${name} does not open: it was changed or cut off.`, { name }, cause);
  }
}

/** The key that sealed it, without opening it. */
export function keyOfSealed(bytes: Buffer): string | null {
  try {
    return box.parse(JSON.parse(bytes.toString('utf8'))).keyId;
  } catch {
    return null;
  }
}
