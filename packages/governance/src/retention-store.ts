import type { Queryable, Transaction } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { DataUnknown } from './errors.ts';
import { type Exemption, retentionRule, type RetentionRule, retentionScope } from './retention-rule.ts';
import { type GovernanceTables, tablesOf } from './tables.ts';

export const ITEMS_PAGE_MAX = 500;
const EXEMPTIONS_MAX = 5_000;

export const RUN_STATUSES = [
  'queued',
  'planning',
  'waiting',
  'approved',
  'acting',
  'done',
  'failed',
  'refused',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

const counts = z.record(z.string(), z.int());
const unenforceable = z.array(
  z.object({ connectionId: z.string(), app: z.string(), object: z.string(), because: z.string() }),
);

export interface RetentionRun {
  readonly id: string;
  readonly ruleId: string;
  /** As it was when the run began. */
  readonly rule: RetentionRule;
  readonly mode: 'dry-run' | 'run';
  readonly status: RunStatus;
  readonly requestedBy: { readonly id: string | null; readonly name: string };
  readonly requestedAt: Date;
  readonly approvedBy: string | null;
  /** By verdict and by what became of what was due. */
  readonly counts: Readonly<Record<string, number>>;
  /** Visible: where a tool has no way. */
  readonly unenforceable: z.output<typeof unenforceable>;
  readonly evidence: unknown;
  readonly evidenceSha256: string | null;
  readonly error: string | null;
  readonly endedAt: Date | null;
}

export interface RetentionItem {
  readonly seq: number;
  readonly connectionId: string;
  readonly app: string;
  readonly object: string;
  readonly recordId: string;
  readonly clockAt: Date;
  readonly verdict: string;
  readonly reason: string | null;
  readonly status: string;
  readonly actionRunId: string | null;
  readonly outcome: string | null;
  readonly verifiedAt: Date | null;
  readonly error: string | null;
}

const requester = z.object({ id: z.string().nullable(), name: z.string() });

export async function loadRun(db: Queryable, id: string): Promise<RetentionRun> {
  const row = await tablesOf(db).selectFrom('retention_run').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new DataUnknown('There is no such retention run.', { id });
  return runOf(row);
}

/** Newest first. */
export async function listRuns(db: Queryable, ruleId: string): Promise<RetentionRun[]> {
  const rows = await tablesOf(db)
    .selectFrom('retention_run')
    .selectAll()
    .where('rule_id', '=', ruleId)
    .orderBy('requested_at', 'desc')
    .limit(ITEMS_PAGE_MAX)
    .execute();
  return rows.map(runOf);
}

export interface RetentionRuleRow {
  readonly id: string;
  readonly name: string;
  readonly settings: RetentionRule;
  /** It runs by itself so often; null: only when somebody asks. */
  readonly everyDays: number | null;
  readonly nextAt: Date | null;
}

/** Rules that were not removed. */
export async function listRules(db: Queryable): Promise<RetentionRuleRow[]> {
  const rows = await tablesOf(db)
    .selectFrom('retention_rule')
    .selectAll()
    .where('status', '=', 'active')
    .orderBy('name')
    .limit(ITEMS_PAGE_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    settings: retentionRule.parse(row.settings),
    everyDays: row.every_days,
    nextAt: row.next_at,
  }));
}

function runOf(row: Selectable<GovernanceTables['retention_run']>): RetentionRun {
  return {
    id: row.id,
    ruleId: row.rule_id,
    rule: retentionRule.parse(row.rule),
    mode: row.mode === 'run' ? 'run' : 'dry-run',
    status: RUN_STATUSES.find((status) => status === row.status) ?? 'failed',
    requestedBy: requester.parse(row.requested_by),
    requestedAt: row.requested_at,
    approvedBy: row.approved_by,
    counts: counts.parse(row.counts),
    unenforceable: unenforceable.parse(row.unenforceable),
    evidence: row.evidence,
    evidenceSha256: row.evidence_sha256,
    error: row.error,
    endedAt: row.ended_at,
  };
}

