import type { Queryable } from '@cordon/kernel';
import type { Selectable, Updateable } from 'kysely';
import { NotFound } from '../errors.ts';
import { LIST_MAX } from '../tables.ts';
import { type AssuranceTables, assuranceTablesOf } from './assurance-tables.ts';
import { type Attestation, ATTESTATION_STATES, attestationFacts, attestationReading } from './attestation.ts';

function toAttestation(row: Selectable<AssuranceTables['vendor_attestations']>): Attestation {
  return {
    id: row.id,
    vendorId: row.vendor_id,
    fileId: row.file_id,
    kind: row.kind,
    title: row.title,
    state: ATTESTATION_STATES.find((one) => one === row.state) ?? 'proposed',
    reading: attestationReading.parse(row.reading),
    facts: row.facts === null ? null : attestationFacts.parse(row.facts),
    validFrom: row.valid_from,
    validUntil: row.valid_until,
    note: row.note,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at?.getTime() ?? null,
    createdBy: row.created_by,
    createdAt: row.created_at.getTime(),
  };
}

/** A vendor's attestations, or those of all vendors, newest first. */
export async function listAttestations(db: Queryable, vendorId?: string): Promise<Attestation[]> {
  let query = assuranceTablesOf(db).selectFrom('vendor_attestations').selectAll();
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  return (await query.orderBy('created_at', 'desc').limit(LIST_MAX).execute()).map(toAttestation);
}

export async function loadAttestation(db: Queryable, id: string): Promise<Attestation> {
  const query = assuranceTablesOf(db).selectFrom('vendor_attestations').selectAll().where('id', '=', id);
  const row = await query.executeTakeFirst();
  if (!row) throw new NotFound('There is no such attestation.', { attestation: id });
  return toAttestation(row);
}

export async function lockAttestation(tx: Queryable, id: string): Promise<Attestation> {
  const query = assuranceTablesOf(tx).selectFrom('vendor_attestations').selectAll().where('id', '=', id).forUpdate();
  const row = await query.executeTakeFirst();
  if (!row) throw new NotFound('There is no such attestation.', { attestation: id });
  return toAttestation(row);
}

type NewRow = Pick<Attestation, 'id' | 'vendorId' | 'fileId' | 'kind' | 'title' | 'reading'> & {
  readonly by: string;
  readonly at: number;
};

export async function insertAttestation(tx: Queryable, made: NewRow): Promise<void> {
  await assuranceTablesOf(tx)
    .insertInto('vendor_attestations')
    .values({
      id: made.id,
      vendor_id: made.vendorId,
      file_id: made.fileId,
      kind: made.kind,
      title: made.title,
      state: 'proposed',
      reading: JSON.stringify(made.reading),
      facts: null,
      valid_from: null,
      valid_until: null,
      note: '',
      decided_by: null,
      decided_at: null,
      created_by: made.by,
      created_at: new Date(made.at),
    })
    .execute();
}

export async function updateAttestation(
  tx: Queryable,
  id: string,
  change: Updateable<AssuranceTables['vendor_attestations']>,
): Promise<void> {
  await assuranceTablesOf(tx).updateTable('vendor_attestations').set(change).where('id', '=', id).execute();
}
