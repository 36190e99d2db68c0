import { type Actor, appendAudit, authorize, type Clock, type Database, type Queryable, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { DlpConflict, DlpInputInvalid, DlpUnknown } from './errors.ts';
import { addNote } from './incident-store.ts';
import type { PublishEntries } from './token-key.ts';
import { tablesOf } from './tables.ts';

const PASSES_MAX = 500;
const MINUTE_MS = 60_000;

export const passInput = z.strictObject({
  ruleId: z.string().min(1).max(200),
  integrationId: z.string().min(1).max(200),
  /** null: any app. */
  appId: z.string().min(1).max(200).nullable().default(null),
  reason: z.string().trim().min(10).max(500),
});

/** A rule that asks for a person, as the estate has it. */
export interface AskingRule {
  readonly id: string;
  readonly name: string;
  readonly action: string;
  readonly passMinutes: number;
}

export interface InspectionPass {
  readonly id: string;
  readonly rule: { readonly id: string; readonly name: string };
  readonly integrationId: string;
  readonly appId: string | null;
  readonly kind: 'justification' | 'release';
  readonly reason: string;
  readonly givenBy: string;
  readonly givenAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
}

interface PassDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly publish: PublishEntries;
  readonly rule: (id: string) => Promise<AskingRule | null>;
}

/** Lets an integration pass a rule for a time: because somebody said why, or released what was held. */
export function createPassCommands({ db, clock, publish, rule: ruleOf }: PassDeps) {
  return {
    async give(actor: Actor, input: z.output<typeof passInput>): Promise<InspectionPass> {
      const rule = await ruleOf(input.ruleId);
      const isRelease = rule?.action === 'quarantine';
      authorize(actor, isRelease ? 'dlp.decide' : 'dlp.justify');
      if (!rule) throw new DlpUnknown('There is no such rule.', { id: input.ruleId });
      if (!isRelease && rule.action !== 'justify')
        throw new DlpInputInvalid(`${rule.name} asks for no reason: it says ${rule.action}.`);
      const at = clock.now();
      const id = uuidv7(at);
      const expiresAt = at + rule.passMinutes * MINUTE_MS;
      const { integrationId, appId, reason } = input;
      await db.transaction(async (tx) => {
        await tablesOf(tx)
          .insertInto('dlp_pass')
          .values({
            id,
            rule_id: rule.id,
            rule_name: rule.name,
            integration_id: integrationId,
            app_id: appId,
            kind: isRelease ? 'release' : 'justification',
            reason,
            given_by: actor.name,
            given_at: new Date(at),
            expires_at: new Date(expiresAt),
            ended_at: null,
          })
          .execute();
        await publish(tx, {
          set: [[`inspection-pass:${id}`, { id, ruleId: rule.id, integrationId, appId, expiresAt }]],
          at,
        });
        const target = { type: 'inspection_rule', id: rule.id, name: rule.name };
        const detail = { pass: id, integrationId, appId, reason, expiresAt };
        await appendAudit(tx, { actor, action: isRelease ? 'dlp.released' : 'dlp.justified', target, detail, at });
        const incidents = await tablesOf(tx)
          .updateTable('dlp_incident')
          .set({ status: isRelease ? 'accepted' : 'justified' })
          .where('source', '=', 'motion')
          .where('integration_id', '=', integrationId)
          .where('rule_id', '=', rule.id)
          .where('status', 'in', ['open', 'waiting'])
          .returning('id')
          .execute();
        const what = isRelease ? 'released' : 'justified';
        for (const incident of incidents)
          await addNote(tx, incident.id, { at: new Date(at), by: actor.name, what, note: reason });
      });
      const [pass] = await listPasses(db, { id });
      if (!pass) throw new DlpUnknown('The pass is gone.', { id });
      return pass;
    },

    async end(actor: Actor, id: string): Promise<void> {
      authorize(actor, 'dlp.decide');
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = await tablesOf(tx)
          .updateTable('dlp_pass')
          .set({ ended_at: new Date(at) })
          .where('id', '=', id)
          .where('ended_at', 'is', null)
          .returning(['rule_id', 'rule_name'])
          .executeTakeFirst();
        if (!row) throw new DlpConflict('This pass has ended.', { id });
        await publish(tx, { remove: [`inspection-pass:${id}`], revokes: true, at });
        const target = { type: 'inspection_rule', id: row.rule_id, name: row.rule_name };
        await appendAudit(tx, { actor, action: 'dlp.pass_ended', target, detail: { pass: id }, at });
      });
    },
  };
}
export type PassCommands = ReturnType<typeof createPassCommands>;

/** Newest first; those that ended stay as evidence. */
export async function listPasses(db: Queryable, query: { readonly id?: string } = {}): Promise<InspectionPass[]> {
  let select = tablesOf(db).selectFrom('dlp_pass').selectAll().orderBy('given_at', 'desc').limit(PASSES_MAX);
  if (query.id !== undefined) select = select.where('id', '=', query.id);
  return (await select.execute()).map((row) => ({
    id: row.id,
    rule: { id: row.rule_id, name: row.rule_name },
    integrationId: row.integration_id,
    appId: row.app_id,
    kind: row.kind === 'release' ? 'release' : 'justification',
    reason: row.reason,
    givenBy: row.given_by,
    givenAt: row.given_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
  }));
}

/** Takes what expired out of the snapshot: gateways refuse it by its time already. */
export async function sweepPasses({ db, clock, publish }: Omit<PassDeps, 'rule'>): Promise<void> {
  const at = clock.now();
  await db.transaction(async (tx) => {
    const rows = await tablesOf(tx)
      .updateTable('dlp_pass')
      .set((build) => ({ ended_at: build.ref('expires_at') }))
      .where('ended_at', 'is', null)
      .where('expires_at', '<=', new Date(at))
      .returning('id')
      .execute();
    if (rows.length > 0) await publish(tx, { remove: rows.map(({ id }) => `inspection-pass:${id}`), at });
  });
}
