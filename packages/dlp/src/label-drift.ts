import {
  type Actor,
  appendAudit,
  authorize,
  type Clock,
  type Database,
  type Queryable,
  requireStepUp,
  type WorkflowClient,
} from '@cordon/kernel';
import { z } from 'zod';
import { type Incident, incidentOf } from './incident-store.ts';
import { REMEDIES_AT_ONCE, remedyWorkflow } from './remedy-run.ts';
import { addRemedy } from './remedy-store.ts';
import { tablesOf } from './tables.ts';

const DRIFT_MAX = 1_000;

export const labelSyncInput = z.strictObject({
  connector: z.string().min(1).max(64),
  mode: z.enum(['dry-run', 'run']).default('dry-run'),
});

/** A record that bears another label in its tool than what was found in it asks for. */
export interface LabelDrift {
  readonly incident: Incident;
  readonly wanted: string;
  readonly has: string | null;
}

/** Records of the last scans whose tool's label is not the one that is named for ours; of connectors with named labels. */
export async function listLabelDrift(db: Queryable, connector?: string): Promise<LabelDrift[]> {
  let select = tablesOf(db)
    .selectFrom('dlp_incident as i')
    .innerJoin('dlp_label_map as m', (join) => join.onRef('m.connector', '=', 'i.app').onRef('m.label', '=', 'i.label'))
    .selectAll('i')
    .select('m.tool_label as wanted')
    .where('i.source', '=', 'rest')
    .where('i.object', '=', 'file')
    .where('i.status', 'not in', ['gone', 'dismissed', 'remediating'])
    .where((build) =>
      build.or([build('i.tool_label', 'is', null), build('i.tool_label', '<>', build.ref('m.tool_label'))]),
    )
    .orderBy('i.id')
    .limit(DRIFT_MAX);
  if (connector !== undefined) select = select.where('i.app', '=', connector);
  const rows = await select.execute();
  return rows.map(({ wanted, ...row }) => ({ incident: incidentOf(row), wanted, has: row.tool_label }));
}

/** Puts the named labels on what drifted, through the connector's action. A dry run only says on what. */
export async function syncLabels(
  deps: { readonly db: Database; readonly clock: Clock; readonly workflows: Pick<WorkflowClient, 'enqueue'> },
  actor: Actor,
  { connector, mode }: z.output<typeof labelSyncInput>,
): Promise<readonly LabelDrift[]> {
  authorize(actor, mode === 'run' ? 'dlp.remedy' : 'dlp.read');
  const at = deps.clock.now();
  if (mode === 'run') requireStepUp(actor, 'dlp.remedy', at);
  const drift = await listLabelDrift(deps.db, connector);
  if (mode === 'dry-run' || drift.length === 0) return drift;
  for (let from = 0; from < drift.length; from += REMEDIES_AT_ONCE) {
    await deps.db.transaction(async (tx) => {
      const ids: string[] = [];
      for (const { incident } of drift.slice(from, from + REMEDIES_AT_ONCE))
        ids.push(await addRemedy(tx, incident, { action: 'label', by: actor.name, at: new Date(at) }));
      const target = { type: 'dlp_label', id: connector, name: connector };
      await appendAudit(tx, { actor, action: 'dlp.labels_synced', target, detail: { records: ids.length }, at });
      await deps.workflows.enqueue(tx, remedyWorkflow, `dlp-remedy-${ids[0]}`, { ids });
    });
  }
  return drift;
}
