import { type Queryable, uuidv7 } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import { NotFound } from '../errors.ts';
import { LIST_MAX } from '../tables.ts';
import { type AssuranceTables, assuranceTablesOf } from './assurance-tables.ts';
import { type Checklist, checklistSchema } from './checklist.ts';

export const OUTCOMES = ['pass', 'fail', 'not_applicable'] as const;
const result = z.object({
  outcome: z.enum(OUTCOMES),
  note: z.string(),
  files: z.array(z.object({ id: z.string(), name: z.string() })),
  by: z.string(),
  at: z.number(),
});
export type AuditResult = z.output<typeof result>;
const results = z.record(z.string(), result);

/** Our own audit of a vendor, with the checklist as it was when it was planned. */
export interface Audit {
  readonly id: string;
  readonly vendorId: string;
  readonly title: string;
  readonly checklist: Checklist;
  readonly owner: string;
  /** Null: once. */
  readonly everyMonths: number | null;
  readonly endedAt: number | null;
  readonly createdAt: number;
}

/** One occurrence of an audit. */
export interface AuditRun {
  readonly id: string;
  readonly auditId: string;
  readonly dueOn: string;
  readonly results: Readonly<Record<string, AuditResult>>;
  readonly doneAt: number | null;
  readonly doneBy: string | null;
}

function toAudit(row: Selectable<AssuranceTables['vendor_audits']>): Audit {
  return {
    id: row.id,
    vendorId: row.vendor_id,
    title: row.title,
    checklist: checklistSchema.parse(row.checklist),
    owner: row.owner,
    everyMonths: row.every_months,
    endedAt: row.ended_at?.getTime() ?? null,
    createdAt: row.created_at.getTime(),
  };
}

function toRun(row: Selectable<AssuranceTables['vendor_audit_runs']>): AuditRun {
  return {
    id: row.id,
    auditId: row.audit_id,
    dueOn: row.due_on,
    results: results.parse(row.results),
    doneAt: row.done_at?.getTime() ?? null,
    doneBy: row.done_by,
  };
}

export async function listAudits(db: Queryable, vendorId?: string): Promise<Audit[]> {
  let query = assuranceTablesOf(db).selectFrom('vendor_audits').selectAll();
  if (vendorId !== undefined) query = query.where('vendor_id', '=', vendorId);
  return (await query.orderBy('created_at', 'desc').limit(LIST_MAX).execute()).map(toAudit);
}

export async function loadAudit(db: Queryable, id: string): Promise<Audit> {
  const row = await assuranceTablesOf(db)
    .selectFrom('vendor_audits')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) throw new NotFound('There is no such audit.', { audit: id });
  return toAudit(row);
}

/** Occurrences of these audits, the latest first. */
export async function listRuns(db: Queryable, auditIds: readonly string[]): Promise<AuditRun[]> {
  if (auditIds.length === 0) return [];
  const query = assuranceTablesOf(db)
    .selectFrom('vendor_audit_runs')
    .selectAll()
    .where('audit_id', 'in', [...auditIds]);
  return (await query.orderBy('due_on', 'desc').limit(LIST_MAX).execute()).map(toRun);
}

export async function lockRun(tx: Queryable, id: string): Promise<AuditRun> {
  const query = assuranceTablesOf(tx).selectFrom('vendor_audit_runs').selectAll().where('id', '=', id).forUpdate();
  const row = await query.executeTakeFirst();
  if (!row) throw new NotFound('There is no such occurrence of an audit.', { run: id });
  return toRun(row);
}

/** Makes an occurrence, unless it exists: whoever comes second changes nothing. */
export async function ensureRun(tx: Queryable, auditId: string, dueOn: string, at: number): Promise<void> {
  await assuranceTablesOf(tx)
    .insertInto('vendor_audit_runs')
    .values({
      id: uuidv7(at),
      audit_id: auditId,
      due_on: dueOn,
      results: '{}',
      done_at: null,
      done_by: null,
      created_at: new Date(at),
    })
    .onConflict((conflict) => conflict.columns(['audit_id', 'due_on']).doNothing())
    .execute();
}
