import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  requireStepUp,
  type Transaction,
  uuidv7,
} from '@cordon/kernel';
import { z } from 'zod';
import { ApproverSame, ChangeWaiting, DataUnknown, InputInvalid, StateConflict } from './errors.ts';
import { isLabel, LABELS, type Label, rankOf } from './label.ts';
import { tablesOf } from './tables.ts';

export const CHANGES_MAX = 200;
const DUPLICATE = '23505';

export const pinInput = z.strictObject({
  app: z.string().min(1).max(200),
  object: z.string().min(1).max(200),
  /** null: the data set as a whole. */
  path: z.string().min(1).max(300).nullable().default(null),
  /** null: take the pin away. */
  label: z.enum(LABELS).nullable(),
  reason: z.string().trim().min(3).max(1_000),
});
export type PinInput = z.input<typeof pinInput>;

export const placeInput = z.strictObject({
  region: z.string().trim().min(2).max(64).nullable(),
  vendor: z.string().trim().min(1).max(200).nullable(),
  /** The highest label that may be in this app. */
  clearance: z.enum(LABELS).nullable(),
});

export interface LabelChange {
  readonly id: string;
  readonly app: string;
  readonly object: string;
  readonly path: string | null;
  readonly from: Label;
  readonly to: Label | null;
  readonly reason: string;
  readonly status: 'waiting' | 'applied' | 'refused';
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
}

interface LabelDeps {
  readonly db: Database;
  readonly clock: Clock;
  /** Runs a scan soon. */
  readonly rescan: () => Promise<unknown>;
}

type Target = { readonly app: string; readonly object: string; readonly path: string | null };

async function loadTarget(tx: Transaction, target: Target): Promise<{ label: Label; pinned: Label | null }> {
  const tables = tablesOf(tx);
  const { app, object, path } = target;
  const row =
    path === null
      ? await tables
          .selectFrom('data_set')
          .select(['label', 'pinned_label'])
          .where('app', '=', app)
          .where('object', '=', object)
          .forUpdate()
          .executeTakeFirst()
      : await tables
          .selectFrom('data_field')
          .select(['label', 'pinned_label'])
          .where('app', '=', app)
          .where('object', '=', object)
          .where('path', '=', path)
          .forUpdate()
          .executeTakeFirst();
  if (!row) throw new DataUnknown('No such data set or field is known.', { ...target });
  return {
    label: isLabel(row.label) ? row.label : 'internal',
    pinned: isLabel(row.pinned_label) ? row.pinned_label : null,
  };
}

async function applyPin(
  tx: Transaction,
  { app, object, path }: Target,
  label: Label | null,
  by: string,
): Promise<void> {
  const pinned = { pinned_label: label, pinned_by: label === null ? null : by };
  // In force at once; the scan writes the reasons.
  const set = label === null ? pinned : { ...pinned, label };
  const tables = tablesOf(tx);
  if (path === null) {
    await tables.updateTable('data_set').set(set).where('app', '=', app).where('object', '=', object).execute();
  } else {
    await tables
      .updateTable('data_field')
      .set(set)
      .where('app', '=', app)
      .where('object', '=', object)
      .where('path', '=', path)
      .execute();
  }
}

const nameOf = ({ app, object, path }: Target): string => `${app} ${object}${path === null ? '' : ` ${path}`}`;
const idOfActor = (actor: Actor): string => (actor.kind === 'system' ? actor.name : actor.id);

/**
 * A person's word on labels. Raising one, or pinning it as it is, holds at once. Lowering one, or taking a pin away
 * that holds it up, waits for another person, who confirms with a strong factor.
 */
