import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import type { SnapshotEntry } from './entry.ts';
import { entryHash, updateDigests } from './entry-digest.ts';
import { SnapshotBaseMismatch, SnapshotInvalid, SnapshotOlder } from './errors.ts';
import {
  ENTRIES_MAX,
  entryRecord,
  parseEntries,
  parseJson,
  type Snapshot,
  snapshotHead,
  versionNumber,
} from './snapshot.ts';

const DELTA_TYPE = 'cordon.snapshot-delta/1';

/** What changed between two versions. */
export interface SnapshotDelta {
  /** Version and digest this starts from. */
  readonly base: number;
  readonly baseDigest: string;
  readonly version: number;
  readonly epoch: number;
  readonly createdAt: number;
  readonly set: ReadonlyMap<string, SnapshotEntry>;
  readonly remove: readonly string[];
  /** Digest of the resulting entries. */
  readonly digest: string;
}

const deltaDocument = z.strictObject({
  type: z.literal(DELTA_TYPE),
  ...snapshotHead,
  base: versionNumber,
  baseDigest: z.string(),
  digest: z.string(),
  set: entryRecord,
  remove: z.array(z.string().max(300)).max(ENTRIES_MAX),
});

/** The delta that turns `before` into `after`. */
export function createDelta(before: Snapshot, after: Snapshot): SnapshotDelta {
  const set = new Map<string, SnapshotEntry>();
  for (const [key, entry] of after.entries) {
    if (before.entries.get(key) === entry) continue;
    if (entryHash(before.digests, key) !== entryHash(after.digests, key)) set.set(key, entry);
  }
  const remove = [...before.entries.keys()].filter((key) => !after.entries.has(key));
  const { version, epoch, createdAt, digest } = after;
  return { base: before.version, baseDigest: before.digest, version, epoch, createdAt, set, remove, digest };
}

/**
 * The next snapshot, built on the last one without parsing it again: what control uses to publish one change.
 * Unchanged entries keep their identity, so readers can compare by reference.
 */
export function changeSnapshot(
  before: Snapshot,
  change: {
    version: number;
    epoch: number;
    createdAt: number;
    set: Iterable<readonly [string, unknown]>;
    remove: readonly string[];
  },
): Snapshot {
  if (change.version <= before.version || change.epoch < before.epoch) {
    throw new SnapshotOlder('a change must have a higher version and no lower epoch', {
      version: change.version,
      known: before.version,
    });
  }
  const set = parseEntries(change.set);
  for (const [key, entry] of set) if (isDeepStrictEqual(before.entries.get(key), entry)) set.delete(key);
  const entries = new Map(before.entries);
  for (const key of change.remove) entries.delete(key);
  for (const [key, entry] of set) entries.set(key, entry);
  if (entries.size > ENTRIES_MAX) throw new SnapshotInvalid(`more than ${ENTRIES_MAX} entries`);
  const digests = updateDigests(before.digests, set, change.remove);
  const { version, epoch, createdAt } = change;
  return { version, epoch, createdAt, entries, digest: digests.root, digests };
}

/**
 * Applies a verified delta.
 *
 * @throws {SnapshotBaseMismatch} when it starts elsewhere: fetch the full snapshot.
 * @throws {SnapshotOlder} when it doesn't lead forward.
 * @throws {SnapshotInvalid} when the result isn't what its digest says.
 */
export function applyDelta(snapshot: Snapshot, delta: SnapshotDelta): Snapshot {
  if (delta.base !== snapshot.version || delta.baseDigest !== snapshot.digest) {
    throw new SnapshotBaseMismatch(`delta starts from version ${delta.base}, not ${snapshot.version}`, {
      base: delta.base,
      known: snapshot.version,
    });
  }
  const after = changeSnapshot(snapshot, delta);
  if (after.digest !== delta.digest) throw new SnapshotInvalid('delta leads to another digest than it says');
  return after;
}

export function deltaPayload(delta: SnapshotDelta): string {
  return canonicalJson({
    type: DELTA_TYPE,
    ...delta,
    set: Object.fromEntries(delta.set),
    remove: [...delta.remove].sort(),
  });
}

/** @throws {SnapshotInvalid} when the payload is no delta. */
export function parseDeltaPayload(payload: string): SnapshotDelta {
  const result = deltaDocument.safeParse(parseJson(payload));
  if (!result.success) throw new SnapshotInvalid(`not a snapshot delta: ${z.prettifyError(result.error)}`);
  const { type: _, ...delta } = result.data;
  const set = parseEntries(Object.entries(delta.set));
  const both = delta.remove.find((key) => set.has(key));
  if (both !== undefined) throw new SnapshotInvalid(`delta both sets and removes "${both}"`);
  return { ...delta, set };
}
