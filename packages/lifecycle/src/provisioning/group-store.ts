import type { Queryable, Transaction } from '@cordon/kernel';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { GroupLink, PlannedGroup } from './group-plan.ts';
import { differencesSchema } from './provision-store.ts';
import type { ProvisionTables } from './provision-tables.ts';
import type { ItemState, ProvisionGroupItem } from './target.ts';

const GROUPS_MAX = 1_000;
const DETAIL_CHARS_MAX = 1_000;
const tablesOf = (db: Queryable): Kysely<ProvisionTables> => db.tables<ProvisionTables>();

const pushedSchema = z.object({ displayName: z.string(), members: z.array(z.string()), made: z.boolean() });
const idsSchema = z.array(z.string());

export async function listGroupLinks(db: Queryable, targetId: string): Promise<GroupLink[]> {
  const rows = await tablesOf(db)
    .selectFrom('provision_group_link')
    .selectAll()
    .where('target_id', '=', targetId)
    .orderBy('group_id')
    .limit(GROUPS_MAX)
    .execute();
  return rows.map((row) => ({
    groupId: row.group_id,
    groupName: row.group_name,
    remoteId: row.remote_id,
    pushed: pushedSchema.parse(row.pushed),
  }));
}

export async function saveGroupLink(
  db: Queryable,
  link: GroupLink & { readonly targetId: string; readonly at: number },
): Promise<void> {
  const values = {
    group_name: link.groupName,
    remote_id: link.remoteId,
    pushed: JSON.stringify(link.pushed),
    at: new Date(link.at),
  };
  await tablesOf(db)
    .insertInto('provision_group_link')
    .values({ target_id: link.targetId, group_id: link.groupId, ...values })
    .onConflict((conflict) => conflict.columns(['target_id', 'group_id']).doUpdateSet(values))
    .execute();
}

export async function deleteGroupLink(db: Queryable, targetId: string, groupId: string): Promise<void> {
  await tablesOf(db)
    .deleteFrom('provision_group_link')
    .where('target_id', '=', targetId)
    .where('group_id', '=', groupId)
    .execute();
}

export async function saveGroupPlan(
  tx: Transaction,
  runId: string,
  items: readonly PlannedGroup[],
  start: { readonly state: ItemState; readonly at: number },
): Promise<void> {
  if (items.length === 0) return;
  const values = items.map((item) => ({
    run_id: runId,
    group_id: item.groupId,
    group_name: item.groupName,
    act: item.act,
    remote_id: item.remoteId,
    wanted: JSON.stringify(item.wanted),
    differences: JSON.stringify(item.differences),
    status: item.act === 'conflict' && start.state !== 'planned' ? ('task' as const) : start.state,
    detail: item.why ?? null,
    attempts: 0,
    at: new Date(start.at),
  }));
  await tablesOf(tx).insertInto('provision_group_item').values(values).execute();
}

export async function listGroupItems(
  db: Queryable,
  runId: string,
  states?: readonly ItemState[],
): Promise<ProvisionGroupItem[]> {
  let query = tablesOf(db).selectFrom('provision_group_item').selectAll().where('run_id', '=', runId);
  if (states) query = query.where('status', 'in', [...states]);
  const rows = await query.orderBy('group_name').orderBy('group_id').limit(GROUPS_MAX).execute();
  return rows.map((row) => ({
    groupId: row.group_id,
    groupName: row.group_name,
    act: row.act,
    remoteId: row.remote_id,
    wanted: idsSchema.parse(row.wanted),
    differences: differencesSchema.parse(row.differences),
    state: row.status,
    detail: row.detail,
    attempts: row.attempts,
    at: row.at.getTime(),
  }));
}

export async function countGroupAttempt(db: Queryable, runId: string, groupId: string): Promise<void> {
  await tablesOf(db)
    .updateTable('provision_group_item')
    .set((row) => ({ attempts: row('attempts', '+', 1) }))
    .where('run_id', '=', runId)
    .where('group_id', '=', groupId)
    .execute();
}

/** False when it was settled already. */
export async function settleGroupItem(
  tx: Transaction,
  which: { readonly runId: string; readonly groupId: string },
  end: { readonly state: ItemState; readonly detail: string; readonly at: number },
): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('provision_group_item')
    .set({ status: end.state, detail: end.detail.slice(0, DETAIL_CHARS_MAX), at: new Date(end.at) })
    .where('run_id', '=', which.runId)
    .where('group_id', '=', which.groupId)
    .where('status', '=', 'waiting')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
