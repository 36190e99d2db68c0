import { z } from 'zod';
import { type Actor, describeActor, type Queryable, type Transaction } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import { ActionUnknown } from './errors.ts';
import { ACTION_MODES, type ActionMode, type ActionOutcome, type Outcome, OUTCOMES } from './perform-action.ts';
import { type ConnectorTables, tablesOf } from './tables.ts';

export const ACTION_RUNS_PAGE_MAX = 200;

const recordShape = z.record(z.string(), z.unknown());
const actorShape = z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() });

/** One run of an action, as kept and shown. A new secret is kept sealed and shown to nobody. */
export interface ActionRun {
  readonly id: string;
  readonly connectionId: string;
  readonly action: string;
  readonly mode: ActionMode;
  readonly input: Readonly<Record<string, unknown>>;
  readonly idempotencyKey: string;
  readonly undoOf: string | null;
  readonly status: 'queued' | 'running' | 'ended' | 'failed';
  readonly attempts: number;
  readonly outcome: Outcome | null;
  readonly summary: string | null;
  readonly state: unknown;
  readonly result: unknown;
  readonly hasSecret: boolean;
  readonly error: string | null;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly name: string };
  readonly createdAt: number;
  readonly endedAt: number | null;
}

function toRun(row: Selectable<ConnectorTables['connector_action_run']>): ActionRun {
  return {
    id: row.id,
    connectionId: row.connection_id,
    action: row.action,
    mode: z.enum(ACTION_MODES).parse(row.mode),
    input: recordShape.parse(row.input),
    idempotencyKey: row.idempotency_key,
    undoOf: row.undo_of,
    status: row.status,
    attempts: row.attempts,
    outcome: row.outcome === null ? null : z.enum(OUTCOMES).parse(row.outcome),
    summary: row.summary,
    state: row.state,
    result: row.result,
    hasSecret: row.sealed_secret !== null,
    error: row.error,
    actor: actorShape.parse(row.actor),
    createdAt: row.created_at.getTime(),
    endedAt: row.ended_at?.getTime() ?? null,
  };
}

/** Keeps the wish to act, once for each key; gives the row that is there, new or old. */
export async function openRun(
  tx: Transaction,
  run: {
    readonly id: string;
    readonly connectionId: string;
    readonly action: string;
    readonly mode: ActionMode;
    readonly input: Readonly<Record<string, unknown>>;
    readonly idempotencyKey: string;
    readonly undoOf: string | null;
    readonly captured: Readonly<Record<string, unknown>>;
    readonly actor: Actor;
    readonly at: Date;
  },
): Promise<ActionRun> {
  const tables = tablesOf(tx);
  await tables
    .insertInto('connector_action_run')
    .values({
      id: run.id,
      connection_id: run.connectionId,
      action: run.action,
      mode: run.mode,
      input: JSON.stringify(run.input),
      idempotency_key: run.idempotencyKey,
      undo_of: run.undoOf,
      status: 'queued',
      outcome: null,
      summary: null,
      captured: JSON.stringify(run.captured),
      sealed_secret: null,
      error: null,
      actor: JSON.stringify(describeActor(run.actor)),
      created_at: run.at,
      started_at: null,
      ended_at: null,
    })
    .onConflict((conflict) => conflict.columns(['connection_id', 'idempotency_key']).doNothing())
    .execute();
  const row = await tables
    .selectFrom('connector_action_run')
    .selectAll()
    .where('connection_id', '=', run.connectionId)
    .where('idempotency_key', '=', run.idempotencyKey)
    .executeTakeFirstOrThrow();
  return toRun(row);
}

/** Marks an attempt before anything happens outside; its number tells whether an earlier one died. */
export async function markAttempt(db: Queryable, id: string, at: Date): Promise<number> {
  const row = await tablesOf(db)
    .updateTable('connector_action_run')
    .set((eb) => ({
      status: 'running',
      attempts: eb('attempts', '+', 1),
      started_at: eb.fn.coalesce('started_at', eb.val(at)),
    }))
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .returning('attempts')
    .executeTakeFirst();
  return row?.attempts ?? 0;
}

/**
 * Holds the run against any second worker as long as the transaction lives; false when one has it. An advisory lock,
 * not the row's: what the run captures is written to the row while it is held.
 */
export async function holdRun(tx: Transaction, id: string): Promise<boolean> {
  const { rows } = await sql<{
    held: boolean;
  }>`select pg_try_advisory_xact_lock(hashtextextended(${id}, 0)) as held`.execute(tablesOf(tx));
  return rows[0]?.held === true;
}

export async function saveCaptured(
  db: Queryable,
  id: string,
  captured: Readonly<Record<string, unknown>>,
): Promise<void> {
  await tablesOf(db)
    .updateTable('connector_action_run')
    .set({ captured: JSON.stringify(captured) })
    .where('id', '=', id)
    .execute();
}

export async function endRun(
  tx: Queryable,
  id: string,
  end: { readonly outcome: ActionOutcome; readonly sealedSecret: string | null } | { readonly error: string },
  at: Date,
): Promise<void> {
  const values =
    'error' in end
      ? { status: 'failed' as const, error: end.error }
      : {
          status: 'ended' as const,
          outcome: end.outcome.outcome,
          summary: end.outcome.summary,
          state: end.outcome.state === undefined ? null : JSON.stringify(end.outcome.state),
          result: end.outcome.result === undefined ? null : JSON.stringify(end.outcome.result),
          captured: JSON.stringify(end.outcome.captured),
          sealed_secret: end.sealedSecret,
          error: null,
        };
  await tablesOf(tx)
    .updateTable('connector_action_run')
    .set({ ...values, ended_at: at })
    .where('id', '=', id)
    .execute();
}

export async function loadRun(
  db: Queryable,
  id: string,
): Promise<{ run: ActionRun; captured: Record<string, unknown>; sealedSecret: string | null }> {
  const row = await tablesOf(db).selectFrom('connector_action_run').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new ActionUnknown('There is no such run of an action.', { run: id });
  return { run: toRun(row), captured: recordShape.parse(row.captured), sealedSecret: row.sealed_secret };
}

export async function listRuns(
  db: Queryable,
  query: { readonly connectionId: string; readonly limit: number },
): Promise<ActionRun[]> {
  const rows = await tablesOf(db)
    .selectFrom('connector_action_run')
    .selectAll()
    .where('connection_id', '=', query.connectionId)
    .orderBy('created_at', 'desc')
    .limit(Math.min(query.limit, ACTION_RUNS_PAGE_MAX))
    .execute();
  return rows.map(toRun);
}