export function createLabelCommands({ db, clock, rescan }: LabelDeps) {
  return {
    async pin(actor: Actor, raw: PinInput): Promise<LabelChange> {
      authorize(actor, 'data.label');
      const parsed = pinInput.safeParse(raw);
      if (!parsed.success) throw new InputInvalid(z.prettifyError(parsed.error));
      const { label, reason, ...target } = parsed.data;
      const at = clock.now();
      const change = await db.transaction(async (tx) => {
        const now = await loadTarget(tx, target);
        // Without the pin the label may be lower; nobody knows before the scan.
        const isDowngrade =
          label === null ? now.pinned !== null && now.pinned !== 'public' : rankOf(label) < rankOf(now.label);
        const id = uuidv7(at);
        const status = isDowngrade ? 'waiting' : 'applied';
        try {
          await tablesOf(tx)
            .insertInto('label_change')
            .values({
              id,
              ...target,
              from_label: now.label,
              to_label: label,
              reason,
              status,
              requested_by: idOfActor(actor),
              requested_name: actor.name,
              requested_at: new Date(at),
              decided_by: null,
              decided_name: null,
              decided_at: null,
            })
            .execute();
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === DUPLICATE)) throw error;
          throw new ChangeWaiting('A change of this label already waits for approval.', target);
        }
        if (!isDowngrade) await applyPin(tx, target, label, actor.name);
        await appendAudit(tx, {
          actor,
          action: isDowngrade ? 'data.label_downgrade_requested' : 'data.label_pinned',
          target: { type: 'data_set', id, name: nameOf(target) },
          detail: { from: now.label, to: label, reason },
          at,
        });
        return loadChange(tx, id);
      });
      if (change.status === 'applied') await rescan();
      return change;
    },

    async decide(actor: Actor, id: string, isGranted: boolean): Promise<LabelChange> {
      authorize(actor, 'data.label_approve');
      const at = clock.now();
      requireStepUp(actor, 'data.label_approve', at);
      const change = await db.transaction(async (tx) => {
        const before = await loadChange(tx, id);
        if (before.status !== 'waiting') throw new StateConflict('This change was decided already.', { id });
        if (before.requestedById === idOfActor(actor)) {
          throw new ApproverSame('Who asks for a lower label does not grant it: another person must.', { id });
        }
        await tablesOf(tx)
          .updateTable('label_change')
          .set({
            status: isGranted ? 'applied' : 'refused',
            decided_by: idOfActor(actor),
            decided_name: actor.name,
            decided_at: new Date(at),
          })
          .where('id', '=', id)
          .execute();
        if (isGranted) await applyPin(tx, before, before.to, actor.name);
        await appendAudit(tx, {
          actor,
          action: isGranted ? 'data.label_downgraded' : 'data.label_downgrade_refused',
          target: { type: 'data_set', id, name: nameOf(before) },
          detail: { from: before.from, to: before.to, requestedBy: before.requestedBy },
          at,
        });
        return loadChange(tx, id);
      });
      if (isGranted) await rescan();
      return change;
    },

    async setPlace(actor: Actor, app: string, raw: z.input<typeof placeInput>): Promise<void> {
      authorize(actor, 'data.write');
      const parsed = placeInput.safeParse(raw);
      if (!parsed.success) throw new InputInvalid(z.prettifyError(parsed.error));
      const { region, vendor, clearance } = parsed.data;
      const at = clock.now();
      await db.transaction(async (tx) => {
        const row = { region, vendor, label_floor: clearance, updated_at: new Date(at) };
        await tablesOf(tx)
          .insertInto('data_place')
          .values({ app, ...row })
          .onConflict((conflict) => conflict.column('app').doUpdateSet(row))
          .execute();
        const target = { type: 'data_place', id: app, name: app };
        await appendAudit(tx, { actor, action: 'data.place_set', target, detail: parsed.data, at });
      });
    },

    async changes(actor: Actor, status?: LabelChange['status']): Promise<LabelChange[]> {
      authorize(actor, 'data.read');
      let select = tablesOf(db).selectFrom('label_change').selectAll();
      if (status !== undefined) select = select.where('status', '=', status);
      const rows = await select.orderBy('requested_at', 'desc').limit(CHANGES_MAX).execute();
      return rows.map(changeOf);
    },
  };
}
export type LabelCommands = ReturnType<typeof createLabelCommands>;

interface LabelChangeRow {
  id: string;
  app: string;
  object: string;
  path: string | null;
  from_label: string;
  to_label: string | null;
  reason: string;
  status: string;
  requested_by: string;
  requested_name: string;
  requested_at: Date;
  decided_name: string | null;
  decided_at: Date | null;
}

function changeOf(row: LabelChangeRow): LabelChange {
  return {
    id: row.id,
    app: row.app,
    object: row.object,
    path: row.path,
    from: isLabel(row.from_label) ? row.from_label : 'internal',
    to: isLabel(row.to_label) ? row.to_label : null,
    reason: row.reason,
    status: row.status === 'applied' || row.status === 'refused' ? row.status : 'waiting',
    requestedBy: row.requested_name,
    requestedAt: row.requested_at,
    decidedBy: row.decided_name,
    decidedAt: row.decided_at,
  };
}

async function loadChange(tx: Transaction, id: string): Promise<LabelChange & { readonly requestedById: string }> {
  const row = await tablesOf(tx)
    .selectFrom('label_change')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new DataUnknown('There is no such change.', { id });
  return { ...changeOf(row), requestedById: row.requested_by };
}
