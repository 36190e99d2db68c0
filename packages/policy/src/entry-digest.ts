import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/**
 * A two-level hash over all entries: each key falls into one of 256 buckets, a bucket's digest covers its sorted
 * (key, entry hash) lines, the root covers the bucket digests. A delta of a few entries rehashes a few buckets instead
 * of every entry, which matters with 100,000 tokens and a revocation that must be in force within a second.
 */
export interface EntryDigests {
  readonly buckets: readonly Bucket[];
  /** Hex SHA-256 over the whole set. */
  readonly root: string;
}

interface Bucket {
  readonly hashes: ReadonlyMap<string, string>;
  readonly digest: string;
}

const BUCKETS = 256;

export function digestEntries(entries: ReadonlyMap<string, unknown>): EntryDigests {
  const hashes = Array.from({ length: BUCKETS }, () => new Map<string, string>());
  for (const [key, value] of entries) hashes[bucketOf(key)]?.set(key, hashOf(value));
  return withRoot(hashes.map(sealBucket));
}

/** The digests after `set` and `remove`, equal to what `digestEntries` would give for the resulting entries. */
export function updateDigests(
  before: EntryDigests,
  set: ReadonlyMap<string, unknown>,
  remove: Iterable<string>,
): EntryDigests {
  const touched = new Map<number, Map<string, string>>();
  const open = (key: string): Map<string, string> => {
    const index = bucketOf(key);
    const hashes = touched.get(index) ?? new Map(before.buckets[index]?.hashes);
    touched.set(index, hashes);
    return hashes;
  };
  for (const key of remove) open(key).delete(key);
  for (const [key, value] of set) open(key).set(key, hashOf(value));
  return withRoot(
    before.buckets.map((bucket, index) => {
      const hashes = touched.get(index);
      return hashes ? sealBucket(hashes) : bucket;
    }),
  );
}

/** Hash of one entry as held in the digests; undefined when there is none. */
export function entryHash(digests: EntryDigests, key: string): string | undefined {
  return digests.buckets[bucketOf(key)]?.hashes.get(key);
}

function sealBucket(hashes: ReadonlyMap<string, string>): Bucket {
  const hash = createHash('sha256');
  // Keys hold no line breaks (parseEntry), so the lines can't be read in two ways.
  for (const key of [...hashes.keys()].sort()) hash.update(`${key}\n${hashes.get(key)}\n`);
  return { hashes, digest: hash.digest('hex') };
}

function withRoot(buckets: readonly Bucket[]): EntryDigests {
  const root = createHash('sha256');
  for (const bucket of buckets) root.update(bucket.digest);
  return { buckets, root: root.digest('hex') };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** FNV-1a: only spreads keys, so it needs no strength. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & (BUCKETS - 1);
}
