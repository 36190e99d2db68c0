import { type Actor, appendAudit, authorize, type Clock, type Database, describeActor, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { AlertUnknown, WatchInputInvalid } from '../watch-errors.ts';
import type { WatchTables } from '../watch-tables.ts';
import { DAY_MS, FEATURES, type Feedback } from './behaviour.ts';

/** Tells workers to judge an entity again. */
export const BEHAVIOUR_CHANNEL = 'cordon_behaviour';
const FEEDBACK_MS_MAX = 366 * DAY_MS;
const FEEDBACK_MS = 90 * DAY_MS;

export const feedbackInput = z.strictObject({
  feature: z.enum(FEATURES).exclude(['signals']),
  /** The value for a feature that begins with `new-`; absent: every value of it. */
  value: z.string().min(1).max(400).optional(),
  verdict: z.enum(['expected', 'not-expected']),
  /** UTC midnight of the day that the term is about, milliseconds since the epoch. */
  day: z.int().nonnegative(),
  reason: z.string().trim().min(1).max(1_000),
  /** Milliseconds since the epoch; in 90 days when absent. */
  expiresAt: z.int().positive().optional(),
});
export const criticalityInput = z.strictObject({
  /** What the score is multiplied with: 0.25 to 4; 1 is usual. */
  criticality: z.number().min(0.25).max(4),
  reason: z.string().trim().min(1).max(1_000),
});

/** What people say about behaviour; each is one audit record, and the entity is judged again. */
export function createBehaviourCommands({ db, clock }: { readonly db: Database; readonly clock: Clock }) {
  return {
    async giveFeedback(actor: Actor, entityKey: string, input: z.output<typeof feedbackInput>): Promise<Feedback> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      const expiresAt = input.expiresAt ?? at + FEEDBACK_MS;
      if (expiresAt <= at || expiresAt > at + FEEDBACK_MS_MAX) {
        throw new WatchInputInvalid('Feedback ends in the future, at most 366 days from now.', { field: 'expiresAt' });
      }
      return db.transaction(async (tx) => {
        const tables = tx.tables<WatchTables>();
        const known = await tables
          .selectFrom('behaviour_day')
          .select('terms')
          .where('entity_key', '=', entityKey)
          .where('day', '=', input.day)
          .executeTakeFirst();
        if (!known) throw new AlertUnknown('Nothing is known of this entity on that day.');
        const terms = z.array(z.object({ feature: z.string(), observed: z.number() })).parse(known.terms);
        const term = terms.find(({ feature }) => feature === input.feature);
        if (!term) throw new WatchInputInvalid('That day has no such term.', { field: 'feature' });
        const row = {
          id: uuidv7(at),
          entity_key: entityKey,
          feature: input.feature,
          value: input.value ?? null,
          verdict: input.verdict,
          observed: term.observed,
          day: input.day,
          reason: input.reason,
          expires_at: expiresAt,
          created_at: at,
          created_by: describeActor(actor).name,
        };
        await tables.insertInto('behaviour_feedback').values(row).execute();
        const target = { type: 'behaviour', id: entityKey };
        const detail = { ...input, feedback: row.id, expiresAt };
        await appendAudit(tx, { actor, action: 'behaviour.feedback_given', target, detail, at });
        await tx.notify(BEHAVIOUR_CHANNEL, entityKey);
        const { verdict, feature, value, observed, day, reason, id } = row;
        return {
          id,
          entityKey,
          feature,
          value,
          verdict,
          observed,
          day,
          reason,
          expiresAt,
          createdAt: at,
          createdBy: row.created_by,
        };
      });
    },

    async endFeedback(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .updateTable('behaviour_feedback')
          .set({ expires_at: at })
          .where('id', '=', id)
          .where('expires_at', '>', at)
          .returning('entity_key')
          .executeTakeFirst();
        if (!row) throw new AlertUnknown('There is no such feedback in force.');
        const target = { type: 'behaviour', id: row.entity_key };
        await appendAudit(tx, { actor, action: 'behaviour.feedback_ended', target, detail: { feedback: id }, at });
        await tx.notify(BEHAVIOUR_CHANNEL, row.entity_key);
      });
    },

    async setCriticality(actor: Actor, entityKey: string, input: z.output<typeof criticalityInput>): Promise<void> {
      authorize(actor, 'detection.write');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tx
          .tables<WatchTables>()
          .updateTable('behaviour_entity')
          .set((one) => ({
            score: one('score', '*', one(one.val(input.criticality), '/', one.ref('criticality'))),
            criticality: input.criticality,
            criticality_reason: input.reason,
          }))
          .where('entity_key', '=', entityKey)
          .returning('entity_key')
          .executeTakeFirst();
        if (!row) throw new AlertUnknown('Nothing is known of this entity.');
        const target = { type: 'behaviour', id: entityKey };
        await appendAudit(tx, { actor, action: 'behaviour.criticality_set', target, detail: { ...input }, at });
      });
    },
  };
}

export type BehaviourCommands = ReturnType<typeof createBehaviourCommands>;
