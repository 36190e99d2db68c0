import { z } from 'zod';
import type { Database, Queryable, Transaction } from '@cordon/kernel';
import type { StreamMark, StreamPosition } from './read-stream.ts';
import { type StreamStatus, type SyncStatus, type SyncStreamStatus, tablesOf } from './tables.ts';

export const SYNCS_PAGE_MAX = 100;
const SYNCS_KEPT = 50;
const CHANGE_DAYS_KEPT = 400;

const markShape = z.object({ newestAt: z.number().optional(), token: z.string().optional() });
const cursorShape = z.union([z.string(), z.number(), z.null()]);
const positionShape = z.object({ outer: cursorShape, index: z.int(), inner: cursorShape });
const namesShape = z.array(z.string());

export interface SyncStream {
  readonly stream: string;
  readonly status: SyncStreamStatus;
  readonly reason: string | null;
  readonly pages: number;
  readonly entities: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly events: number;
  readonly problems: readonly string[];
}

export interface Sync {
  readonly id: string;
  readonly connectionId: string;
  readonly cause: 'schedule' | 'manual';
  readonly status: SyncStatus;
  readonly requestedBy: string;
  readonly cancelRequested: boolean;
  readonly error: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly streams: readonly SyncStream[];
}

/** Makes a sync; null when one is open already. */
export async function insertSync(
  tx: Transaction,
  sync: {
    readonly id: string;
    readonly connectionId: string;
    readonly cause: 'schedule' | 'manual';
    readonly by: string;
    readonly streams: readonly string[];
    readonly at: Date;
  },
): Promise<boolean> {
  const tables = tablesOf(tx);
  const open = await tables
    .selectFrom('connector_sync')
    .select('id')
    .where('connection_id', '=', sync.connectionId)
    .where('status', 'in', ['queued', 'running'])
    .executeTakeFirst();
  if (open) return false;
  await tables
    .insertInto('connector_sync')
    .values({
      id: sync.id,
      connection_id: sync.connectionId,
      cause: sync.cause,
      status: 'queued',
      requested_by: sync.by,
      streams: JSON.stringify(sync.streams),
      error: null,
      created_at: sync.at,
      started_at: null,
      ended_at: null,
    })
    .execute();
  await tables
    .insertInto('connector_sync_stream')
    .values(
      sync.streams.map((stream) => ({
        sync_id: sync.id,
        stream,
        status: 'waiting' as const,
        reason: null,
        problems: '[]',
      })),
    )
    .execute();
  return true;
}

export async function listSyncs(
  db: Queryable,
  query: { readonly connectionId?: string; readonly id?: string; readonly limit: number },
): Promise<Sync[]> {
  let select = tablesOf(db)
    .selectFrom('connector_sync')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(Math.min(query.limit, SYNCS_PAGE_MAX));
  if (query.connectionId !== undefined) select = select.where('connection_id', '=', query.connectionId);
  if (query.id !== undefined) select = select.where('id', '=', query.id);
  const rows = await select.execute();
  const parts =
    rows.length === 0
      ? []
      : await tablesOf(db)
          .selectFrom('connector_sync_stream')
          .selectAll()
          .where(
            'sync_id',
            'in',
            rows.map(({ id }) => id),
          )
          .orderBy('stream')
          .execute();
  return rows.map((row) => ({
    id: row.id,
    connectionId: row.connection_id,
    cause: row.cause,
    status: row.status,
    requestedBy: row.requested_by,
    cancelRequested: row.cancel,
    error: row.error,
    createdAt: row.created_at.getTime(),
    startedAt: row.started_at?.getTime() ?? null,
    endedAt: row.ended_at?.getTime() ?? null,
    streams: parts
      .filter((part) => part.sync_id === row.id)
      .map(({ sync_id: _sync, problems, ...part }) => ({ ...part, problems: namesShape.parse(problems) })),
  }));
}

/** Marks the sync as begun; null when it was ended or removed meanwhile. */
export async function beginSync(db: Queryable, id: string, at: Date): Promise<{ streams: readonly string[] } | null> {
  const row = await tablesOf(db)
    .updateTable('connector_sync')
    .set((eb) => ({ status: 'running', started_at: eb.fn.coalesce('started_at', eb.val(at)) }))
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .returning('streams')
    .executeTakeFirst();
  return row ? { streams: namesShape.parse(row.streams) } : null;
}

export async function isCancelled(db: Queryable, id: string): Promise<boolean> {
  const row = await tablesOf(db).selectFrom('connector_sync').select('cancel').where('id', '=', id).executeTakeFirst();
  return row?.cancel ?? true;
}

export async function requestCancel(tx: Transaction, connectionId: string): Promise<string | null> {
  const row = await tablesOf(tx)
    .updateTable('connector_sync')
    .set({ cancel: true })
    .where('connection_id', '=', connectionId)
    .where('status', 'in', ['queued', 'running'])
    .returning('id')
    .executeTakeFirst();
  return row?.id ?? null;
}

export interface StreamProgress {
  readonly mark: StreamMark;
  readonly position: StreamPosition | null;
  readonly seen: StreamMark | null;
}

