import type { Queryable, Transaction } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { DlpUnknown } from './errors.ts';
import { type DlpTables, tablesOf } from './tables.ts';

export const SCANS_PAGE_MAX = 100;
const STREAMS_MAX = 200;

export const SCAN_STATUSES = ['queued', 'running', 'done', 'partial', 'failed', 'cancelled'] as const;
export type ScanStatus = (typeof SCAN_STATUSES)[number];
export const SCAN_MODES = ['full', 'incremental'] as const;
export type ScanMode = (typeof SCAN_MODES)[number];

const unreadable = z.record(z.string(), z.int());

export interface ScanStream {
  readonly stream: string;
  readonly status: 'waiting' | 'reading' | 'done' | 'partial' | 'not_shown';
  readonly records: number;
  /** Unchanged since the last scan, so not read again. */
  readonly skipped: number;
  readonly files: number;
  readonly bytes: number;
  /** Records with something that a rule does not allow. */
  readonly found: number;
  /** Files that could not be read, by reason. */
  readonly unreadable: Readonly<Record<string, number>>;
  readonly reason: string | null;
}

export interface Scan {
  readonly id: string;
  readonly connectionId: string;
  readonly app: string;
  readonly name: string;
  readonly mode: ScanMode;
  readonly enforce: boolean;
  readonly status: ScanStatus;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly error: string | null;
  readonly streams: readonly ScanStream[];
}

const STREAM_STATUSES = ['waiting', 'reading', 'done', 'partial', 'not_shown'] as const;

function streamOf(row: Selectable<DlpTables['dlp_scan_stream']>): ScanStream {
  return {
    stream: row.stream,
    status: STREAM_STATUSES.find((one) => one === row.status) ?? 'waiting',
    records: row.records,
    skipped: row.skipped,
    files: row.files,
    bytes: row.bytes,
    found: row.found,
    unreadable: unreadable.parse(row.unreadable),
    reason: row.reason,
  };
}

