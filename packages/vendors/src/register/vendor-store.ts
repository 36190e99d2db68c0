import type { Queryable, Transaction } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { NotFound } from '../errors.ts';
import { LIST_MAX, tablesOf, type VendorsTables } from '../tables.ts';
import type { Dependence } from './fourth-parties.ts';
import type { Subprocessor } from './subprocessor-list.ts';
import { type Stage, STAGES, type Vendor, type VendorProfile, vendorProfile, type VendorTask } from './vendor.ts';

function toVendor(row: Selectable<VendorsTables['vendors']>, appIds: readonly string[]): Vendor {
  return {
    id: row.id,
    name: row.name,
    stage: STAGES.find((stage) => stage === row.stage) ?? 'intake',
    profile: vendorProfile.parse(row.profile),
    appIds,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export async function listVendors(db: Queryable): Promise<Vendor[]> {
  const rows = await tablesOf(db).selectFrom('vendors').selectAll().orderBy('name').limit(LIST_MAX).execute();
  const links = await tablesOf(db)
    .selectFrom('vendor_apps')
    .selectAll()
    .limit(LIST_MAX * 10)
    .execute();
  const apps = Map.groupBy(links, (link) => link.vendor_id);
  return rows.map((row) =>
    toVendor(
      row,
      (apps.get(row.id) ?? []).map((link) => link.app_id),
    ),
  );
}

export async function loadVendor(db: Queryable, id: string): Promise<Vendor> {
  const row = await tablesOf(db).selectFrom('vendors').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('There is no such vendor.', { vendor: id });
  const links = await tablesOf(db).selectFrom('vendor_apps').select('app_id').where('vendor_id', '=', id).execute();
  return toVendor(
    row,
    links.map((link) => link.app_id),
  );
}

export async function lockVendor(tx: Transaction, id: string): Promise<Vendor> {
  await tablesOf(tx).selectFrom('vendors').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  return loadVendor(tx, id);
}

export async function insertVendor(
  tx: Transaction,
  { id, name, profile, at }: { id: string; name: string; profile: VendorProfile; at: Date },
): Promise<void> {
  const row = { id, name, stage: 'intake', profile: JSON.stringify(profile), created_at: at, updated_at: at };
  await tablesOf(tx).insertInto('vendors').values(row).execute();
}

export async function updateVendor(
  tx: Transaction,
  id: string,
  change: { name?: string; stage?: Stage; profile?: VendorProfile; at: Date },
): Promise<void> {
  const { name, stage, profile, at } = change;
  await tablesOf(tx)
    .updateTable('vendors')
    .set({
      updated_at: at,
      ...(name === undefined ? {} : { name }),
      ...(stage === undefined ? {} : { stage }),
      ...(profile === undefined ? {} : { profile: JSON.stringify(profile) }),
    })
    .where('id', '=', id)
    .execute();
}

/** An app that another vendor had goes over to this one. */
export async function setVendorApps(tx: Transaction, id: string, appIds: readonly string[]): Promise<void> {
  await tablesOf(tx).deleteFrom('vendor_apps').where('vendor_id', '=', id).execute();
  if (appIds.length === 0) return;
  await tablesOf(tx)
    .insertInto('vendor_apps')
    .values([...new Set(appIds)].map((appId) => ({ app_id: appId, vendor_id: id })))
    .onConflict((conflict) => conflict.column('app_id').doUpdateSet({ vendor_id: id }))
    .execute();
}

export async function replaceSubprocessors(
  tx: Transaction,
  id: string,
  input: { readonly list: readonly Subprocessor[]; readonly source: string; readonly at: Date },
): Promise<void> {
  await tablesOf(tx).deleteFrom('vendor_subprocessors').where('vendor_id', '=', id).execute();
  const rows = input.list.map((one) => ({ vendor_id: id, ...one, source: input.source, seen_at: input.at }));
  if (rows.length > 0) await tablesOf(tx).insertInto('vendor_subprocessors').values(rows).execute();
}

export interface StoredSubprocessor extends Subprocessor {
  readonly source: string;
  readonly seenAt: number;
}

export async function listSubprocessors(db: Queryable, id: string): Promise<StoredSubprocessor[]> {
  const rows = await tablesOf(db)
    .selectFrom('vendor_subprocessors')
    .selectAll()
    .where('vendor_id', '=', id)
    .orderBy('name')
    .limit(LIST_MAX)
    .execute();
  return rows.map(({ key, name, country, purpose, source, seen_at: seen }) => ({
    key,
    name,
    country,
    purpose,
    source,
    seenAt: seen.getTime(),
  }));
}

export async function listDependences(db: Queryable): Promise<Dependence[]> {
  const rows = await tablesOf(db)
    .selectFrom('vendor_subprocessors as s')
    .innerJoin('vendors as v', 'v.id', 's.vendor_id')
    .select(['v.id', 'v.name as vendor', 'v.profile', 's.key', 's.name', 's.country', 's.purpose'])
    .where('v.stage', '!=', 'ended')
    .limit(LIST_MAX * 50)
    .execute();
  return rows.map((row) => ({
    vendorId: row.id,
    vendorName: row.vendor,
    tier: vendorProfile.parse(row.profile).tier,
    key: row.key,
    name: row.name,
    country: row.country,
    purpose: row.purpose,
  }));
}

export async function listTasks(db: Queryable, vendorId: string): Promise<VendorTask[]> {
  const rows = await tablesOf(db)
    .selectFrom('vendor_tasks')
    .selectAll()
    .where('vendor_id', '=', vendorId)
    .orderBy('position')
    .limit(LIST_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    title: row.title,
    proof: row.proof,
    doneAt: row.done_at?.getTime() ?? null,
    doneBy: row.done_by,
  }));
}

export async function insertTasks(
  tx: Transaction,
  vendorId: string,
  tasks: readonly { id: string; kind: string; title: string }[],
  at: Date,
): Promise<void> {
  await tablesOf(tx).deleteFrom('vendor_tasks').where('vendor_id', '=', vendorId).execute();
  await tablesOf(tx)
    .insertInto('vendor_tasks')
    .values(
      tasks.map((task, position) => ({
        ...task,
        vendor_id: vendorId,
        position,
        proof: null,
        done_at: null,
        done_by: null,
        created_at: at,
      })),
    )
    .execute();
}

export async function finishTask(
  tx: Transaction,
  input: { vendorId: string; taskId: string; proof: unknown; by: string; at: Date },
): Promise<void> {
  await tablesOf(tx)
    .updateTable('vendor_tasks')
    .set({ proof: JSON.stringify(input.proof), done_at: input.at, done_by: input.by })
    .where('id', '=', input.taskId)
    .where('vendor_id', '=', input.vendorId)
    .execute();
}
