import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { type Entries, parseEntry, type SnapshotEntry } from './entry.ts';
import { digestEntries, type EntryDigests } from './entry-digest.ts';
import { SnapshotInvalid } from './errors.ts';

/** More than any estate we know, small enough to hold in memory. */
export const ENTRIES_MAX = 1_000_000;
const SNAPSHOT_TYPE = 'cordon.snapshot/1';

/** Everything a gateway decides from, at one version. Immutable. */
export interface Snapshot {
  /** Grows with every change. */
  readonly version: number;
  /** Grows with every revocation; cached identities of an older epoch are checked again. */
  readonly epoch: number;
  /** Milliseconds since the epoch of 1970, on control's clock. */
  readonly createdAt: number;
  readonly entries: Entries;
  /** Hex SHA-256 over all entries; the same for the same entries however they came about. */
  readonly digest: string;
  /** Partial hashes that make deltas cheap; not part of the document. */
  readonly digests: EntryDigests;
}

export const versionNumber = z.int().nonnegative();
export const snapshotHead = { version: versionNumber, epoch: versionNumber, createdAt: versionNumber };
export const entryRecord = z.record(z.string().max(300), z.unknown());

const snapshotDocument = z.strictObject({
  type: z.literal(SNAPSHOT_TYPE),
  ...snapshotHead,
  digest: z.string(),
  entries: entryRecord,
});

/**
 * Builds a snapshot from `key → entry`; entries are checked and their defaults filled in.
 *
 * @throws {SnapshotInvalid} naming the entry and field.
 */
export function createSnapshot(input: {
  version: number;
  epoch: number;
  createdAt: number;
  entries: Iterable<readonly [string, unknown]>;
}): Snapshot {
  const entries = parseEntries(input.entries);
  const digests = digestEntries(entries);
  const { version, epoch, createdAt } = input;
  return { version, epoch, createdAt, entries, digest: digests.root, digests };
}

export function parseEntries(raw: Iterable<readonly [string, unknown]>): Map<string, SnapshotEntry> {
  const entries = new Map<string, SnapshotEntry>();
  for (const [key, value] of raw) entries.set(key, parseEntry(key, value));
  if (entries.size > ENTRIES_MAX) throw new SnapshotInvalid(`more than ${ENTRIES_MAX} entries`);
  return entries;
}

/** The document as canonical JSON: the bytes that are signed, sent and stored. */
export function snapshotPayload(snapshot: Snapshot): string {
  const { version, epoch, createdAt, digest, entries } = snapshot;
  return canonicalJson({
    type: SNAPSHOT_TYPE,
    version,
    epoch,
    createdAt,
    digest,
    entries: Object.fromEntries(entries),
  });
}

/** @throws {SnapshotInvalid} when the payload is no snapshot, or its digest isn't that of its entries. */
export function parseSnapshotPayload(payload: string): Snapshot {
  const result = snapshotDocument.safeParse(parseJson(payload));
  if (!result.success) throw new SnapshotInvalid(`not a snapshot document: ${z.prettifyError(result.error)}`);
  const snapshot = createSnapshot({ ...result.data, entries: Object.entries(result.data.entries) });
  if (snapshot.digest !== result.data.digest) throw new SnapshotInvalid('digest is not that of the entries');
  return snapshot;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SnapshotInvalid('payload is not JSON', {}, { cause });
  }
}