/** Newest first; of one connection or one id where they are given. */
export async function listScans(
  db: Queryable,
  query: { readonly id?: string; readonly connectionId?: string } = {},
): Promise<Scan[]> {
  let select = tablesOf(db).selectFrom('dlp_scan').selectAll().orderBy('requested_at', 'desc').limit(SCANS_PAGE_MAX);
  if (query.id !== undefined) select = select.where('id', '=', query.id);
  if (query.connectionId !== undefined) select = select.where('connection_id', '=', query.connectionId);
  const rows = await select.execute();
  if (rows.length === 0) return [];
  const streams = await tablesOf(db)
    .selectFrom('dlp_scan_stream')
    .selectAll()
    .where(
      'scan_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('place')
    .limit(SCANS_PAGE_MAX * STREAMS_MAX)
    .execute();
  const byScan = Map.groupBy(streams, ({ scan_id: scan }) => scan);
  return rows.map((row) => ({
    id: row.id,
    connectionId: row.connection_id,
    app: row.app,
    name: row.name,
    mode: SCAN_MODES.find((one) => one === row.mode) ?? 'full',
    enforce: row.enforce,
    status: SCAN_STATUSES.find((one) => one === row.status) ?? 'failed',
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    error: row.error,
    streams: (byScan.get(row.id) ?? []).map(streamOf),
  }));
}

export async function loadScan(db: Queryable, id: string): Promise<Scan> {
  const [scan] = await listScans(db, { id });
  if (!scan) throw new DlpUnknown('There is no such scan.', { id });
  return scan;
}

/** Takes up a scan; false when it was cancelled before it began or has ended. */
export async function beginScan(db: Queryable, id: string, at: Date): Promise<boolean> {
  const row = await tablesOf(db)
    .updateTable('dlp_scan')
    .set((build) => ({
      status: 'running',
      started_at: build.fn.coalesce('started_at', build.val(at)),
    }))
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .executeTakeFirst();
  return Number(row.numUpdatedRows) > 0;
}

export async function isCancelled(db: Queryable, id: string): Promise<boolean> {
  const row = await tablesOf(db).selectFrom('dlp_scan').select('status').where('id', '=', id).executeTakeFirst();
  return row === undefined || row.status === 'cancelled';
}

/** Ends a scan once; false when it had ended. */
export async function endScan(
  tx: Transaction,
  id: string,
  end: { readonly status: ScanStatus; readonly error: string | null; readonly at: Date },
): Promise<boolean> {
  const row = await tablesOf(tx)
    .updateTable('dlp_scan')
    .set({ status: end.status, error: end.error, ended_at: end.at })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return Number(row.numUpdatedRows) > 0;
}

export interface StreamProgress {
  readonly status: ScanStream['status'];
  readonly position: unknown;
  readonly seen: unknown;
}

export async function loadProgress(db: Queryable, scanId: string, stream: string): Promise<StreamProgress> {
  const row = await tablesOf(db)
    .selectFrom('dlp_scan_stream')
    .selectAll()
    .where('scan_id', '=', scanId)
    .where('stream', '=', stream)
    .executeTakeFirstOrThrow();
  return { status: streamOf(row).status, position: row.position, seen: row.seen };
}

export interface PageTally {
  records: number;
  skipped: number;
  files: number;
  bytes: number;
  found: number;
  readonly unreadable: Record<string, number>;
}

/** Where the reader is and what the page brought; in the transaction of the page's incidents. */
export async function saveProgress(
  tx: Transaction,
  place: { readonly scanId: string; readonly stream: string },
  page: PageTally,
  at: { readonly position: unknown; readonly seen: unknown },
): Promise<void> {
  const row = await tablesOf(tx)
    .selectFrom('dlp_scan_stream')
    .select('unreadable')
    .where('scan_id', '=', place.scanId)
    .where('stream', '=', place.stream)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const reasons = { ...unreadable.parse(row.unreadable) };
  for (const [reason, count] of Object.entries(page.unreadable)) reasons[reason] = (reasons[reason] ?? 0) + count;
  await tablesOf(tx)
    .updateTable('dlp_scan_stream')
    .set((build) => ({
      status: 'reading',
      position: JSON.stringify(at.position),
      seen: JSON.stringify(at.seen ?? null),
      records: build('records', '+', page.records),
      skipped: build('skipped', '+', page.skipped),
      files: build('files', '+', page.files),
      bytes: build('bytes', '+', page.bytes),
      found: build('found', '+', page.found),
      unreadable: JSON.stringify(reasons),
    }))
    .where('scan_id', '=', place.scanId)
    .where('stream', '=', place.stream)
    .execute();
}

export async function endStream(
  db: Queryable,
  scanId: string,
  stream: string,
  end: { readonly status: ScanStream['status']; readonly reason: string | null },
): Promise<void> {
  await tablesOf(db)
    .updateTable('dlp_scan_stream')
    .set(end)
    .where('scan_id', '=', scanId)
    .where('stream', '=', stream)
    .execute();
}

export async function loadMark(
  db: Queryable,
  connectionId: string,
  stream: string,
): Promise<{ readonly mark: unknown; readonly scannedAt: Date } | null> {
  const row = await tablesOf(db)
    .selectFrom('dlp_mark')
    .select(['mark', 'scanned_at'])
    .where('connection_id', '=', connectionId)
    .where('stream', '=', stream)
    .executeTakeFirst();
  return row ? { mark: row.mark, scannedAt: row.scanned_at } : null;
}

/** The next incremental scan goes on from here. */
export async function saveMark(
  db: Queryable,
  place: { readonly connectionId: string; readonly stream: string },
  mark: unknown,
  scannedAt: Date,
): Promise<void> {
  const set = { mark: JSON.stringify(mark ?? {}), scanned_at: scannedAt };
  await tablesOf(db)
    .insertInto('dlp_mark')
    .values({ connection_id: place.connectionId, stream: place.stream, ...set })
    .onConflict((conflict) => conflict.columns(['connection_id', 'stream']).doUpdateSet(set))
    .execute();
}
