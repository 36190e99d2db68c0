import { type Clock, uuidv7 } from '@cordon/kernel';
import {
  type BackupPart,
  type BackupRecord,
  encodePart,
  encodeRecord,
  recordKey,
  type RecordRef,
} from './backup-record.ts';
import { SourceFailed } from './errors.ts';
import { keepFile, type SourceFile } from './file-bytes.ts';
import type { SnapshotManifest } from './manifest.ts';
import type { BlobKind } from './pack-format.ts';
import type { BlobWriter, Repository } from './repository.ts';
import { difference, encodeList, type Entries, merkleRoot } from './snapshot-list.ts';

/** A new whole list is written when the differences hold this part of it: reading stays short, and 1% costs 1%. */
const DIFFERING_SHARE_MAX = 0.25;
const DIFFERENCES_MAX = 50;

export type SourceItem = (
  | { readonly record: BackupRecord; readonly file?: SourceFile | undefined }
  | { readonly part: BackupPart }
) & { readonly deleted?: boolean };

export interface SourceStream {
  readonly name: string;
  /**
   * `whole`: every record comes, so what doesn't come is gone. `changes`: only what changed since the mark; what is
   * gone shows at the next whole read.
   */
  readonly mode: 'whole' | 'changes';
  /** Throws `SourceFailed` when the app doesn't show it: what the last snapshot had is kept, and said. */
  records(): AsyncIterable<SourceItem>;
  /** Where the next read of changes goes on; asked after the last record. */
  mark?(): SnapshotManifest['streams'][number]['mark'];
}

interface Tally {
  added: number;
  changed: number;
  removed: number;
}

async function readStream(
  repository: Repository,
  writer: BlobWriter,
  stream: SourceStream,
  entries: Map<string, string>,
  before: Entries,
): Promise<number> {
  const { keys } = repository;
  const seen = new Set<string>();
  let records = 0;
  const keep = async (kind: BlobKind, ref: RecordRef, bytes: Buffer): Promise<void> => {
    const { stream: name, object, id } = ref;
    const key = recordKey(keys, ref);
    const blob = keys.keyedId('blob', bytes);
    seen.add(key);
    await writer.add(kind, blob, bytes, { stream: name, object, id });
    entries.set(key, blob);
  };
  for await (const item of stream.records()) {
    const ref = 'part' in item ? item.part : item.record;
    if (item.deleted === true) {
      const key = recordKey(keys, ref);
      entries.delete(key);
      continue;
    }
    records += 1;
    if ('part' in item) {
      await keep('part', item.part, encodePart(item.part));
      continue;
    }
    await keep('record', item.record, encodeRecord(item.record));
    if (item.file)
      await keepFile({ repository, before, keep, markSeen: (key) => seen.add(key) }, item.record, item.file);
  }
  if (stream.mode === 'whole') {
    for (const [key, blob] of before) {
      if (!seen.has(key) && repository.find(blob)?.entry.stream === stream.name) entries.delete(key);
    }
  }
  return records;
}

function tally(before: Entries, after: Entries): Tally {
  const counts: Tally = { added: 0, changed: 0, removed: 0 };
  for (const key of difference(before, after).keys()) {
    if (!after.has(key)) counts.removed += 1;
    else if (before.has(key)) counts.changed += 1;
    else counts.added += 1;
  }
  return counts;
}

async function writeList(repository: Repository, writer: BlobWriter, entries: Entries): Promise<string[]> {
  const blobs: string[] = [];
  for (const segment of encodeList(entries)) {
    const blob = repository.keys.keyedId('blob', segment);
    await writer.add('list', blob, segment, { stream: '', object: '', id: '' });
    blobs.push(blob);
  }
  return blobs;
}

/**
 * Takes one snapshot: records that the repository has are not written again. It exists when its manifest is written,
 * last; what a crash leaves before that is found and used by the next one. Throws `RepositoryBusy`.
 */
export async function takeSnapshot(
  repository: Repository,
  clock: Clock,
  request: {
    readonly subject: string;
    readonly title: string;
    readonly streams: readonly SourceStream[];
    /** Whose snapshot id it is, where a caller needs the same after a crash. */
    readonly id?: string;
  },
): Promise<SnapshotManifest> {
  const { subject, title } = request;
  const lock = await repository.lock(`a backup of ${title}`);
  try {
    await repository.refresh();
    const former = await repository.snapshots(subject);
    const done = former.find(({ id }) => id === request.id);
    if (done) return done;
    const at = clock.now();
    const parent = former.at(-1);
    const before: Entries = parent ? await repository.entries(parent) : new Map();
    const entries = new Map(before);
    const writer = repository.createWriter(() => lock.refresh());
    const streams: SnapshotManifest['streams'] = [];
    for (const stream of request.streams) {
      const { name, mode } = stream;
      const kept = parent?.streams.find((one) => one.name === name)?.mark;
      try {
        const records = await readStream(repository, writer, stream, entries, before);
        streams.push({ name, mode, records, mark: stream.mark?.() ?? kept, notRead: null });
      } catch (error) {
        if (!(error instanceof SourceFailed)) throw error;
        streams.push({ name, mode, records: 0, mark: kept, notRead: error.message });
      }
    }
    const change = difference(before, entries);
    const differing = (parent?.differing ?? 0) + change.size;
    const isBase =
      !parent || differing > entries.size * DIFFERING_SHARE_MAX || parent.differences.length >= DIFFERENCES_MAX;
    const list = await writeList(repository, writer, isBase ? entries : change);
    const storedBytes = await writer.flush();
    const manifest: SnapshotManifest = {
      id: request.id ?? uuidv7(at),
      subject,
      title,
      at,
      endedAt: clock.now(),
      base: isBase ? list : parent.base,
      differences: isBase ? [] : list.length === 0 ? parent.differences : [...parent.differences, list],
      differing: isBase ? 0 : differing,
      root: merkleRoot(entries),
      records: entries.size,
      ...tally(before, entries),
      storedBytes,
      streams,
    };
    await repository.writeManifest(manifest);
    await repository.saveIndex();
    return manifest;
  } finally {
    await lock.release();
  }
}