/** What the stream knows. A position of another sync counts only where the stream is incremental or it was cut short. */
export async function loadProgress(
  db: Queryable,
  connectionId: string,
  stream: string,
  syncId: string,
): Promise<StreamProgress> {
  const row = await tablesOf(db)
    .selectFrom('connector_stream')
    .select(['mark', 'position', 'position_sync', 'seen'])
    .where('connection_id', '=', connectionId)
    .where('stream', '=', stream)
    .executeTakeFirst();
  const mark = plainMark(markShape.parse(row?.mark ?? {}));
  if (!row || row.position_sync !== syncId || row.position === null) return { mark, position: null, seen: null };
  return { mark, position: positionShape.parse(row.position), seen: plainMark(markShape.parse(row.seen ?? {})) };
}

const plainMark = ({ newestAt, token }: z.output<typeof markShape>): StreamMark => ({
  ...(newestAt === undefined ? {} : { newestAt }),
  ...(token === undefined ? {} : { token }),
});

/** Keeps where the read is, in the transaction of the page that it follows. */
export async function savePosition(
  tx: Transaction,
  place: { readonly connectionId: string; readonly stream: string; readonly syncId: string; readonly at: Date },
  progress: { readonly position: StreamPosition | null; readonly seen: StreamMark },
): Promise<void> {
  const values = {
    position: progress.position === null ? null : JSON.stringify(progress.position),
    position_sync: place.syncId,
    seen: JSON.stringify(progress.seen),
    read_at: place.at,
  };
  await tablesOf(tx)
    .insertInto('connector_stream')
    .values({
      connection_id: place.connectionId,
      stream: place.stream,
      status: 'never',
      reason: null,
      ok_at: null,
      ...values,
    })
    .onConflict((conflict) => conflict.columns(['connection_id', 'stream']).doUpdateSet(values))
    .execute();
}

export async function countPage(
  tx: Transaction,
  syncId: string,
  stream: string,
  page: { entities: number; added: number; changed: number; events: number; problems: readonly string[] },
): Promise<void> {
  await tablesOf(tx)
    .updateTable('connector_sync_stream')
    .set((eb) => ({
      status: 'running',
      pages: eb('pages', '+', 1),
      entities: eb('entities', '+', page.entities),
      added: eb('added', '+', page.added),
      changed: eb('changed', '+', page.changed),
      events: eb('events', '+', page.events),
      ...(page.problems.length > 0 ? { problems: JSON.stringify(page.problems) } : {}),
    }))
    .where('sync_id', '=', syncId)
    .where('stream', '=', stream)
    .execute();
}

/** Ends the read of one stream: its state for the connection and for the sync. */
export async function endStream(
  tx: Transaction,
  place: { readonly connectionId: string; readonly stream: string; readonly syncId: string; readonly at: Date },
  end: {
    readonly status: Exclude<StreamStatus, 'never'>;
    readonly reason: string | null;
    readonly mark?: StreamMark;
    readonly removed: number;
  },
): Promise<void> {
  const isRead = end.status === 'ok' || end.status === 'partial';
  const values = {
    status: end.status,
    reason: end.reason,
    read_at: place.at,
    position: null,
    seen: null,
    ...(isRead ? { ok_at: place.at } : {}),
    ...(end.mark && isRead ? { mark: JSON.stringify(end.mark) } : {}),
  };
  const tables = tablesOf(tx);
  await tables
    .insertInto('connector_stream')
    .values({ connection_id: place.connectionId, stream: place.stream, position_sync: null, ok_at: null, ...values })
    .onConflict((conflict) => conflict.columns(['connection_id', 'stream']).doUpdateSet(values))
    .execute();
  await tables
    .updateTable('connector_sync_stream')
    .set({ status: end.status, reason: end.reason, removed: end.removed })
    .where('sync_id', '=', place.syncId)
    .where('stream', '=', place.stream)
    .execute();
}

export async function endSync(
  tx: Transaction,
  id: string,
  end: {
    readonly status: 'done' | 'partial' | 'failed' | 'cancelled';
    readonly error: string | null;
    readonly at: Date;
  },
): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('connector_sync')
    .set({ status: end.status, error: end.error, ended_at: end.at })
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Connections whose time has come; their next time is set, so that a second caller doesn't take them too. */
export async function takeDue(tx: Transaction, at: Date): Promise<{ id: string }[]> {
  const tables = tablesOf(tx);
  const rows = await tables
    .selectFrom('connector_connection')
    .select(['id', 'every_minutes'])
    .where('status', '=', 'active')
    .where('next_sync_at', '<=', at)
    .orderBy('next_sync_at')
    .limit(50)
    .forUpdate()
    .skipLocked()
    .execute();
  for (const { id, every_minutes: minutes } of rows) {
    const next = minutes === null ? null : new Date(at.getTime() + minutes * 60_000);
    await tables.updateTable('connector_connection').set({ next_sync_at: next }).where('id', '=', id).execute();
  }
  return rows;
}

/** Old syncs and changes go; the newest of each connection stay. */
export async function sweepSyncs(db: Database, now: number): Promise<void> {
  await db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    const before = new Date(now - CHANGE_DAYS_KEPT * 86_400_000);
    await tables.deleteFrom('connector_change').where('at', '<', before).execute();
    const connections = await tables.selectFrom('connector_connection').select('id').execute();
    for (const { id } of connections) {
      const old = await tables
        .selectFrom('connector_sync')
        .select('id')
        .where('connection_id', '=', id)
        .where('status', 'not in', ['queued', 'running'])
        .orderBy('created_at', 'desc')
        .offset(SYNCS_KEPT)
        .limit(500)
        .execute();
      if (old.length > 0) {
        await tables
          .deleteFrom('connector_sync')
          .where(
            'id',
            'in',
            old.map((one) => one.id),
          )
          .execute();
      }
    }
  });
}