/** Holds that stand, and exceptions that have not expired. */
export async function loadExemptions(
  db: Queryable,
  ruleId: string,
  now: Date,
): Promise<{ holds: Exemption[]; exceptions: Exemption[] }> {
  const tables = tablesOf(db);
  const holds = await tables
    .selectFrom('retention_hold')
    .select(['name', 'scope'])
    .where('released_at', 'is', null)
    .limit(EXEMPTIONS_MAX)
    .execute();
  const exceptions = await tables
    .selectFrom('retention_exception')
    .select(['reason', 'scope'])
    .where('rule_id', '=', ruleId)
    .where('expires_at', '>', now)
    .limit(EXEMPTIONS_MAX)
    .execute();
  return {
    holds: holds.map(({ name, scope }) => ({ name, scope: retentionScope.parse(scope) })),
    exceptions: exceptions.map(({ reason, scope }) => ({ name: reason, scope: retentionScope.parse(scope) })),
  };
}

export interface PlannedItem {
  readonly connectionId: string;
  readonly app: string;
  readonly object: string;
  readonly recordId: string;
  readonly parentId: string | null;
  readonly clockAt: Date;
  readonly verdict: 'due' | 'held' | 'excepted';
  readonly reason: string | null;
  readonly status: 'planned' | 'kept' | 'unenforceable';
}

/** Writes a plan anew: a crash while planning begins the plan again. */
export async function savePlan(
  tx: Transaction,
  runId: string,
  items: readonly PlannedItem[],
  totals: Readonly<Record<string, number>>,
  gaps: RetentionRun['unenforceable'],
): Promise<void> {
  const tables = tablesOf(tx);
  await tables.deleteFrom('retention_item').where('run_id', '=', runId).execute();
  for (let from = 0; from < items.length; from += ITEMS_PAGE_MAX) {
    await tables
      .insertInto('retention_item')
      .values(
        items.slice(from, from + ITEMS_PAGE_MAX).map((item, index) => ({
          run_id: runId,
          seq: from + index,
          connection_id: item.connectionId,
          app: item.app,
          object: item.object,
          record_id: item.recordId,
          parent_id: item.parentId,
          clock_at: item.clockAt,
          verdict: item.verdict,
          reason: item.reason,
          status: item.status,
          action_run_id: null,
          outcome: null,
          verified_at: null,
          error: null,
        })),
      )
      .onConflict((conflict) => conflict.columns(['run_id', 'connection_id', 'object', 'record_id']).doNothing())
      .execute();
  }
  await tables
    .updateTable('retention_run')
    .set({ counts: JSON.stringify(totals), unenforceable: JSON.stringify(gaps) })
    .where('id', '=', runId)
    .execute();
}

export async function listItems(
  db: Queryable,
  runId: string,
  after = -1,
): Promise<(RetentionItem & { parentId: string | null })[]> {
  const rows = await tablesOf(db)
    .selectFrom('retention_item')
    .selectAll()
    .where('run_id', '=', runId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(ITEMS_PAGE_MAX)
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    connectionId: row.connection_id,
    app: row.app,
    object: row.object,
    recordId: row.record_id,
    parentId: row.parent_id,
    clockAt: row.clock_at,
    verdict: row.verdict,
    reason: row.reason,
    status: row.status,
    actionRunId: row.action_run_id,
    outcome: row.outcome,
    verifiedAt: row.verified_at,
    error: row.error,
  }));
}

export async function setItem(
  db: Queryable,
  runId: string,
  seq: number,
  set: {
    readonly status: string;
    readonly reason?: string;
    readonly action_run_id?: string;
    readonly outcome?: string | null;
    readonly error?: string | null;
    readonly verified_at?: Date;
  },
): Promise<void> {
  await tablesOf(db)
    .updateTable('retention_item')
    .set(set)
    .where('run_id', '=', runId)
    .where('seq', '=', seq)
    .execute();
}

/** How many items of a run have which status. */
export async function countItems(db: Queryable, runId: string): Promise<Record<string, number>> {
  const rows = await tablesOf(db)
    .selectFrom('retention_item')
    .select(['status', sql<number>`count(*)`.as('count')])
    .where('run_id', '=', runId)
    .groupBy('status')
    .execute();
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
