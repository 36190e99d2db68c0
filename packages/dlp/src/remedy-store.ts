import { type Queryable, type Transaction, uuidv7 } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { DlpConflict, DlpUnknown } from './errors.ts';
import { addNote, type Incident } from './incident-store.ts';
import type { RemedyAction } from './ports.ts';
import { type DlpTables, tablesOf } from './tables.ts';

const REMEDIES_MAX = 200;

export const REMEDY_ACTIONS: readonly RemedyAction[] = [
  'redact',
  'tokenise',
  'unshare',
  'quarantine',
  'delete',
  'label',
];

/**
 * `verified`: done, and seen by reading again. `unverified`: the tool took it, and nothing shows the effect.
 * `unenforceable`: the tool has no way. `failed`: said why. `undone`: taken back.
 */
export const REMEDY_STATUSES = [
  'queued',
  'acted',
  'verified',
  'unverified',
  'unenforceable',
  'failed',
  'undone',
] as const;
export type RemedyStatus = (typeof REMEDY_STATUSES)[number];

export interface Remedy {
  readonly id: string;
  readonly incidentId: string;
  readonly action: RemedyAction | 'undo';
  readonly status: RemedyStatus;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly connectorAction: string | null;
  readonly actionRunId: string | null;
  readonly undoOf: string | null;
  readonly canUndo: boolean;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly evidence: unknown;
  readonly evidenceSha256: string | null;
  readonly endedAt: Date | null;
}

function remedyOf(row: Selectable<DlpTables['dlp_remedy']>): Remedy {
  return {
    id: row.id,
    incidentId: row.incident_id,
    action: REMEDY_ACTIONS.find((one) => one === row.action) ?? 'undo',
    status: REMEDY_STATUSES.find((one) => one === row.status) ?? 'failed',
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    connectorAction: row.connector_action,
    actionRunId: row.action_run_id,
    undoOf: row.undo_of,
    canUndo: row.can_undo,
    outcome: row.outcome,
    reason: row.reason,
    evidence: row.evidence,
    evidenceSha256: row.evidence_sha256,
    endedAt: row.ended_at,
  };
}

export async function listRemedies(db: Queryable, incidentId: string): Promise<Remedy[]> {
  const rows = await tablesOf(db)
    .selectFrom('dlp_remedy')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('requested_at')
    .limit(REMEDIES_MAX)
    .execute();
  return rows.map(remedyOf);
}

export async function loadRemedies(db: Queryable, ids: readonly string[]): Promise<Remedy[]> {
  if (ids.length === 0) return [];
  const rows = await tablesOf(db)
    .selectFrom('dlp_remedy')
    .selectAll()
    .where('id', 'in', [...ids])
    .orderBy('id')
    .execute();
  return rows.map(remedyOf);
}

export async function loadRemedy(db: Queryable, id: string): Promise<Remedy> {
  const [remedy] = await loadRemedies(db, [id]);
  if (!remedy) throw new DlpUnknown('There is no such remedy.', { id });
  return remedy;
}

/** Asks for an act on an incident; one at a time. */
export async function addRemedy(
  tx: Transaction,
  incident: Incident,
  wish: { readonly action: RemedyAction | 'undo'; readonly by: string; readonly at: Date; readonly undoOf?: string },
): Promise<string> {
  const moved = await tablesOf(tx)
    .updateTable('dlp_incident')
    .set({ status: 'remediating' })
    .where('id', '=', incident.id)
    .where('status', '<>', 'remediating')
    .executeTakeFirst();
  if (Number(moved.numUpdatedRows) === 0)
    throw new DlpConflict('An act on this record is under way.', { id: incident.id });
  const id = uuidv7(wish.at.getTime());
  await tablesOf(tx)
    .insertInto('dlp_remedy')
    .values({
      id,
      incident_id: incident.id,
      action: wish.action,
      status: 'queued',
      requested_by: wish.by,
      requested_at: wish.at,
      connector_action: null,
      action_run_id: null,
      undo_of: wish.undoOf ?? null,
      outcome: null,
      reason: null,
      evidence: null,
      evidence_sha256: null,
      ended_at: null,
    })
    .execute();
  await addNote(tx, incident.id, { at: wish.at, by: wish.by, what: `asked to ${wish.action}` });
  return id;
}

export async function setRemedy(
  db: Queryable,
  id: string,
  set: Partial<Omit<Selectable<DlpTables['dlp_remedy']>, 'id' | 'incident_id' | 'evidence'>>,
): Promise<void> {
  await tablesOf(db).updateTable('dlp_remedy').set(set).where('id', '=', id).execute();
}

/** The label that a tool calls ours by. */
export async function toolLabel(db: Queryable, connector: string, label: string): Promise<string | null> {
  const row = await tablesOf(db)
    .selectFrom('dlp_label_map')
    .select('tool_label')
    .where('connector', '=', connector)
    .where('label', '=', label)
    .executeTakeFirst();
  return row?.tool_label ?? null;
}
