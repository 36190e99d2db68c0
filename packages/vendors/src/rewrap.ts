import type { Database, SecretEnvelope } from '@cordon/kernel';
import { EXPORT_KEY_CONTEXT } from './export/export-commands.ts';
import { monitoringTablesOf } from './monitoring/monitoring-tables.ts';
import { tablesOf } from './tables.ts';

const BATCH_MAX = 20;

interface Sealed {
  readonly id: string;
  readonly sealed: string;
}

async function rewrapExportKey(db: Database, envelope: SecretEnvelope): Promise<number> {
  const row = await monitoringTablesOf(db).selectFrom('vendor_export_key').select('sealed').executeTakeFirst();
  const sealed = row ? envelope.rewrap(row.sealed, EXPORT_KEY_CONTEXT) : null;
  if (sealed === null) return 0;
  await monitoringTablesOf(db).updateTable('vendor_export_key').set({ sealed }).where('id', '=', 1).execute();
  return 1;
}

/** Wraps anew what an older key-encryption key had wrapped: files, their texts and portal links. Returns how many. */
export async function rewrapVendorSecrets(db: Database, envelope: SecretEnvelope): Promise<number> {
  const tables = tablesOf(db);
  const current = `cse1.${envelope.currentKeyId}.%`;
  const renew = async (
    rows: readonly Sealed[],
    context: string,
    save: (id: string, was: string, is: string) => Promise<unknown>,
  ) => {
    let count = 0;
    for (const { id, sealed } of rows) {
      const again = envelope.rewrap(sealed, `${context}:${id}`);
      if (again === null) continue;
      await save(id, sealed, again);
      count += 1;
    }
    return count;
  };
  const files = await tables
    .selectFrom('vendor_files')
    .select(['id', 'sealed'])
    .where('sealed', 'not like', current)
    .limit(BATCH_MAX)
    .execute();
  const texts = await tables
    .selectFrom('vendor_files')
    .select(['id', 'sealed_text as sealed'])
    .where('sealed_text', 'not like', current)
    .$narrowType<{ sealed: string }>()
    .limit(BATCH_MAX)
    .execute();
  const links = await tables
    .selectFrom('portal_links')
    .select(['id', 'sealed'])
    .where('sealed', 'not like', current)
    .limit(BATCH_MAX)
    .execute();
  return (
    (await rewrapExportKey(db, envelope)) +
    (await renew(files, 'vendor-file', (id, was, sealed) =>
      tables.updateTable('vendor_files').set({ sealed }).where('id', '=', id).where('sealed', '=', was).execute(),
    )) +
    (await renew(texts, 'vendor-file-text', (id, was, sealed) =>
      tables
        .updateTable('vendor_files')
        .set({ sealed_text: sealed })
        .where('id', '=', id)
        .where('sealed_text', '=', was)
        .execute(),
    )) +
    (await renew(links, 'portal-link', (id, was, sealed) =>
      tables.updateTable('portal_links').set({ sealed }).where('id', '=', id).where('sealed', '=', was).execute(),
    ))
  );
}
