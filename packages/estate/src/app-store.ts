import { sql } from 'kysely';
import { appEntry } from '@cordon/policy';
import type { Queryable, Transaction } from '@cordon/kernel';
import { type App, type AppOwner, type AppSettings, appSettings, type DescriptionSummary } from './app.ts';
import { NotFound } from './errors.ts';
import { LIST_MAX } from './page.ts';
import { tablesOf } from './tables.ts';
import { type CredentialRow, snapshotCredential, toStatus } from './vault/credential-status.ts';

interface AppRow {
  id: string;
  name: string;
  title: string;
  owner_id: string | null;
  owner_name: string | null;
  settings: unknown;
  operations_sha256: string | null;
  operations_bytes: number | null;
  description_summary: unknown;
  created_at: Date;
  updated_at: Date;
}

function selectApps(db: Queryable) {
  return tablesOf(db)
    .selectFrom('apps')
    .select([
      'apps.id',
      'apps.name',
      'apps.title',
      'apps.owner_id',
      'apps.owner_name',
      'apps.settings',
      'apps.operations_sha256',
      'apps.operations_bytes',
      'apps.description_summary',
      'apps.created_at',
      'apps.updated_at',
    ]);
}

function toApp(row: AppRow, credential: CredentialRow | undefined): App {
  const summary = row.description_summary as DescriptionSummary | null; // written by storeDescription only
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    owner: row.owner_id === null ? null : { id: row.owner_id, name: row.owner_name ?? row.owner_id },
    settings: appSettings.parse(row.settings),
    description: summary && row.operations_sha256 ? { ...summary, sha256: row.operations_sha256 } : null,
    credential: credential ? toStatus(credential) : null,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

export async function listApps(db: Queryable): Promise<App[]> {
  const rows = await selectApps(db).orderBy('apps.name').limit(LIST_MAX).execute();
  const credentials = await ownCredentials(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => toApp(row, credentials.get(row.id)));
}

/** What is in use at each app for all its integrations. */
async function ownCredentials(db: Queryable, appIds: readonly string[]): Promise<Map<string, CredentialRow>> {
  if (appIds.length === 0) return new Map();
  const rows = await tablesOf(db)
    .selectFrom('credentials')
    .selectAll()
    .where('app_id', 'in', [...appIds])
    .where('integration_id', 'is', null)
    .where('stage', '=', 'current')
    .where('retired_at', 'is', null)
    .execute();
  return new Map(rows.map((row) => [row.app_id, row]));
}

export async function findApp(db: Queryable, by: { id: string } | { name: string }): Promise<App | null> {
  const query = selectApps(db);
  const row = await (
    'id' in by ? query.where('apps.id', '=', by.id) : query.where('apps.name', '=', by.name)
  ).executeTakeFirst();
  return row ? toApp(row, (await ownCredentials(db, [row.id])).get(row.id)) : null;
}

export async function loadApp(db: Queryable, id: string): Promise<App> {
  const app = await findApp(db, { id });
  if (!app) throw new NotFound('There is no such app.', { app: id });
  return app;
}

/** As `loadApp`, under the row's lock: two changes of one app follow each other instead of undoing each other. */
export async function lockApp(tx: Transaction, id: string): Promise<App> {
  await tablesOf(tx).selectFrom('apps').select('id').where('id', '=', id).forUpdate().execute();
  return loadApp(tx, id);
}

/** The snapshot entry of an app, made from what is stored. */
export async function appSnapshotEntry(db: Queryable, id: string): Promise<readonly [string, unknown]> {
  const row = await selectApps(db).where('apps.id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('There is no such app.', { app: id });
  const credential = (await ownCredentials(db, [id])).get(id);
  const entry = {
    ...appSettings.parse(row.settings),
    id: row.id,
    name: row.name,
    title: row.title,
    description: row.operations_sha256 ? { sha256: row.operations_sha256, bytes: row.operations_bytes ?? 0 } : null,
    credential: credential ? snapshotCredential(credential) : null,
  };
  return [`app:${row.id}`, appEntry.parse(entry)];
}

export async function insertApp(
  tx: Transaction,
  app: { id: string; name: string; title: string; owner: AppOwner | null; settings: AppSettings; at: Date },
): Promise<void> {
  await tablesOf(tx)
    .insertInto('apps')
    .values({
      id: app.id,
      name: app.name,
      title: app.title,
      owner_id: app.owner?.id ?? null,
      owner_name: app.owner?.name ?? null,
      settings: JSON.stringify(app.settings),
      created_at: app.at,
      updated_at: app.at,
    })
    .execute();
}

export async function updateApp(
  tx: Transaction,
  id: string,
  change: { title?: string; owner?: AppOwner; settings?: AppSettings; at: Date },
): Promise<void> {
  await tablesOf(tx)
    .updateTable('apps')
    .set({
      updated_at: change.at,
      ...(change.title === undefined ? {} : { title: change.title }),
      ...(change.owner === undefined ? {} : { owner_id: change.owner.id, owner_name: change.owner.name }),
      ...(change.settings === undefined ? {} : { settings: JSON.stringify(change.settings) }),
    })
    .where('id', '=', id)
    .execute();
}

export async function deleteApp(
  tx: Transaction,
  id: string,
): Promise<{ grantIds: string[]; integrationIds: string[] }> {
  const tables = tablesOf(tx);
  const own = await tables
    .selectFrom('credentials')
    .select('integration_id')
    .where('app_id', '=', id)
    .where('integration_id', 'is not', null)
    .where('retired_at', 'is', null)
    .execute();
  const integrationIds = new Set(own.map((row) => row.integration_id ?? ''));
  const grants = await tables.selectFrom('grants').select('id').where('app_id', '=', id).execute();
  await tables.deleteFrom('apps').where('id', '=', id).execute();
  return { grantIds: grants.map((grant) => grant.id), integrationIds: [...integrationIds] };
}

export async function storeDescription(
  tx: Transaction,
  appId: string,
  input: {
    operations: { sha256: string; bytes: Uint8Array };
    source: { sha256: string; bytes: Uint8Array };
    summary: DescriptionSummary;
    at: Date;
  },
): Promise<void> {
  const tables = tablesOf(tx);
  const blobs = [
    { kind: 'operations' as const, ...input.operations },
    { kind: 'description' as const, ...input.source },
  ];
  for (const blob of blobs) {
    await tables
      .insertInto('blobs')
      .values({ sha256: blob.sha256, kind: blob.kind, bytes: Buffer.from(blob.bytes), created_at: input.at })
      .onConflict((conflict) => conflict.column('sha256').doNothing())
      .execute();
  }
  await tables
    .updateTable('apps')
    .set({
      operations_sha256: input.operations.sha256,
      operations_bytes: input.operations.bytes.byteLength,
      description_sha256: input.source.sha256,
      description_summary: JSON.stringify(input.summary),
      updated_at: input.at,
    })
    .where('id', '=', appId)
    .execute();
}

export async function readBlob(db: Queryable, sha256: string): Promise<Buffer | null> {
  const row = await tablesOf(db).selectFrom('blobs').select('bytes').where('sha256', '=', sha256).executeTakeFirst();
  return row?.bytes ?? null;
}

/** The description as it was given, for export. */
export async function readDescription(db: Queryable, appId: string): Promise<Buffer | null> {
  const row = await tablesOf(db)
    .selectFrom('apps')
    .innerJoin('blobs', 'blobs.sha256', 'apps.description_sha256')
    .select('blobs.bytes')
    .where('apps.id', '=', appId)
    .executeTakeFirst();
  return row?.bytes ?? null;
}

/** Removes blobs that no app refers to any more and that are old enough not to be in an open transaction. */
export async function sweepBlobs(db: Queryable, before: Date): Promise<number> {
  const result = await sql`delete from blobs b where b.created_at < ${before} and not exists (
    select 1 from apps a where a.operations_sha256 = b.sha256 or a.description_sha256 = b.sha256)
    and not exists (select 1 from graphql_schemas g where g.sha256 = b.sha256)`.execute(tablesOf(db));
  return Number(result.numAffectedRows ?? 0n);
}
