import type { Database, Queryable, SecretEnvelope, Transaction } from '@cordon/kernel';
import { type Kysely, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { ProvisionUnknown } from '../errors.ts';
import { flatSchema, mappingSchema } from './mapping.ts';
import type { Link, PlannedItem } from './plan.ts';
import type { ProvisionTables } from './provision-tables.ts';
import type { ItemState, ProvisionItem, ProvisionRun, ProvisionTarget } from './target.ts';

const TARGETS_MAX = 500;
const LINKS_MAX = 100_000;
const ITEMS_MAX = 50_000;
const ITEMS_BATCH = 1_000;
const DETAIL_CHARS_MAX = 1_000;
export const PROVISION_RUNS_MAX = 200;

const tablesOf = (db: Queryable): Kysely<ProvisionTables> => db.tables<ProvisionTables>();
const sealContext = (id: string): string => `provision-target:${id}`;

export const differencesSchema = z.array(
  z.object({
    path: z.string(),
    wanted: z.union([z.string(), z.boolean()]).nullable(),
    found: z.union([z.string(), z.boolean()]).nullable(),
    changed: z.enum(['here', 'there']),
  }),
);

function targetOf(row: Selectable<ProvisionTables['provision_target']>): ProvisionTarget {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    baseUrl: row.base_url,
    privateAddresses: row.private_addresses,
    mapping: mappingSchema.parse(row.mapping),
    groups: row.groups,
    pushGroups: row.push_groups,
    onLeave: row.on_leave,
    requestsPerS: row.requests_per_s,
    leaversMax: row.leavers_max,
    paused: row.paused,
    fingerprint: row.fingerprint,
    checkedAt: row.checked_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export async function saveProvisionTarget(
  tx: Transaction,
  target: ProvisionTarget,
  secret: { readonly envelope: SecretEnvelope; readonly token: string | undefined },
): Promise<void> {
  const sealed =
    secret.token === undefined ? {} : { sealed_token: secret.envelope.seal(secret.token, sealContext(target.id)) };
  const values = {
    name: target.name,
    kind: target.kind,
    base_url: target.baseUrl,
    private_addresses: [...target.privateAddresses],
    mapping: JSON.stringify(target.mapping),
    groups: [...target.groups],
    push_groups: [...target.pushGroups],
    on_leave: target.onLeave,
    requests_per_s: target.requestsPerS,
    leavers_max: target.leaversMax,
    paused: target.paused,
    fingerprint: target.fingerprint,
    updated_at: new Date(target.updatedAt),
    ...sealed,
  };
  const created = { id: target.id, created_at: new Date(target.createdAt), checked_at: null };
  const tables = tablesOf(tx);
  const updated = await tables
    .updateTable('provision_target')
    .set(values)
    .where('id', '=', target.id)
    .executeTakeFirst();
  if (updated.numUpdatedRows > 0n) return;
  await tables
    .insertInto('provision_target')
    .values({ sealed_token: null, ...values, ...created })
    .execute();
}

export async function listProvisionTargets(db: Queryable): Promise<ProvisionTarget[]> {
  const rows = await tablesOf(db)
    .selectFrom('provision_target')
    .selectAll()
    .orderBy('name')
    .limit(TARGETS_MAX)
    .execute();
  return rows.map(targetOf);
}

export async function loadProvisionTarget(db: Queryable, id: string, lock = false): Promise<ProvisionTarget> {
  const query = tablesOf(db).selectFrom('provision_target').selectAll().where('id', '=', id);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  if (!row) throw new ProvisionUnknown('There is no such target.', { target: id });
  return targetOf(row);
}

export async function isTargetNameTaken(db: Queryable, name: string): Promise<boolean> {
  const row = await tablesOf(db)
    .selectFrom('provision_target')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteProvisionTarget(tx: Transaction, id: string): Promise<void> {
  await tablesOf(tx).deleteFrom('provision_target').where('id', '=', id).execute();
}

export async function openTargetToken(db: Queryable, envelope: SecretEnvelope, id: string): Promise<string> {
  const row = await tablesOf(db)
    .selectFrom('provision_target')
    .select('sealed_token')
    .where('id', '=', id)
    .executeTakeFirst();
  if (row?.sealed_token == null) throw new ProvisionUnknown('The target has no token.', { target: id });
  return envelope.open(row.sealed_token, sealContext(id)).toString('utf8');
}

/** Brings sealed tokens under the newest key; returns how many were rewrapped. */
export async function rewrapProvisionTokens(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
}): Promise<number> {
  const { db, envelope } = deps;
  return db.transaction(async (tx) => {
    const tables = tablesOf(tx);
    const rows = await tables
      .selectFrom('provision_target')
      .select(['id', 'sealed_token'])
      .where('sealed_token', 'not like', `cse1.${envelope.currentKeyId}.%`)
      .limit(TARGETS_MAX)
      .forUpdate()
      .execute();
    for (const { id, sealed_token: old } of rows) {
      const sealed = old === null ? null : envelope.rewrap(old, sealContext(id));
      if (sealed === null) continue;
      await tables.updateTable('provision_target').set({ sealed_token: sealed }).where('id', '=', id).execute();
    }
    return rows.length;
  });
}

export async function markChecked(
  db: Queryable,
  id: string,
  mark: { readonly at: number; readonly fingerprint?: string },
): Promise<void> {
  const { at, fingerprint } = mark;
  await tablesOf(db)
    .updateTable('provision_target')
    .set({ checked_at: new Date(at), ...(fingerprint === undefined ? {} : { fingerprint }) })
    .where('id', '=', id)
    .execute();
}

export async function listLinks(
  db: Queryable,
  which: { readonly targetId?: string; readonly personId?: string },
): Promise<(Link & { readonly targetId: string })[]> {
  let query = tablesOf(db).selectFrom('provision_link').selectAll().orderBy('person_id').limit(LINKS_MAX);
  if (which.targetId !== undefined) query = query.where('target_id', '=', which.targetId);
  if (which.personId !== undefined) query = query.where('person_id', '=', which.personId);
  return (await query.execute()).map((row) => ({
    targetId: row.target_id,
    personId: row.person_id,
    personName: row.person_name,
    remoteId: row.remote_id,
    pushed: flatSchema.parse(row.pushed),
    state: row.state,
  }));
}

export async function saveLink(
  db: Queryable,
  link: Link & { readonly targetId: string; readonly at: number },
): Promise<void> {
  const values = {
    person_name: link.personName,
    remote_id: link.remoteId,
    pushed: JSON.stringify(link.pushed),
    state: link.state,
    at: new Date(link.at),
  };
  await tablesOf(db)
    .insertInto('provision_link')
    .values({ target_id: link.targetId, person_id: link.personId, ...values })
    .onConflict((conflict) => conflict.columns(['target_id', 'person_id']).doUpdateSet(values))
    .execute();
}

export async function insertProvisionRun(
  tx: Transaction,
  run: Pick<ProvisionRun, 'id' | 'targetId' | 'mode' | 'reason' | 'startedBy' | 'startedAt' | 'leaversAllowed'>,
): Promise<void> {
  await tablesOf(tx)
    .insertInto('provision_run')
    .values({
      id: run.id,
      target_id: run.targetId,
      mode: run.mode,
      reason: run.reason,
      leavers_allowed: run.leaversAllowed,
      started_by: run.startedBy,
      started_at: new Date(run.startedAt),
      planned_at: null,
      unmanaged: null,
      wanted: null,
      ended_at: null,
      error: null,
    })
    .execute();
}

export async function hasPushUnderWay(db: Queryable, targetId: string): Promise<boolean> {
  const row = await tablesOf(db)
    .selectFrom('provision_run')
    .select('id')
    .where('target_id', '=', targetId)
    .where('mode', '=', 'push')
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

export async function listProvisionRuns(
  db: Queryable,
  which: { readonly id?: string; readonly targetId?: string; readonly limit: number },
): Promise<ProvisionRun[]> {
  let query = tablesOf(db)
    .selectFrom('provision_run as r')
    .innerJoin('provision_target as t', 't.id', 'r.target_id')
    .selectAll('r')
    .select('t.name as target_name')
    .orderBy('r.id', 'desc')
    .limit(Math.min(which.limit, PROVISION_RUNS_MAX));
  if (which.id !== undefined) query = query.where('r.id', '=', which.id);
  if (which.targetId !== undefined) query = query.where('r.target_id', '=', which.targetId);
  const rows = await query.execute();
  if (rows.length === 0) return [];
  const counted = await tablesOf(db)
    .selectFrom('provision_item')
    .select(['run_id', 'status', (of) => of.fn.countAll<string>().as('count')])
    .where(
      'run_id',
      'in',
      rows.map(({ id }) => id),
    )
    .groupBy(['run_id', 'status'])
    .execute();
  const grouped = await tablesOf(db)
    .selectFrom('provision_group_item')
    .select(['run_id', 'status', (of) => of.fn.countAll<string>().as('count')])
    .where(
      'run_id',
      'in',
      rows.map(({ id }) => id),
    )
    .groupBy(['run_id', 'status'])
    .execute();
  return rows.map((row) => {
    const counts = { planned: 0, waiting: 0, done: 0, nothing: 0, task: 0, failed: 0 };
    for (const one of [...counted, ...grouped]) if (one.run_id === row.id) counts[one.status] += Number(one.count);
    return {
      id: row.id,
      targetId: row.target_id,
      targetName: row.target_name,
      mode: row.mode,
      reason: row.reason,
      leaversAllowed: row.leavers_allowed,
      startedBy: row.started_by,
      startedAt: row.started_at.getTime(),
      plannedAt: row.planned_at?.getTime() ?? null,
      unmanaged: row.unmanaged,
      endedAt: row.ended_at?.getTime() ?? null,
      error: row.error,
      counts,
    };
  });
}

export async function loadProvisionRun(db: Queryable, id: string): Promise<ProvisionRun> {
  const [run] = await listProvisionRuns(db, { id, limit: 1 });
  if (!run) throw new ProvisionUnknown('There is no such run.', { run: id });
  return run;
}

/** Keeps the plan; each item begins in the state its kind of run gives it. */
export async function savePlan(
  tx: Transaction,
  runId: string,
  plan: { readonly items: readonly PlannedItem[]; readonly unmanaged: number; readonly wanted: string },
  start: { readonly state: ItemState; readonly at: number },
): Promise<void> {
  const tables = tablesOf(tx);
  const at = new Date(start.at);
  for (let from = 0; from < plan.items.length; from += ITEMS_BATCH) {
    const values = plan.items.slice(from, from + ITEMS_BATCH).map((item) => ({
      run_id: runId,
      person_id: item.personId,
      person_name: item.personName,
      act: item.act,
      remote_id: item.remoteId,
      wanted: JSON.stringify(item.wanted),
      differences: JSON.stringify(item.differences),
      status: item.act === 'conflict' && start.state !== 'planned' ? ('task' as const) : start.state,
      detail: item.why ?? null,
      attempts: 0,
      at,
      closed_by: null,
    }));
    await tables.insertInto('provision_item').values(values).execute();
  }
  const mark = { planned_at: at, unmanaged: plan.unmanaged, wanted: plan.wanted };
  await tables.updateTable('provision_run').set(mark).where('id', '=', runId).execute();
}

export async function listItems(
  db: Queryable,
  runId: string,
  which: { readonly states?: readonly ItemState[]; readonly personId?: string } = {},
): Promise<ProvisionItem[]> {
  let query = tablesOf(db).selectFrom('provision_item').selectAll().where('run_id', '=', runId);
  if (which.states) query = query.where('status', 'in', [...which.states]);
  if (which.personId !== undefined) query = query.where('person_id', '=', which.personId);
  const rows = await query.orderBy('person_name').orderBy('person_id').limit(ITEMS_MAX).execute();
  return rows.map((row) => ({
    personId: row.person_id,
    personName: row.person_name,
    act: row.act,
    remoteId: row.remote_id,
    wanted: flatSchema.parse(row.wanted),
    differences: differencesSchema.parse(row.differences),
    state: row.status,
    detail: row.detail,
    attempts: row.attempts,
    at: row.at.getTime(),
    closedBy: row.closed_by,
  }));
}

/** False when it was settled already. */
export async function settleItem(
  tx: Transaction,
  which: { readonly runId: string; readonly personId: string; readonly from: readonly ItemState[] },
  end: { readonly state: ItemState; readonly detail: string; readonly at: number; readonly by?: string },
): Promise<boolean> {
  const result = await tablesOf(tx)
    .updateTable('provision_item')
    .set({
      status: end.state,
      detail: end.detail.slice(0, DETAIL_CHARS_MAX),
      at: new Date(end.at),
      ...(end.by === undefined ? {} : { closed_by: end.by }),
    })
    .where('run_id', '=', which.runId)
    .where('person_id', '=', which.personId)
    .where('status', 'in', [...which.from])
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function countAttempt(db: Queryable, runId: string, personId: string): Promise<void> {
  await tablesOf(db)
    .updateTable('provision_item')
    .set((row) => ({ attempts: row('attempts', '+', 1) }))
    .where('run_id', '=', runId)
    .where('person_id', '=', personId)
    .execute();
}

/** Tasks of earlier runs that a newer plan says anew: they are not done, they are replaced. */
export async function supersedeTasks(tx: Transaction, run: ProvisionRun, at: number): Promise<void> {
  await tablesOf(tx)
    .updateTable('provision_item')
    .set({
      status: 'nothing',
      detail: `Replaced by the plan of run ${run.id}; nobody said it was done.`,
      at: new Date(at),
    })
    .where('status', '=', 'task')
    .where('run_id', 'in', (of) =>
      of.selectFrom('provision_run').select('id').where('target_id', '=', run.targetId).where('id', '!=', run.id),
    )
    .execute();
}

/** Ends a run; true when this call ended it. `wanted` comes back for the target's fingerprint. */
export async function endProvisionRun(
  tx: Transaction,
  id: string,
  end: { readonly at: number; readonly error: string | null },
): Promise<{ readonly wanted: string | null } | null> {
  const row = await tablesOf(tx)
    .updateTable('provision_run')
    .set({ ended_at: new Date(end.at), error: end.error?.slice(0, DETAIL_CHARS_MAX) ?? null })
    .where('id', '=', id)
    .where(sql<boolean>`ended_at is null`)
    .returning('wanted')
    .executeTakeFirst();
  return row ?? null;
}
