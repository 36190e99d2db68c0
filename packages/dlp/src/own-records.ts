import type { Queryable, Transaction } from '@cordon/kernel';
import { tablesOf } from './tables.ts';

/** What this package keeps about the past: ended scans, and incidents that nobody has to look at any more. */
export type OwnObject = 'scan' | 'incident';
export const OWN_OBJECTS: readonly OwnObject[] = ['scan', 'incident'];

const PAGE = 1_000;
const CLOSED = ['justified', 'accepted', 'dismissed', 'remediated', 'gone'];
const ENDED = ['done', 'partial', 'failed', 'cancelled'];

export interface OwnRecord {
  readonly id: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

async function page(db: Queryable, object: OwnObject, after: string): Promise<OwnRecord[]> {
  if (object === 'scan') {
    const rows = await tablesOf(db)
      .selectFrom('dlp_scan')
      .select(['id', 'requested_at', 'ended_at'])
      .where('status', 'in', ENDED)
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      createdAt: row.requested_at,
      updatedAt: row.ended_at ?? row.requested_at,
    }));
  }
  const rows = await tablesOf(db)
    .selectFrom('dlp_incident')
    .select(['id', 'first_seen', 'last_seen'])
    .where('status', 'in', CLOSED)
    .where('id', '>', after)
    .orderBy('id')
    .limit(PAGE)
    .execute();
  return rows.map((row) => ({ id: row.id, createdAt: row.first_seen, updatedAt: row.last_seen }));
}

export async function* readOwnRecords(db: Queryable, object: OwnObject): AsyncGenerator<OwnRecord> {
  for (let after = ''; ;) {
    const records = await page(db, object, after);
    yield* records;
    const last = records.at(-1);
    if (!last || records.length < PAGE) return;
    after = last.id;
  }
}

/** Forgets one, with its history, acts and evidence; false when it was gone. The audit trail keeps that it was there. */
export async function forgetOwnRecord(tx: Transaction, object: OwnObject, id: string): Promise<boolean> {
  const table = object === 'scan' ? 'dlp_scan' : 'dlp_incident';
  const row = await tablesOf(tx).deleteFrom(table).where('id', '=', id).executeTakeFirst();
  return Number(row.numDeletedRows) > 0;
}

export async function hasOwnRecord(db: Queryable, object: OwnObject, id: string): Promise<boolean> {
  const table = object === 'scan' ? 'dlp_scan' : 'dlp_incident';
  const row = await tablesOf(db).selectFrom(table).select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}
