import { type Actor, appendAudit, authorize, describeActor, type Queryable, uuidv7 } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { parseInput, type VendorsContext } from '../context.ts';
import { ContentUnrecognised, NotFound } from '../errors.ts';
import { insertFile, isPicture, readAs } from '../register/file-store.ts';
import type { Upload } from '../register/vendor-commands.ts';
import { loadVendor } from '../register/vendor-store.ts';
import { tablesOf, type VendorsTables } from '../tables.ts';
import type { Clock, ContractCheck } from './check.ts';

const confirmation = z.object({
  verdict: z.enum(['confirmed', 'rejected']),
  /** What the person says the clock is, in hours, where the machine read it wrong. */
  hours: z.number().positive().max(100_000).nullable(),
  note: z.string().max(2_000),
  by: z.string(),
  at: z.number(),
});
type Confirmation = z.output<typeof confirmation>;
export const confirmationInput = z.strictObject({
  verdict: z.enum(['confirmed', 'rejected']),
  hours: confirmation.shape.hours.default(null),
  note: confirmation.shape.note.default(''),
});

export interface Contract {
  readonly id: string;
  readonly vendorId: string;
  readonly fileId: string;
  readonly title: string;
  readonly check: ContractCheck;
  readonly confirmations: Readonly<Record<string, Confirmation>>;
  readonly createdAt: number;
}

function toContract(row: Selectable<VendorsTables['vendor_contracts']>): Contract {
  return {
    id: row.id,
    vendorId: row.vendor_id,
    fileId: row.file_id,
    title: row.title,
    check: row.result as ContractCheck, // written by addContract from checkContract's own result
    confirmations: z.record(z.string(), confirmation).parse(row.confirmations),
    createdAt: row.created_at.getTime(),
  };
}

export async function listContracts(db: Queryable, vendorId?: string): Promise<Contract[]> {
  let query = tablesOf(db).selectFrom('vendor_contracts').selectAll().orderBy('created_at', 'desc').limit(200);
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  return (await query.execute()).map(toContract);
}

export async function loadContract(db: Queryable, id: string): Promise<Contract> {
  const row = await tablesOf(db).selectFrom('vendor_contracts').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new NotFound('There is no such contract.', { contract: id });
  return toContract(row);
}

/** A clock of a vendor's contract, for whoever must keep it in an incident. */
export interface ContractClock extends Clock {
  readonly vendorId: string;
  readonly contractId: string;
  readonly title: string;
  readonly isConfirmed: boolean;
}

/** The clocks of all contracts, rejected ones left out; what a person said stands before what the machine read. */
export async function listContractClocks(db: Queryable, vendorId?: string): Promise<ContractClock[]> {
  const contracts = await listContracts(db, vendorId);
  return contracts.flatMap(({ id, vendorId: vendor, title, check, confirmations }) =>
    check.clocks.flatMap((clock) => {
      const said = confirmations[clock.clause];
      if (said?.verdict === 'rejected') return [];
      const given =
        said && said.hours !== null
          ? { unit: 'hours' as const, value: said.hours, hours: said.hours, businessDays: null }
          : {};
      return [{ ...clock, ...given, vendorId: vendor, contractId: id, title, isConfirmed: said !== undefined }];
    }),
  );
}

export function createContractCommands(context: VendorsContext) {
  const { db, clock, envelope } = context;
  return {
    /** Keeps a contract and checks its clauses. */
    async add(actor: Actor, vendorId: string, upload: Upload): Promise<Contract> {
      authorize(actor, 'vendor.write');
      if (isPicture(upload.bytes)) throw new ContentUnrecognised('A contract is a PDF, a Word document or text.');
      const { document, check } = await context.files.check(upload.bytes);
      const file = readAs(upload.name, upload.bytes, document);
      const at = clock.now();
      const id = uuidv7(at);
      return db.transaction(async (tx) => {
        const vendor = await loadVendor(tx, vendorId);
        const by = describeActor(actor).name;
        const kept = await insertFile(tx, envelope, file, { vendorId: vendor.id, purpose: 'contract', by, at });
        await tablesOf(tx)
          .insertInto('vendor_contracts')
          .values({
            id,
            vendor_id: vendorId,
            file_id: kept.id,
            title: kept.name,
            result: JSON.stringify(check),
            confirmations: '{}',
            created_at: new Date(at),
          })
          .execute();
        const target = { type: 'contract', id, name: kept.name };
        const detail = { vendor: vendor.id, file: kept.sha256, findings: check.findings.length };
        await appendAudit(tx, { actor, action: 'contract.checked', target, detail, at });
        return loadContract(tx, id);
      });
    },

    /** A person's word on what was read: it stands before the machine's. */
    async confirm(actor: Actor, id: string, clauseId: string, raw: unknown): Promise<Contract> {
      authorize(actor, 'vendor.write');
      const input = parseInput(confirmationInput, raw);
      const at = clock.now();
      return db.transaction(async (tx) => {
        await tablesOf(tx).selectFrom('vendor_contracts').select('id').where('id', '=', id).forUpdate().execute();
        const contract = await loadContract(tx, id);
        if (!contract.check.clauses.some((one) => one.id === clauseId)) throw new NotFound('There is no such clause.');
        const confirmations = {
          ...contract.confirmations,
          [clauseId]: { ...input, by: describeActor(actor).name, at },
        };
        await tablesOf(tx)
          .updateTable('vendor_contracts')
          .set({ confirmations: JSON.stringify(confirmations) })
          .where('id', '=', id)
          .execute();
        const target = { type: 'contract', id, name: contract.title };
        await appendAudit(tx, {
          actor,
          action: `contract.clause_${input.verdict}`,
          target,
          detail: { clause: clauseId, ...input },
          at,
        });
        return loadContract(tx, id);
      });
    },
  };
}
