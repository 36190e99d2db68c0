import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  type Queryable,
  type SecretEnvelope,
} from '@cordon/kernel';
import { monitoringTablesOf } from '../monitoring/monitoring-tables.ts';
import { vendorOscal } from './oscal.ts';
import { signedPdf } from './pdf.ts';
import { makeSigningKey, type SigningKey } from './signature.ts';
import { readVendorFile } from './vendor-file.ts';
import { vendorLines } from './vendor-pdf.ts';

export interface ExportContext {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly random: (bytes: number) => Buffer;
  readonly publicUrl: string;
}

export const EXPORT_KEY_CONTEXT = 'vendor-export-key:1';

async function findKey(db: Queryable, envelope: SecretEnvelope): Promise<SigningKey | null> {
  const row = await monitoringTablesOf(db).selectFrom('vendor_export_key').selectAll().executeTakeFirst();
  if (!row) return null;
  return { certificate: row.certificate, key: envelope.open(row.sealed, EXPORT_KEY_CONTEXT).toString('utf8') };
}

/** The installation's key, made at first use; whoever comes second takes what the first one made. */
async function signingKey({ db, clock, envelope, random, publicUrl }: ExportContext): Promise<SigningKey> {
  const known = await findKey(db, envelope);
  if (known) return known;
  const at = clock.now();
  const made = makeSigningKey(`Cordon at ${new URL(publicUrl).host}`, at, random);
  await monitoringTablesOf(db)
    .insertInto('vendor_export_key')
    .values({
      id: 1,
      certificate: made.certificate,
      sealed: envelope.seal(made.key, EXPORT_KEY_CONTEXT),
      created_at: new Date(at),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await findKey(db, envelope)) ?? made;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, null, 2));
const fileName = (name: string): string => name.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[-.]+|-+$/g, '') || 'vendor';

export function createExportCommands(context: ExportContext) {
  const { db, clock } = context;
  return {
    /** PEM, for whoever checks an export. */
    async certificate(actor: Actor): Promise<string> {
      authorize(actor, 'vendor.read');
      return (await signingKey(context)).certificate;
    },

    async oscal(actor: Actor, vendorId: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
      authorize(actor, 'vendor.read');
      const file = await readVendorFile(db, vendorId);
      return { name: `${fileName(file.vendor.name)}-oscal.json`, bytes: json(vendorOscal(file, clock.now())) };
    },

    /** The whole vendor file as a PDF with its data in it, signed (PAdES B-B). Written down, since it leaves. */
    async pdf(actor: Actor, vendorId: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
      authorize(actor, 'vendor.read');
      const key = await signingKey(context);
      const file = await readVendorFile(db, vendorId);
      const at = clock.now();
      const files = [
        { name: 'vendor-file.json', type: 'application/json', bytes: json(file) },
        { name: 'oscal.json', type: 'application/json', bytes: json(vendorOscal(file, at)) },
      ];
      const title = `Vendor file: ${file.vendor.name}`;
      const bytes = signedPdf(
        { title, lines: vendorLines(file, at), files, reason: 'Export of the vendor file', at },
        key,
      );
      await db.transaction(async (tx) => {
        const target = { type: 'vendor', id: vendorId, name: file.vendor.name };
        await appendAudit(tx, { actor, action: 'vendor.exported', target, detail: { bytes: bytes.length }, at });
      });
      return { name: `${fileName(file.vendor.name)}.pdf`, bytes };
    },
  };
}
export type ExportCommands = ReturnType<typeof createExportCommands>;
