import { type BackupPart, type BackupRecord, decodePart, decodeRecord } from './backup-record.ts';
import { RecordUnknown } from './errors.ts';
import type { SnapshotManifest } from './manifest.ts';
import type { Repository } from './repository.ts';

export const BROWSE_PAGE_MAX = 200;
/** One search opens at most so many records; it says when there were more. */
const SEARCHED_RECORDS_MAX = 500_000;
const CSV_COLUMNS = ['object', 'id', 'parentId', 'title', 'updatedAt', 'content', 'facts'] as const;

export interface RecordLine {
  /** Names one content of one record in this repository. */
  readonly blob: string;
  readonly stream: string;
  readonly object: string;
  readonly id: string;
}

export interface Scope {
  readonly object?: string | undefined;
  readonly id?: string | undefined;
  /** Pieces of files and of Cordon's own state instead of records. */
  readonly parts?: boolean;
}

const byName = (a: RecordLine, b: RecordLine): number =>
  a.object < b.object ? -1 : a.object > b.object ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

/** What a snapshot holds, by object and id; no record is opened for it. */
export async function listLines(
  repository: Repository,
  manifest: SnapshotManifest,
  scope: Scope = {},
): Promise<RecordLine[]> {
  const lines: RecordLine[] = [];
  for (const blob of (await repository.entries(manifest)).values()) {
    const entry = repository.find(blob)?.entry;
    if (!entry || (entry.kind === 'part') !== (scope.parts ?? false)) continue;
    if (scope.object !== undefined && entry.object !== scope.object) continue;
    if (scope.id !== undefined && entry.id !== scope.id) continue;
    lines.push({ blob, stream: entry.stream, object: entry.object, id: entry.id });
  }
  return lines.sort(byName);
}

/** In the order in which they lie, so that each pack is read once. */
export function inPackOrder(repository: Repository, lines: readonly RecordLine[]): RecordLine[] {
  const place = ({ blob }: RecordLine): string => {
    const found = repository.find(blob);
    return found ? `${found.pack.id}/${String(found.entry.block).padStart(6, '0')}` : '';
  };
  return lines
    .map((line) => ({ line, at: place(line) }))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map(({ line }) => line);
}

/** Opens records pack by pack. */
export async function* readRecords(
  repository: Repository,
  lines: readonly RecordLine[],
): AsyncGenerator<{ readonly line: RecordLine; readonly record: BackupRecord }> {
  for (const line of inPackOrder(repository, lines)) {
    yield { line, record: decodeRecord(await repository.readBlob(line.blob)) };
  }
}

/** Opens parts pack by pack. */
export async function* readParts(repository: Repository, lines: readonly RecordLine[]): AsyncGenerator<BackupPart> {
  for (const line of inPackOrder(repository, lines)) yield decodePart(await repository.readBlob(line.blob));
}

export async function browse(
  repository: Repository,
  manifest: SnapshotManifest,
  query: Scope & { readonly offset: number; readonly limit: number; readonly text?: string | undefined },
): Promise<{
  total: number;
  isWhole: boolean;
  objects: Record<string, number>;
  items: (RecordLine & { title: string | null })[];
}> {
  const all = await listLines(repository, manifest, query);
  const objects: Record<string, number> = {};
  for (const { object } of all) objects[object] = (objects[object] ?? 0) + 1;
  const limit = Math.min(query.limit, BROWSE_PAGE_MAX);
  const wanted = query.text?.trim().toLowerCase() ?? '';
  if (wanted === '') {
    const titles = new Map<string, string | null>();
    const page = all.slice(query.offset, query.offset + limit);
    for await (const { line, record } of readRecords(repository, page)) titles.set(line.blob, record.title);
    const items = page.map((line) => ({ ...line, title: titles.get(line.blob) ?? null }));
    return { total: all.length, isWhole: true, objects, items };
  }
  const found: (RecordLine & { title: string | null })[] = [];
  for await (const { line, record } of readRecords(repository, all.slice(0, SEARCHED_RECORDS_MAX))) {
    const isHit = `${record.id}\n${record.title ?? ''}\n${JSON.stringify(record.content)}`
      .toLowerCase()
      .includes(wanted);
    if (isHit) found.push({ ...line, title: record.title });
  }
  found.sort(byName);
  const isWhole = all.length <= SEARCHED_RECORDS_MAX;
  return { total: found.length, isWhole, objects, items: found.slice(query.offset, query.offset + limit) };
}

export async function readRecord(
  repository: Repository,
  manifest: SnapshotManifest,
  ref: { readonly object: string; readonly id: string },
): Promise<BackupRecord> {
  const [line] = await listLines(repository, manifest, ref);
  if (!line) throw new RecordUnknown('This snapshot has no such record.', ref);
  return decodeRecord(await repository.readBlob(line.blob));
}

export interface SnapshotDifference {
  readonly added: readonly RecordLine[];
  readonly changed: readonly RecordLine[];
  readonly removed: readonly RecordLine[];
}

/** What `after` has, has otherwise, or has no more. */
export async function compareSnapshots(
  repository: Repository,
  before: SnapshotManifest,
  after: SnapshotManifest,
): Promise<SnapshotDifference> {
  const key = ({ stream, object, id }: RecordLine): string => JSON.stringify([stream, object, id]);
  const [old, young] = [await listLines(repository, before), await listLines(repository, after)];
  const [oldKeys, youngKeys] = [new Map(old.map((one) => [key(one), one])), new Set(young.map(key))];
  return {
    added: young.filter((one) => !oldKeys.has(key(one))),
    changed: young.filter((one) => (oldKeys.get(key(one))?.blob ?? one.blob) !== one.blob),
    removed: old.filter((one) => !youngKeys.has(key(one))),
  };
}

/** A text that a spreadsheet would take for a formula is kept a text. */
function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Records as lines of a file, each with its line end. */
export async function* exportRecords(
  repository: Repository,
  manifest: SnapshotManifest,
  scope: Scope,
  format: 'ndjson' | 'csv',
): AsyncGenerator<string> {
  if (format === 'csv') yield `${CSV_COLUMNS.join(',')}\r\n`;
  for await (const { record } of readRecords(repository, await listLines(repository, manifest, scope))) {
    yield format === 'ndjson'
      ? `${JSON.stringify(record)}\n`
      : `${CSV_COLUMNS.map((column) => csvCell(record[column])).join(',')}\r\n`;
  }
}

/** The newest snapshot of a subject that was taken at that moment or before. */
export async function snapshotAt(
  repository: Repository,
  subject: string,
  at: number,
): Promise<SnapshotManifest | null> {
  return (await repository.snapshots(subject)).findLast((one) => one.at <= at) ?? null;
}
