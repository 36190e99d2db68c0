import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  requireStepUp,
  type Transaction,
  uuidv7,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import { ApproverSame, DataUnknown, InputInvalid, NameTaken, StateConflict } from './errors.ts';
import { retentionRule, retentionScope } from './retention-rule.ts';
import { retentionWorkflow } from './retention-run.ts';
import { listRules, listRuns, loadRun, type RetentionRun } from './retention-store.ts';
import { tablesOf } from './tables.ts';

const DUPLICATE = '23505';
const text = z.string().trim().min(3).max(1_000);

export const retentionRuleInput = z.strictObject({ name: z.string().trim().min(1).max(200), settings: retentionRule });
export const retentionHoldInput = z.strictObject({
  name: z.string().trim().min(1).max(200),
  scope: retentionScope,
  reason: text,
});
export const retentionExceptionInput = z.strictObject({
  scope: retentionScope,
  reason: text,
  /** Milliseconds; an exception without an end is another rule. */
  expiresAt: z.int().positive(),
});

interface RetentionDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
}

function parse<T>(schema: z.ZodType<T>, raw: unknown): T {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw new InputInvalid(z.prettifyError(parsed.error));
  return parsed.data;
}

async function activeRule(tx: Transaction, id: string): Promise<{ readonly name: string; readonly settings: unknown }> {
  const rule = await tablesOf(tx)
    .selectFrom('retention_rule')
    .select(['name', 'settings'])
    .where('id', '=', id)
    .where('status', '=', 'active')
    .forUpdate()
    .executeTakeFirst();
  if (!rule) throw new DataUnknown('There is no such retention rule.', { id });
  return rule;
}

