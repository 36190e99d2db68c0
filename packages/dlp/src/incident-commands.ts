import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  requireStepUp,
  type Transaction,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import { DlpConflict, DlpInputInvalid } from './errors.ts';
import { addNote, type Incident, type IncidentStatus, loadIncident } from './incident-store.ts';
import { remedyWorkflow } from './remedy-run.ts';
import { addRemedy, loadRemedies, loadRemedy } from './remedy-store.ts';
import { tablesOf } from './tables.ts';

const NOTE_CHARS_MIN = 10;
const BATCH_MAX = 100;
const note = z.string().trim().min(NOTE_CHARS_MIN).max(1_000);

export const DECISIONS = ['dismiss', 'accept', 'justify', 'reopen'] as const;
export const decisionInput = z.strictObject({
  /** `dismiss`: nothing was found. `accept`: it may stay. `justify`: why it is there. `reopen`: decide anew. */
  decision: z.enum(DECISIONS),
  note,
});
export const assignInput = z.strictObject({ assignee: z.string().trim().min(1).max(200).nullable() });
export const remedyInput = z.strictObject({
  ids: z.array(z.string().min(1).max(100)).min(1).max(BATCH_MAX),
  action: z.enum(['redact', 'tokenise', 'unshare', 'quarantine', 'delete', 'label']),
});
export const labelMapInput = z.strictObject({
  connector: z.string().min(1).max(64),
  label: z.enum(['public', 'internal', 'confidential', 'restricted']),
  /** The tool's own id of its label; null: none. */
  toolLabel: z.string().trim().min(1).max(256).nullable(),
});

const STATUS_AFTER: Readonly<Record<(typeof DECISIONS)[number], IncidentStatus>> = {
  dismiss: 'dismissed',
  accept: 'accepted',
  justify: 'justified',
  reopen: 'open',
};
/** An owner may say why; only who answers for the data may let it stay. */
const PERMISSION_FOR = {
  dismiss: 'dlp.decide',
  accept: 'dlp.decide',
  justify: 'dlp.justify',
  reopen: 'dlp.justify',
} as const;

interface IncidentCommandDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
}

const targetOf = ({ id, app, recordId }: Incident) => ({ type: 'dlp_incident', id, name: `${app}: ${recordId}` });

