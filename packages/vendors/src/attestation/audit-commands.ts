import {
  type Actor,
  appendAudit,
  authorize,
  describeActor,
  type Queryable,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import { parseInput } from '../context.ts';
import { InputInvalid, NotFound, StateConflict } from '../errors.ts';
import { addFindings, findingInput } from '../pentest/new-finding.ts';
import { readSeverityPolicy } from '../pentest/severity-policy.ts';
import { insertFile, readUpload } from '../register/file-store.ts';
import type { Upload } from '../register/vendor-commands.ts';
import { loadVendor } from '../register/vendor-store.ts';
import type { AssuranceContext } from './assurance-context.ts';
import { assuranceTablesOf } from './assurance-tables.ts';
import {
  type Audit,
  type AuditResult,
  type AuditRun,
  ensureRun,
  listAudits,
  listRuns,
  loadAudit,
  lockRun,
  OUTCOMES,
} from './audit-store.ts';
import { addMonths, calendarDay, dayAt } from './calendar-day.ts';

const FILES_MAX = 20;

export const auditPlan = z.strictObject({
  checklist: z.string().max(60),
  title: z.string().trim().max(200).default(''),
  owner: z.string().trim().min(1).max(120),
  firstDueOn: calendarDay,
  /** Null: once. Left out: as often as the checklist says. */
  everyMonths: z.int().min(1).max(60).nullable().optional(),
});
export const auditResultInput = z.strictObject({
  outcome: z.enum(OUTCOMES),
  note: z.string().trim().max(4_000).default(''),
});

/** The day of the next occurrence: months are counted from the day it was due, days that are past are skipped. */
function nextDue(dueOn: string, everyMonths: number, today: string): string {
  let times = 1;
  while (addMonths(dueOn, everyMonths * times) <= today) times += 1;
  return addMonths(dueOn, everyMonths * times);
}

/** Makes what is missing of the next occurrences: for a plan that recurs and has none open. Returns how many. */
export async function ensureOccurrences(db: Queryable, now: number): Promise<number> {
  const plans = (await listAudits(db)).filter(({ endedAt, everyMonths }) => endedAt === null && everyMonths !== null);
  const runs = Map.groupBy(
    await listRuns(
      db,
      plans.map(({ id }) => id),
    ),
    ({ auditId }) => auditId,
  );
  let made = 0;
  for (const { id, everyMonths } of plans) {
    const mine = runs.get(id) ?? [];
    const [last] = mine;
    if (!last || everyMonths === null || mine.some(({ doneAt }) => doneAt === null)) continue;
    await ensureRun(db, id, nextDue(last.dueOn, everyMonths, dayAt(now)), now);
    made += 1;
  }
  return made;
}

/** Our own audits: planned once, carried out again and again. */
export function createAuditCommands(context: AssuranceContext) {
  const { db, clock, envelope, checklists } = context;

  const inRun = async <Result>(
    actor: Actor,
    runId: string,
    action: string,
    write: (
      tx: Transaction,
      found: { run: AuditRun; audit: Audit; at: number },
    ) => Promise<{ detail: Record<string, unknown>; result: Result }>,
  ): Promise<Result> => {
    authorize(actor, 'vendor.write');
    const at = clock.now();
    return db.transaction(async (tx) => {
      const run = await lockRun(tx, runId);
      const audit = await loadAudit(tx, run.auditId);
      if (run.doneAt !== null) throw new StateConflict('This occurrence is done.');
      const { detail, result } = await write(tx, { run, audit, at });
      const target = { type: 'audit', id: audit.id, name: audit.title };
      await appendAudit(tx, { actor, action, target, detail: { vendor: audit.vendorId, run: runId, ...detail }, at });
      return result;
    });
  };
  const saveResult = async (tx: Transaction, run: AuditRun, itemId: string, result: AuditResult): Promise<void> => {
    const results = JSON.stringify({ ...run.results, [itemId]: result });
    await assuranceTablesOf(tx).updateTable('vendor_audit_runs').set({ results }).where('id', '=', run.id).execute();
  };
  const checkItem = (audit: Audit, itemId: string): void => {
    if (!audit.checklist.items.some(({ id }) => id === itemId))
      throw new NotFound('There is no such item.', { item: itemId });
  };

  return {
    checklists,

    /** Plans an audit of a vendor; its first occurrence exists from now on. */
    async plan(actor: Actor, vendorId: string, raw: unknown): Promise<Audit> {
      authorize(actor, 'vendor.write');
      const input = parseInput(auditPlan, raw);
      const checklist = checklists.find(({ id }) => id === input.checklist);
      if (!checklist) throw new InputInvalid(`There is no checklist named ${input.checklist}.`);
      const at = clock.now();
      const id = uuidv7(at);
      return db.transaction(async (tx) => {
        const vendor = await loadVendor(tx, vendorId);
        const title = input.title || checklist.title;
        const everyMonths = input.everyMonths === undefined ? checklist.everyMonths : input.everyMonths;
        const row = { id, vendor_id: vendor.id, title, checklist: JSON.stringify(checklist), owner: input.owner };
        await assuranceTablesOf(tx)
          .insertInto('vendor_audits')
          .values({
            ...row,
            every_months: everyMonths,
            ended_at: null,
            created_by: describeActor(actor).name,
            created_at: new Date(at),
          })
          .execute();
        await ensureRun(tx, id, input.firstDueOn, at);
        const detail = { vendor: vendor.id, checklist: checklist.id, firstDueOn: input.firstDueOn, everyMonths };
        await appendAudit(tx, {
          actor,
          action: 'audit.planned',
          target: { type: 'audit', id, name: title },
          detail,
          at,
        });
        return loadAudit(tx, id);
      });
    },

    record(actor: Actor, runId: string, itemId: string, raw: unknown): Promise<void> {
      const input = parseInput(auditResultInput, raw);
      return inRun(actor, runId, 'audit.item_recorded', async (tx, { run, audit, at }) => {
        checkItem(audit, itemId);
        const files = run.results[itemId]?.files ?? [];
        await saveResult(tx, run, itemId, { ...input, files, by: describeActor(actor).name, at });
        return { detail: { item: itemId, outcome: input.outcome }, result: undefined };
      });
    },

    /** Evidence for one item, sealed like every file. */
    async attach(actor: Actor, runId: string, itemId: string, upload: Upload): Promise<void> {
      authorize(actor, 'vendor.write');
      const file = await readUpload(context.files, upload.name, upload.bytes);
      return inRun(actor, runId, 'audit.evidence_added', async (tx, { run, audit, at }) => {
        checkItem(audit, itemId);
        const known = run.results[itemId];
        if (!known) throw new StateConflict('Record the item first, then attach what shows it.');
        if (known.files.length >= FILES_MAX) throw new StateConflict(`An item holds ${FILES_MAX} files at most.`);
        const by = describeActor(actor).name;
        const kept = await insertFile(tx, envelope, file, { vendorId: audit.vendorId, purpose: 'evidence', by, at });
        await saveResult(tx, run, itemId, { ...known, files: [...known.files, { id: kept.id, name: kept.name }] });
        return { detail: { item: itemId, file: kept.sha256 }, result: undefined };
      });
    },

    /** Ends an occurrence: every "fail" becomes a finding, and the next occurrence is made, in one transaction. */
    complete(actor: Actor, runId: string): Promise<{ findings: readonly string[]; nextDueOn: string | null }> {
      return inRun(actor, runId, 'audit.completed', async (tx, { run, audit, at }) => {
        const open = audit.checklist.items.filter(({ id }) => run.results[id] === undefined);
        if (open.length > 0) throw new StateConflict(`Not recorded yet: ${open.map(({ id }) => id).join(', ')}.`);
        const failed = audit.checklist.items.filter(({ id }) => run.results[id]?.outcome === 'fail');
        const policy = await readSeverityPolicy(tx, context.severityPolicy);
        const inputs = failed.map(({ id, text, evidence, severity }) =>
          findingInput.parse({
            reference: id,
            title: `Not so: ${text}`,
            description: run.results[id]?.note ?? '',
            recommendation: evidence,
            severity,
          }),
        );
        const origin = {
          vendorId: audit.vendorId,
          auditRunId: run.id,
          side: 'own' as const,
          owner: audit.owner,
          foundOn: dayAt(at),
          policy,
          at,
        };
        const findings = await addFindings(tx, inputs, origin);
        const done = { done_at: new Date(at), done_by: describeActor(actor).name };
        await assuranceTablesOf(tx).updateTable('vendor_audit_runs').set(done).where('id', '=', run.id).execute();
        const isOver = audit.everyMonths === null || audit.endedAt !== null;
        const nextDueOn = isOver ? null : nextDue(run.dueOn, audit.everyMonths ?? 0, dayAt(at));
        if (nextDueOn !== null) await ensureRun(tx, audit.id, nextDueOn, at);
        return { detail: { findings: findings.length, nextDueOn }, result: { findings, nextDueOn } };
      });
    },

    /** No further occurrence; an open one can still be done. */
    async end(actor: Actor, auditId: string): Promise<Audit> {
      authorize(actor, 'vendor.write');
      const at = clock.now();
      return db.transaction(async (tx) => {
        const audit = await loadAudit(tx, auditId);
        if (audit.endedAt !== null) throw new StateConflict('The audit has ended already.');
        await assuranceTablesOf(tx)
          .updateTable('vendor_audits')
          .set({ ended_at: new Date(at) })
          .where('id', '=', auditId)
          .execute();
        const target = { type: 'audit', id: auditId, name: audit.title };
        await appendAudit(tx, { actor, action: 'audit.ended', target, detail: { vendor: audit.vendorId }, at });
        return loadAudit(tx, auditId);
      });
    },
  };
}