/** Rules, holds, exceptions and runs. The worker acts; here is decided. */
export function createRetentionCommands({ db, clock, workflows }: RetentionDeps) {
  return {
    async addRule(actor: Actor, raw: z.input<typeof retentionRuleInput>): Promise<{ readonly id: string }> {
      authorize(actor, 'retention.write');
      const { name, settings } = parse(retentionRuleInput, raw);
      const at = clock.now();
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        try {
          await tablesOf(tx)
            .insertInto('retention_rule')
            .values({
              id,
              name,
              settings: JSON.stringify(settings),
              status: 'active',
              created_by: actor.name,
              created_at: new Date(at),
              updated_at: new Date(at),
              every_days: null,
              next_at: null,
            })
            .execute();
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === DUPLICATE)) throw error;
          throw new NameTaken('A retention rule of this name exists.', { name });
        }
        const target = { type: 'retention_rule', id, name };
        await appendAudit(tx, { actor, action: 'retention.rule_added', target, detail: { settings }, at });
      });
      return { id };
    },

    /** What a run planned before stays as it was planned. */
    async editRule(actor: Actor, id: string, raw: z.input<typeof retentionRuleInput>): Promise<void> {
      authorize(actor, 'retention.write');
      const { name, settings } = parse(retentionRuleInput, raw);
      const at = clock.now();
      await db.transaction(async (tx) => {
        const before = await activeRule(tx, id);
        const same = await tablesOf(tx)
          .selectFrom('retention_rule')
          .select('id')
          .where('name', '=', name)
          .where('id', '<>', id)
          .executeTakeFirst();
        if (same) throw new NameTaken('A retention rule of this name exists.', { name });
        await tablesOf(tx)
          .updateTable('retention_rule')
          .set({ name, settings: JSON.stringify(settings), updated_at: new Date(at) })
          .where('id', '=', id)
          .execute();
        const target = { type: 'retention_rule', id, name };
        const detail = { before: before.settings, settings };
        await appendAudit(tx, { actor, action: 'retention.rule_changed', target, detail, at });
      });
    },

    /** It runs no more; its runs stay as evidence, and its name becomes free. */
    async removeRule(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'retention.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const rule = await activeRule(tx, id);
        await tablesOf(tx)
          .updateTable('retention_rule')
          .set({ status: 'removed', name: `${rule.name} (removed ${id})`, next_at: null, updated_at: new Date(at) })
          .where('id', '=', id)
          .execute();
        const target = { type: 'retention_rule', id, name: rule.name };
        await appendAudit(tx, { actor, action: 'retention.rule_removed', target, detail: {}, at });
      });
    },

    /** Runs it by itself so often, from now on; null: only when somebody asks. Above its limit a run waits all the same. */
    async scheduleRule(actor: Actor, id: string, everyDays: number | null): Promise<void> {
      authorize(actor, 'retention.approve');
      const at = clock.now();
      requireStepUp(actor, 'retention.approve', at);
      await db.transaction(async (tx) => {
        const rule = await activeRule(tx, id);
        await tablesOf(tx)
          .updateTable('retention_rule')
          .set({ every_days: everyDays, next_at: everyDays === null ? null : new Date(at), updated_at: new Date(at) })
          .where('id', '=', id)
          .execute();
        const target = { type: 'retention_rule', id, name: rule.name };
        await appendAudit(tx, { actor, action: 'retention.rule_scheduled', target, detail: { everyDays }, at });
      });
    },

    async hold(actor: Actor, raw: z.input<typeof retentionHoldInput>): Promise<{ readonly id: string }> {
      authorize(actor, 'retention.write');
      const { name, scope, reason } = parse(retentionHoldInput, raw);
      const at = clock.now();
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('retention_hold')
          .values({
            id,
            name,
            scope: JSON.stringify(scope),
            reason,
            placed_by: actor.name,
            placed_at: new Date(at),
            released_by: null,
            released_at: null,
          })
          .execute();
        const target = { type: 'retention_hold', id, name };
        await appendAudit(tx, { actor, action: 'retention.hold_placed', target, detail: { scope, reason }, at });
      });
      return { id };
    },

    /** Lets what was held be deleted: privileged. */
    async release(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'retention.approve');
      const at = clock.now();
      requireStepUp(actor, 'retention.approve', at);
      await db.transaction(async (tx) => {
        const row = await tablesOf(tx)
          .updateTable('retention_hold')
          .set({ released_by: actor.name, released_at: new Date(at) })
          .where('id', '=', id)
          .where('released_at', 'is', null)
          .returning('name')
          .executeTakeFirst();
        if (!row) throw new DataUnknown('There is no such hold.', { id });
        const target = { type: 'retention_hold', id, name: row.name };
        await appendAudit(tx, { actor, action: 'retention.hold_released', target, detail: {}, at });
      });
    },

    async except(
      actor: Actor,
      ruleId: string,
      raw: z.input<typeof retentionExceptionInput>,
    ): Promise<{ readonly id: string }> {
      authorize(actor, 'retention.write');
      const { scope, reason, expiresAt } = parse(retentionExceptionInput, raw);
      const at = clock.now();
      if (expiresAt <= at) throw new InputInvalid('An exception ends in the future.');
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        const rule = await tablesOf(tx)
          .selectFrom('retention_rule')
          .select('name')
          .where('id', '=', ruleId)
          .executeTakeFirst();
        if (!rule) throw new DataUnknown('There is no such retention rule.', { id: ruleId });
        await tablesOf(tx)
          .insertInto('retention_exception')
          .values({
            id,
            rule_id: ruleId,
            scope: JSON.stringify(scope),
            reason,
            expires_at: new Date(expiresAt),
            granted_by: actor.name,
            granted_at: new Date(at),
          })
          .execute();
        const target = { type: 'retention_rule', id: ruleId, name: rule.name };
        await appendAudit(tx, {
          actor,
          action: 'retention.excepted',
          target,
          detail: { scope, reason, expiresAt },
          at,
        });
      });
      return { id };
    },

    /** Asks for a run; a dry run reads and changes nothing. */
    async start(actor: Actor, ruleId: string, mode: 'dry-run' | 'run'): Promise<RetentionRun> {
      authorize(actor, 'retention.write');
      const at = clock.now();
      const id = uuidv7(at);
      await db.transaction(async (tx) => {
        const rule = await tablesOf(tx)
          .selectFrom('retention_rule')
          .selectAll()
          .where('id', '=', ruleId)
          .where('status', '=', 'active')
          .executeTakeFirst();
        if (!rule) throw new DataUnknown('There is no such retention rule.', { id: ruleId });
        const { kind: _kind, ...by } = describeActor(actor);
        await tablesOf(tx)
          .insertInto('retention_run')
          .values({
            id,
            rule_id: ruleId,
            rule: JSON.stringify(rule.settings),
            mode,
            status: 'queued',
            requested_by: JSON.stringify(by),
            requested_at: new Date(at),
            approved_by: null,
            approved_at: null,
            cursor: null,
            evidence: null,
            evidence_sha256: null,
            error: null,
            ended_at: null,
          })
          .execute();
        const target = { type: 'retention_rule', id: ruleId, name: rule.name };
        await appendAudit(tx, { actor, action: 'retention.run_requested', target, detail: { run: id, mode }, at });
        await workflows.enqueue(tx, retentionWorkflow, id, { runId: id });
      });
      return loadRun(db, id);
    },

    /** Lets a run that waits act on exactly what it planned. */
    async approve(actor: Actor, id: string): Promise<RetentionRun> {
      authorize(actor, 'retention.approve');
      const at = clock.now();
      requireStepUp(actor, 'retention.approve', at);
      await db.transaction(async (tx) => {
        const run = await loadRun(tx, id);
        const me = describeActor(actor);
        if (run.requestedBy.id !== null && run.requestedBy.id === me.id) {
          throw new ApproverSame('Who asked for the run does not approve it: another person must.', { id });
        }
        const row = await tablesOf(tx)
          .updateTable('retention_run')
          .set({ status: 'approved', approved_by: actor.name, approved_at: new Date(at) })
          .where('id', '=', id)
          .where('status', '=', 'waiting')
          .executeTakeFirst();
        if (Number(row.numUpdatedRows) === 0) throw new StateConflict('This run does not wait for approval.', { id });
        const target = { type: 'retention_run', id, name: run.ruleId };
        await appendAudit(tx, { actor, action: 'retention.run_approved', target, detail: { counts: run.counts }, at });
        await workflows.enqueue(tx, retentionWorkflow, `${id}.approved`, { runId: id });
      });
      return loadRun(db, id);
    },
  };
}
export type RetentionCommands = ReturnType<typeof createRetentionCommands>;

const DAY_MS = 86_400_000;
const SCHEDULER: Actor = { kind: 'system', name: 'retention schedule' };

/** Begins the runs that are due by their rules' schedules; one that waits for an approval is not asked for again. */
export async function startDueRetention(deps: RetentionDeps): Promise<number> {
  const now = deps.clock.now();
  const due = (await listRules(deps.db)).filter(({ nextAt }) => nextAt !== null && nextAt.getTime() <= now);
  for (const { id, everyDays } of due) {
    const [last] = await listRuns(deps.db, id);
    const isUnderWay = last !== undefined && last.endedAt === null;
    if (!isUnderWay) await createRetentionCommands(deps).start(SCHEDULER, id, 'run');
    await tablesOf(deps.db)
      .updateTable('retention_rule')
      .set({ next_at: new Date(now + (everyDays ?? 1) * DAY_MS) })
      .where('id', '=', id)
      .execute();
  }
  return due.length;
}
