import { type Actor, appendAudit, authorize, type Clock, type Database, describeActor, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { AlertStatusConflict, AlertUnknown } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import { type Alert, CLOSE_REASONS, entityKey } from './alert.ts';
import { loadAlert } from './alert-store.ts';
import { queueNotifications } from '../notification/queue.ts';
import { insertException } from '../rule-setting.ts';

const COMMENT_CHARS_MAX = 4_000;
const comment = z.string().trim().min(1).max(COMMENT_CHARS_MAX);

/** What a person may change of an alert; each key is one change. */
export const alertPatch = z.strictObject({
  status: z.enum(['open', 'acknowledged']).optional(),
  assignee: z.string().trim().min(1).max(200).nullable().optional(),
});
export type AlertPatch = z.output<typeof alertPatch>;

export const alertClose = z.strictObject({
  reason: z.enum(CLOSE_REASONS).exclude(['withdrawn']),
  comment: comment.optional(),
  /** Keeps the rule quiet about this entity until then, milliseconds since the epoch. */
  quietUntil: z.int().positive().optional(),
});
export type AlertClose = z.output<typeof alertClose>;

export const alertCommentInput = z.strictObject({ text: comment });

export interface AlertContext {
  readonly db: Database;
  readonly clock: Clock;
}

/** Everything that people change about alerts; each change is one audit record. */
export function createAlertCommands({ db, clock }: AlertContext) {
  const change = (actor: Actor, id: string, action: string, work: Work): Promise<Alert> => {
    authorize(actor, 'alert.write');
    const at = clock.now();
    return db.transaction(async (tx) => {
      const tables = tx.tables<WatchTables>();
      const locked = await tables.selectFrom('alert').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
      if (!locked) throw new AlertUnknown('There is no such alert.');
      const before = await loadAlert(tx, id);
      const { set, detail } = await work(before, { tx, at });
      if (Object.keys(set).length > 0) {
        await tables
          .updateTable('alert')
          .set({ ...set, updated_at: at })
          .where('id', '=', id)
          .execute();
      }
      await appendAudit(tx, { actor, action, target: { type: 'alert', id, name: before.title }, detail, at });
      return loadAlert(tx, id);
    });
  };
  const addComment = async ({ tx, at }: Step, alert: string, actor: Actor, text: string): Promise<void> => {
    await tx
      .tables<WatchTables>()
      .insertInto('alert_comment')
      .values({ id: uuidv7(at), alert_id: alert, at, author: describeActor(actor).name, text })
      .execute();
  };

  return {
    /** Acknowledges, opens again, assigns. */
    update: (actor: Actor, id: string, patch: AlertPatch): Promise<Alert> =>
      change(actor, id, 'alert.updated', async (before, { at, tx }) => {
        const { status, assignee } = patch;
        if (status !== undefined && before.status === 'closed') await refuseSecondOpen(tx, before);
        const moved = status !== undefined && status !== before.status;
        return {
          set: {
            ...(moved && { status, status_reason: null, status_at: at, status_by: describeActor(actor).name }),
            ...(assignee !== undefined && { assignee }),
          },
          detail: { ...patch, was: { status: before.status, assignee: before.assignee } },
        };
      }),

    close: (actor: Actor, id: string, input: AlertClose): Promise<Alert> =>
      change(actor, id, 'alert.closed', async (before, step) => {
        if (before.status === 'closed') throw new AlertStatusConflict('The alert is closed already.');
        if (input.comment !== undefined) await addComment(step, id, actor, input.comment);
        if (input.quietUntil !== undefined) {
          authorize(actor, 'detection.write');
          const exception = {
            ruleId: before.ruleId,
            entityKey: entityKey(before.entity),
            reason: `${input.reason}: ${input.comment ?? `alert ${id}`}`,
            expiresAt: input.quietUntil,
          };
          await insertException(step.tx, actor, exception, step.at);
        }
        const told = { alert: id, level: before.level, event: 'closed' } as const;
        await queueNotifications(step.tx.tables<WatchTables>(), told, step.at);
        return {
          set: {
            status: 'closed',
            status_reason: input.reason,
            status_at: step.at,
            status_by: describeActor(actor).name,
          },
          detail: { ...input },
        };
      }),

    comment: (actor: Actor, id: string, text: string): Promise<Alert> =>
      change(actor, id, 'alert.commented', async (_before, step) => {
        await addComment(step, id, actor, text);
        return { set: {}, detail: {} };
      }),
  };
}

type Step = { readonly tx: Parameters<Parameters<Database['transaction']>[0]>[0]; readonly at: number };
type Change = {
  readonly set: Partial<{
    status: Alert['status'];
    status_reason: string | null;
    status_at: number;
    status_by: string;
    assignee: string | null;
  }>;
  readonly detail: Record<string, unknown>;
};
type Work = (before: Alert, step: Step) => Promise<Change>;

/** One open alert for one cause: a newer one stands in the way of opening an old one again. */
async function refuseSecondOpen(tx: Step['tx'], alert: Alert): Promise<void> {
  const other = await tx
    .tables<WatchTables>()
    .selectFrom('alert')
    .select('id')
    .where('rule_id', '=', alert.ruleId)
    .where('entity_key', '=', entityKey(alert.entity))
    .where('status', '<>', 'closed')
    .executeTakeFirst();
  if (other) throw new AlertStatusConflict(`The alert ${other.id} is open for the same cause.`, { open: other.id });
}

export type AlertCommands = ReturnType<typeof createAlertCommands>;
