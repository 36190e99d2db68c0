import { createHash } from 'node:crypto';
import { z } from 'zod';
import { decodePart, encodePart, recordKey, type RecordRef } from './backup-record.ts';
import { PackDamaged, RecordUnknown, SourceFailed } from './errors.ts';
import type { SnapshotManifest } from './manifest.ts';
import type { BlobKind } from './pack-format.ts';
import type { Repository } from './repository.ts';
import type { Entries } from './snapshot-list.ts';

/** A file is cut into parts of so much: what a changed byte costs. */
const PART_BYTES = 256 * 1024;

/** The bytes behind a record. */
export interface SourceFile {
  /** The same while the bytes are the same, by what the tool says; then they are not read again. */
  readonly version: string;
  read(): AsyncIterable<Uint8Array>;
}

const fileFacts = z.object({
  version: z.string(),
  bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  parts: z.int(),
  /** Why there are no bytes. */
  notRead: z.string().nullable(),
});
export type FileFacts = z.output<typeof fileFacts>;

const factsRef = ({ stream, object, id }: RecordRef): RecordRef => ({ stream, object: `${object}-bytes`, id });
const partRef = ({ stream, object, id }: RecordRef, at: number): RecordRef => ({
  stream,
  object: `${object}-part`,
  id: `${id}/${at}`,
});

/** Kept as a part: it is no record of the tool, and no restore writes it there. */
const encodeFacts = (record: RecordRef, facts: FileFacts): Buffer =>
  encodePart({ ...factsRef(record), bytes: Buffer.from(JSON.stringify(facts)) });
const decodeFacts = (stored: Buffer): FileFacts =>
  fileFacts.parse(JSON.parse(Buffer.from(decodePart(stored).bytes).toString('utf8')));

interface Keeper {
  readonly repository: Repository;
  readonly before: Entries;
  readonly keep: (kind: BlobKind, ref: RecordRef, bytes: Buffer) => Promise<void>;
  readonly markSeen: (key: string) => void;
}

async function formerFacts({ repository, before }: Keeper, record: RecordRef): Promise<FileFacts | null> {
  const blob = before.get(recordKey(repository.keys, factsRef(record)));
  return blob === undefined ? null : decodeFacts(await repository.readBlob(blob));
}

/** Cuts a stream into parts of one size. */
async function* inParts(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let open = Buffer.alloc(0);
  for await (const bytes of source) {
    open = Buffer.concat([open, bytes]);
    for (; open.length >= PART_BYTES; open = open.subarray(PART_BYTES)) yield open.subarray(0, PART_BYTES);
  }
  if (open.length > 0) yield open;
}

/**
 * Keeps the bytes of a record's file: read when it is new or another version, else what the last snapshot had. A file
 * that the tool doesn't give is named in its facts, and costs the others nothing.
 */
export async function keepFile(keeper: Keeper, record: RecordRef, file: SourceFile): Promise<void> {
  const { repository, keep, markSeen } = keeper;
  const { version } = file;
  const write = (facts: FileFacts): Promise<void> => keep('part', factsRef(record), encodeFacts(record, facts));
  const former = await formerFacts(keeper, record);
  if (former?.version === version && former.notRead === null) {
    for (let at = 0; at < former.parts; at++) markSeen(recordKey(repository.keys, partRef(record, at)));
    return write(former);
  }
  const digest = createHash('sha256');
  let [bytes, parts] = [0, 0];
  try {
    for await (const part of inParts(file.read())) {
      digest.update(part);
      bytes += part.length;
      await keep('part', partRef(record, parts), encodePart({ ...partRef(record, parts), bytes: part }));
      parts += 1;
    }
  } catch (error) {
    if (!(error instanceof SourceFailed)) throw error;
    return write({ version, bytes: null, sha256: null, parts: 0, notRead: error.message }); // never half a file
  }
  return write({ version, bytes, sha256: digest.digest('hex'), parts, notRead: null });
}

/** What a snapshot knows of the bytes of a record; null where it has none. */
export async function readFileFacts(
  repository: Repository,
  manifest: SnapshotManifest,
  record: RecordRef,
): Promise<FileFacts | null> {
  const blob = (await repository.entries(manifest)).get(recordKey(repository.keys, factsRef(record)));
  return blob === undefined ? null : decodeFacts(await repository.readBlob(blob));
}

/** The bytes of a record's file, as they were. Throws `PackDamaged` when they are not what was stored. */
export async function* readFileBytes(
  repository: Repository,
  manifest: SnapshotManifest,
  record: RecordRef,
): AsyncGenerator<Uint8Array> {
  const facts = await readFileFacts(repository, manifest, record);
  if (facts?.sha256 == null) {
    throw new RecordUnknown(facts?.notRead ?? 'This snapshot has no bytes of this record.', { id: record.id });
  }
  const entries = await repository.entries(manifest);
  const digest = createHash('sha256');
  for (let at = 0; at < facts.parts; at++) {
    const blob = entries.get(recordKey(repository.keys, partRef(record, at))) ?? '';
    const { bytes } = decodePart(await repository.readBlob(blob));
    digest.update(bytes);
    yield bytes;
  }
  if (digest.digest('hex') !== facts.sha256) {
    throw new PackDamaged(`The bytes of ${record.object} ${record.id} are not what was read.`, { id: record.id });
  }
}
