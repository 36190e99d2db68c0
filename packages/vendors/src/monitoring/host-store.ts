import { type Queryable, uuidv7 } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { NotFound } from '../errors.ts';
import { type HostObservation, hostObservation } from './host.ts';
import { type MonitoringTables, monitoringTablesOf } from './monitoring-tables.ts';

const HOSTS_MAX = 200;

export interface WatchedHost {
  readonly id: string;
  readonly vendorId: string;
  readonly host: string;
  readonly port: number;
  /** Where the host is known from. */
  readonly source: string;
  /** Null: not looked at yet. */
  readonly observation: HostObservation | null;
  readonly checkedAt: number | null;
  readonly dueAt: number;
}

function toHost(row: Selectable<MonitoringTables['vendor_hosts']>): WatchedHost {
  return {
    id: row.id,
    vendorId: row.vendor_id,
    host: row.host,
    port: row.port,
    source: row.source,
    observation: row.observation === null ? null : hostObservation.parse(row.observation),
    checkedAt: row.checked_at?.getTime() ?? null,
    dueAt: row.due_at.getTime(),
  };
}

export async function listHosts(db: Queryable, vendorId: string): Promise<WatchedHost[]> {
  const query = monitoringTablesOf(db).selectFrom('vendor_hosts').selectAll().where('vendor_id', '=', vendorId);
  return (await query.orderBy('host').orderBy('port').limit(HOSTS_MAX).execute()).map(toHost);
}

export async function takeDueHosts(db: Queryable, now: number, limit: number): Promise<WatchedHost[]> {
  const query = monitoringTablesOf(db).selectFrom('vendor_hosts').selectAll().where('due_at', '<=', new Date(now));
  return (await query.orderBy('due_at').limit(limit).execute()).map(toHost);
}

export async function saveObservation(db: Queryable, id: string, seen: HostObservation, dueAt: number): Promise<void> {
  await monitoringTablesOf(db)
    .updateTable('vendor_hosts')
    .set({ observation: JSON.stringify(seen), checked_at: new Date(seen.at), due_at: new Date(dueAt) })
    .where('id', '=', id)
    .execute();
}

export async function dueNow(db: Queryable, vendorId: string, at: number): Promise<number> {
  const done = await monitoringTablesOf(db)
    .updateTable('vendor_hosts')
    .set({ due_at: new Date(at) })
    .where('vendor_id', '=', vendorId)
    .executeTakeFirst();
  if (done.numUpdatedRows === 0n)
    throw new NotFound('No host of this vendor is known yet: it has no app and no website.');
  return Number(done.numUpdatedRows);
}

export interface HostPlace {
  readonly host: string;
  readonly port: number;
  readonly source: string;
}

/** Makes the list of a vendor's hosts what it should be; what was seen of those that stay is kept. */
export async function setHosts(
  db: Queryable,
  vendorId: string,
  places: readonly HostPlace[],
  at: number,
): Promise<void> {
  const tables = monitoringTablesOf(db);
  const wanted = new Map(places.slice(0, HOSTS_MAX).map((one) => [`${one.host}:${one.port}`, one]));
  const known = await tables
    .selectFrom('vendor_hosts')
    .select(['id', 'host', 'port'])
    .where('vendor_id', '=', vendorId)
    .execute();
  for (const { id, host, port } of known) {
    if (!wanted.delete(`${host}:${port}`)) await tables.deleteFrom('vendor_hosts').where('id', '=', id).execute();
  }
  const rows = [...wanted.values()].map(({ host, port, source }) => ({
    id: uuidv7(at),
    vendor_id: vendorId,
    host,
    port,
    source,
    observation: null,
    checked_at: null,
    due_at: new Date(at),
  }));
  if (rows.length === 0) return;
  await tables
    .insertInto('vendor_hosts')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
