import { sql } from 'kysely';
import { parseEntry } from '@cordon/policy';
import type { Queryable, Transaction } from '@cordon/kernel';
import { tablesOf } from './tables.ts';

/** PostgreSQL channel: payload is the new version. */
export const SNAPSHOT_CHANNEL = 'cordon_snapshot';

export interface Publication {
  readonly set?: readonly (readonly [key: string, value: unknown])[];
  readonly remove?: readonly string[];
  /** A revocation moves the epoch: gateways drop every cached identity and decision. */
  readonly revokes?: boolean;
  readonly at: number;
}

export interface SnapshotPosition {
  readonly version: number;
  readonly epoch: number;
}

/**
 * Makes a change visible to gateways, in the transaction of the change itself: what commits is published, what rolls
 * back is not. Entries are checked before they are stored, so that a gateway never meets one it must refuse.
 */
export async function publish(tx: Transaction, publication: Publication): Promise<SnapshotPosition> {
  const tables = tablesOf(tx);
  const set = (publication.set ?? []).map(([key, value]) => ({ key, value: JSON.stringify(parseEntry(key, value)) }));
  const removed = (publication.remove ?? []).map((key) => ({ key, value: null }));
  const state = await tables
    .updateTable('snapshot_state')
    .set({
      version: sql`version + 1`,
      ...(publication.revokes ? { epoch: sql`epoch + 1` } : {}),
      changed_at: new Date(publication.at),
    })
    .returning(['version', 'epoch'])
    .executeTakeFirstOrThrow();
  const rows = [...set, ...removed].map((row) => ({ ...row, version: state.version }));
  if (rows.length > 0) {
    await tables
      .insertInto('snapshot_entries')
      .values(rows)
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet((eb) => ({ value: eb.ref('excluded.value'), version: state.version })),
      )
      .execute();
  }
  await tx.notify(SNAPSHOT_CHANNEL, String(state.version));
  return state;
}

export interface PublishedChanges extends SnapshotPosition {
  readonly changedAt: number;
  readonly set: readonly (readonly [string, unknown])[];
  readonly remove: readonly string[];
  /** The answer holds every entry, not only what changed: what isn't in `set` is gone. */
  readonly complete: boolean;
}

/** Everything published after a version, as of one moment. */
export async function readChanges(db: Queryable, after: number): Promise<PublishedChanges | null> {
  const tables = tablesOf(db);
  // One statement, hence one MVCC snapshot: state and entries can't be of different moments.
  const result = await sql<{
    version: number;
    epoch: number;
    complete: boolean;
    changed_at: Date;
    key: string | null;
    value: unknown;
  }>`select s.version, s.epoch, s.changed_at, ${after} < s.horizon as complete, e.key, e.value
     from snapshot_state s left join snapshot_entries e on e.version > ${after} or ${after} < s.horizon`.execute(
    tables,
  );
  const state = result.rows[0];
  if (!state || state.version <= after) return null;
  const set: (readonly [string, unknown])[] = [];
  const remove: string[] = [];
  for (const row of result.rows) {
    if (row.key === null) continue;
    if (row.value === null) remove.push(row.key);
    else set.push([row.key, row.value]);
  }
  const { version, epoch, complete } = state;
  return { version, epoch, changedAt: state.changed_at.getTime(), set, remove, complete };
}

/** The revocation epoch alone: one indexed row, cheap enough to poll. */
export async function readPosition(db: Queryable): Promise<SnapshotPosition> {
  return tablesOf(db).selectFrom('snapshot_state').select(['version', 'epoch']).executeTakeFirstOrThrow();
}
