import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  describeActor,
  type Queryable,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import { RuleUnknown, WatchInputInvalid } from './watch-errors.ts';
import type { WatchTables } from './watch-tables.ts';

/** Tells workers that rules were switched. */
export const DETECTION_CHANNEL = 'cordon_detection';
const EXCEPTION_MS_MAX = 366 * 86_400_000;
const EXCEPTIONS_MAX = 1_000;

export const ruleSettingInput = z.strictObject({
  enabled: z.boolean(),
  reason: z.string().trim().min(1).max(1_000),
});
export const exceptionInput = z.strictObject({
  /** `type:id` as alerts show it; absent: the rule stays quiet about everything. */
  entity: z.string().min(3).max(600).optional(),
  reason: z.string().trim().min(1).max(1_000),
  /** Milliseconds since the epoch. */
  expiresAt: z.int().positive(),
});

export interface RuleSetting {
  readonly ruleId: string;
  readonly enabled: boolean;
  readonly reason: string;
  readonly changedAt: number;
  readonly changedBy: string;
}

export interface RuleException {
  readonly id: string;
  readonly ruleId: string;
  readonly entityKey: string | null;
  readonly reason: string;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly createdBy: string;
}

export async function listSettings(db: Queryable): Promise<RuleSetting[]> {
  const rows = await db.tables<WatchTables>().selectFrom('detection_setting').selectAll().execute();
  return rows.map((row) => ({
    ruleId: row.rule_id,
    enabled: row.enabled,
    reason: row.reason,
    changedAt: row.changed_at,
    changedBy: row.changed_by,
  }));
}

export async function listExceptions(db: Queryable, now: number): Promise<RuleException[]> {
  const rows = await db
    .tables<WatchTables>()
    .selectFrom('detection_exception')
    .selectAll()
    .where('expires_at', '>', now)
    .orderBy('created_at', 'desc')
    .limit(EXCEPTIONS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    ruleId: row.rule_id,
    entityKey: row.entity_key,
    reason: row.reason,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }));
}

type NewException = Pick<RuleException, 'ruleId' | 'entityKey' | 'reason' | 'expiresAt'>;

/** Writes an exception and its audit record in the caller's transaction. */
export async function insertException(tx: Transaction, actor: Actor, input: NewException, at: number) {
  const { ruleId, entityKey, reason, expiresAt } = input;
  if (expiresAt <= at || expiresAt > at + EXCEPTION_MS_MAX) {
    throw new WatchInputInvalid('An exception ends in the future, at most 366 days from now.', { field: 'expiresAt' });
  }
  const exception: RuleException = { ...input, id: uuidv7(at), createdAt: at, createdBy: describeActor(actor).name };
  await tx
    .tables<WatchTables>()
    .insertInto('detection_exception')
    .values({
      id: exception.id,
      rule_id: ruleId,
      entity_key: entityKey,
      reason,
      expires_at: expiresAt,
      created_at: at,
      created_by: exception.createdBy,
    })
    .execute();
  const detail = { exception: exception.id, entity: entityKey, reason, expiresAt };
  await appendAudit(tx, {
    actor,
    action: 'detection.exception_made',
    target: { type: 'rule', id: ruleId },
    detail,
    at,
  });
  return exception;
}

/** Switching rules and making exceptions. `knows` says whether a rule of this id is loaded. */
export function createRuleCommands({
  db,
  clock,
  knows,
}: {
  db: Database;
  clock: Clock;
  knows: (id: string) => boolean;
}) {
  const check = (id: string): void => {
    if (!knows(id)) throw new RuleUnknown(`There is no rule ${id}.`);
  };
  return {
    async set(actor: Actor, ruleId: string, input: z.output<typeof ruleSettingInput>): Promise<RuleSetting> {
      authorize(actor, 'detection.write');
      check(ruleId);
      const at = clock.now();
      const by = describeActor(actor).name;
      const row = { rule_id: ruleId, ...input, changed_at: at, changed_by: by };
      await db.transaction(async (tx) => {
        await tx
          .tables<WatchTables>()
          .insertInto('detection_setting')
          .values(row)
          .onConflict((conflict) => conflict.column('rule_id').doUpdateSet(row))
          .execute();
        const action = input.enabled ? 'detection.enabled' : 'detection.disabled';
        await appendAudit(tx, { actor, action, target: { type: 'rule', id: ruleId }, detail: { ...input }, at });
        await tx.notify(DETECTION_CHANNEL, ruleId);
      });
      return { ruleId, ...input, changedAt: at, changedBy: by };
    },

    async except(actor: Actor, ruleId: string, input: z.output<typeof exceptionInput>): Promise<RuleException> {
      authorize(actor, 'detection.write');
      check(ruleId);
      const { entity, reason, expiresAt } = input;
      const exception = { ruleId, entityKey: entity?.toLowerCase() ?? null, reason, expiresAt };
      return db.transaction((tx) => insertException(tx, actor, exception, clock.now()));
    },

    async endException(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .updateTable('detection_exception')
          .set({ expires_at: at })
          .where('id', '=', id)
          .where('expires_at', '>', at)
          .returning('rule_id')
          .executeTakeFirst();
        if (!row) throw new RuleUnknown('There is no such exception in force.');
        const target = { type: 'rule', id: row.rule_id };
        await appendAudit(tx, { actor, action: 'detection.exception_ended', target, detail: { exception: id }, at });
      });
    },
  };
}

export type RuleCommands = ReturnType<typeof createRuleCommands>;