/** The queue for people: who takes it, what was decided and why, what is done about it. */
export function createIncidentCommands({ db, clock, workflows }: IncidentCommandDeps) {
  const change = async (
    tx: Transaction,
    actor: Actor,
    incident: Incident,
    what: {
      readonly action: string;
      readonly set: { status?: IncidentStatus; assignee?: string | null };
      readonly said: string;
      readonly note: string | null;
    },
  ): Promise<void> => {
    const at = clock.now();
    await tablesOf(tx).updateTable('dlp_incident').set(what.set).where('id', '=', incident.id).execute();
    await addNote(tx, incident.id, { at: new Date(at), by: actor.name, what: what.said, note: what.note });
    await appendAudit(tx, {
      actor,
      action: what.action,
      target: targetOf(incident),
      detail: { ...what.set, note: what.note },
      at,
    });
  };
  return {
    async assign(actor: Actor, id: string, { assignee }: z.output<typeof assignInput>): Promise<Incident> {
      authorize(actor, 'dlp.decide');
      await db.transaction(async (tx) => {
        const said = assignee === null ? 'given back' : `given to ${assignee}`;
        await change(tx, actor, await loadIncident(tx, id), {
          action: 'dlp.incident_assigned',
          set: { assignee },
          said,
          note: null,
        });
      });
      return loadIncident(db, id);
    },

    async decide(actor: Actor, id: string, input: z.output<typeof decisionInput>): Promise<Incident> {
      authorize(actor, PERMISSION_FOR[input.decision]);
      await db.transaction(async (tx) => {
        const incident = await loadIncident(tx, id);
        if (incident.status === 'remediating') throw new DlpConflict('An act on this record is under way.', { id });
        const status = STATUS_AFTER[input.decision];
        if (incident.status === status) throw new DlpConflict('This is decided already.', { id, status });
        await change(tx, actor, incident, {
          action: `dlp.incident_${status}`,
          set: { status },
          said: input.decision,
          note: input.note,
        });
      });
      return loadIncident(db, id);
    },

    /** Acts in the tools, through connectors; the same act for several records. */
    async remediate(actor: Actor, input: z.output<typeof remedyInput>): Promise<{ readonly ids: readonly string[] }> {
      authorize(actor, 'dlp.remedy');
      const at = clock.now();
      requireStepUp(actor, 'dlp.remedy', at);
      const ids = await db.transaction(async (tx) => {
        const added: string[] = [];
        for (const id of new Set(input.ids)) {
          const incident = await loadIncident(tx, id);
          if (incident.source !== 'rest')
            throw new DlpInputInvalid('A call is over: only what lies in a tool can be changed.', { id });
          added.push(await addRemedy(tx, incident, { action: input.action, by: actor.name, at: new Date(at) }));
          const detail = { action: input.action, remedy: added.at(-1) };
          await appendAudit(tx, { actor, action: 'dlp.remedy_requested', target: targetOf(incident), detail, at });
        }
        await workflows.enqueue(tx, remedyWorkflow, `dlp-remedy-${added[0]}`, { ids: added });
        return added;
      });
      return { ids: (await loadRemedies(db, ids)).map(({ id }) => id) };
    },

    /** Takes an act back, where the tool has a way. */
    async undo(actor: Actor, remedyId: string): Promise<{ readonly id: string }> {
      authorize(actor, 'dlp.remedy');
      const at = clock.now();
      requireStepUp(actor, 'dlp.remedy', at);
      const id = await db.transaction(async (tx) => {
        const remedy = await loadRemedy(tx, remedyId);
        if (!remedy.canUndo || (remedy.status !== 'verified' && remedy.status !== 'unverified'))
          throw new DlpConflict('This act can not be taken back.', { id: remedyId });
        const incident = await loadIncident(tx, remedy.incidentId);
        const added = await addRemedy(tx, incident, {
          action: 'undo',
          by: actor.name,
          at: new Date(at),
          undoOf: remedyId,
        });
        await appendAudit(tx, {
          actor,
          action: 'dlp.undo_requested',
          target: targetOf(incident),
          detail: { remedy: remedyId },
          at,
        });
        await workflows.enqueue(tx, remedyWorkflow, `dlp-remedy-${added}`, { ids: [added] });
        return added;
      });
      return { id };
    },

    /** Which label of a tool stands for one of ours. */
    async nameLabel(actor: Actor, input: z.output<typeof labelMapInput>): Promise<void> {
      authorize(actor, 'dlp.write');
      const at = clock.now();
      const { connector, label, toolLabel } = input;
      await db.transaction(async (tx) => {
        if (toolLabel === null) {
          await tablesOf(tx)
            .deleteFrom('dlp_label_map')
            .where('connector', '=', connector)
            .where('label', '=', label)
            .execute();
        } else {
          const set = { tool_label: toolLabel, set_by: actor.name, set_at: new Date(at) };
          await tablesOf(tx)
            .insertInto('dlp_label_map')
            .values({ connector, label, ...set })
            .onConflict((conflict) => conflict.columns(['connector', 'label']).doUpdateSet(set))
            .execute();
        }
        const target = { type: 'dlp_label', id: `${connector}/${label}`, name: label };
        await appendAudit(tx, { actor, action: 'dlp.label_named', target, detail: { toolLabel }, at });
      });
    },
  };
}
export type IncidentCommands = ReturnType<typeof createIncidentCommands>;

const LABELS_MAX = 1_000;

export async function listLabelNames(
  db: Database,
): Promise<{ connector: string; label: string; toolLabel: string; setBy: string }[]> {
  const rows = await tablesOf(db)
    .selectFrom('dlp_label_map')
    .selectAll()
    .orderBy('connector')
    .orderBy('label')
    .limit(LABELS_MAX)
    .execute();
  return rows.map((row) => ({
    connector: row.connector,
    label: row.label,
    toolLabel: row.tool_label,
    setBy: row.set_by,
  }));
}
