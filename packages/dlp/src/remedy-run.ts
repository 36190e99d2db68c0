import { createHash } from 'node:crypto';
import type { Classifier, Deidentifier, Finding } from '@cordon/classifier';
import {
  appendAudit,
  canonicalJson,
  type Clock,
  type Database,
  type Transaction,
  type WorkflowClient,
  type WorkflowDefinition,
} from '@cordon/kernel';
import { DlpError, NotShown } from './errors.ts';
import { addNote, type Incident, type IncidentStatus, listIncidents, loadIncident } from './incident-store.ts';
import { cleanRecord } from './judge-record.ts';
import type { DlpTools, ReadRecord, RemedyAction, ScanSource } from './ports.ts';
import {
  addRemedy,
  loadRemedies,
  loadRemedy,
  type Remedy,
  REMEDY_ACTIONS,
  setRemedy,
  toolLabel,
} from './remedy-store.ts';
import type { Scan } from './scan-store.ts';
import { tablesOf } from './tables.ts';

export const remedyWorkflow = { name: 'dlp.remedy' } as const;

const PAGES_MAX = 5_000;
const LOOK_BACK_MS = 3_600_000;
export const REMEDIES_AT_ONCE = 100;
/** The acts that need a record's text, which nobody kept: it is read again. */
const NEEDS_TEXT: ReadonlySet<string> = new Set(['redact', 'tokenise']);

export interface RemedyDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly classifier: Classifier;
  readonly tools: DlpTools;
  readonly workflows: Pick<WorkflowClient, 'enqueue'>;
  /** With the key of tokens; null without one. */
  readonly tokens: () => Promise<Deidentifier | null>;
}

interface Task {
  readonly remedy: Remedy;
  readonly incident: Incident;
}

async function loadTasks(db: Database, ids: readonly string[]): Promise<Task[]> {
  const remedies = await loadRemedies(db, ids);
  return Promise.all(remedies.map(async (remedy) => ({ remedy, incident: await loadIncident(db, remedy.incidentId) })));
}

const keyOf = ({ object, id }: { readonly object: string; readonly id: string }): string => `${object}\0${id}`;

/** What is known of a record without reading it: enough to delete, unshare or label it. */
const recordOf = (incident: Incident): ReadRecord => ({
  object: incident.object,
  id: incident.recordId,
  parentId: incident.parentId,
});

/** The records of some incidents as they are now; the stream is read from before the oldest of them was changed. */
async function* readAgain(deps: RemedyDeps, tasks: readonly Task[]): AsyncGenerator<readonly [Task, ReadRecord]> {
  const byStream = Map.groupBy(tasks, ({ incident }) => incident.stream ?? '');
  for (const [stream, group] of byStream) {
    const [first] = group;
    if (!first || stream === '') continue;
    const waiting = new Map(
      group.map((task) => [keyOf({ object: task.incident.object, id: task.incident.recordId }), task]),
    );
    const times = group.map(({ incident }) => incident.recordAt?.getTime() ?? 0);
    const request = {
      connectionId: first.incident.connectionId ?? '',
      stream,
      purpose: 'data loss prevention: what is to be changed, and what became of it',
      since: Math.max(0, Math.min(...times) - LOOK_BACK_MS),
    };
    let pages = 0;
    for await (const page of deps.tools.readPages(request)) {
      for (const record of page.records) {
        const task = waiting.get(keyOf(record));
        if (!task) continue;
        waiting.delete(keyOf(record));
        yield [task, record];
      }
      pages += 1;
      if (waiting.size === 0 || pages >= PAGES_MAX) break;
    }
  }
}

async function replacementFor(deps: RemedyDeps, action: string): Promise<(finding: Finding, value: string) => string> {
  const tokens = action === 'tokenise' ? await deps.tokens() : null;
  return (finding, value) =>
    tokens ? tokens.value(value, finding.category, { mode: 'token' }) : `[${finding.class} removed]`;
}

const classesOf = (incident: Incident): Set<string> => new Set(incident.classes.map(({ class: name }) => name));

async function fail(
  deps: RemedyDeps,
  { remedy }: Task,
  status: 'failed' | 'unenforceable',
  reason: string,
): Promise<void> {
  await setRemedy(deps.db, remedy.id, { status, reason });
}

/** Acts once for a remedy, whatever happens in between: the connectors' journal goes by its id. */
async function actOn(deps: RemedyDeps, source: ScanSource, task: Task, record: ReadRecord): Promise<void> {
  const { db, tools } = deps;
  const { remedy, incident } = task;
  if (remedy.action === 'undo') return;
  const way = source.way(incident.object, remedy.action);
  if (!way)
    return fail(deps, task, 'unenforceable', `${source.app} has no way to ${remedy.action} a ${incident.object}`);
  let target = record;
  if (NEEDS_TEXT.has(remedy.action)) {
    const cleaned = cleanRecord(
      deps.classifier,
      record,
      classesOf(incident),
      await replacementFor(deps, remedy.action),
    );
    if (cleaned.count === 0)
      return fail(
        deps,
        task,
        'unenforceable',
        'what was found lies in a file or attachment, whose text this tool does not change',
      );
    target = cleaned.record;
  }
  if (remedy.action === 'label') {
    const label = await toolLabel(db, source.app, incident.label);
    if (label === null)
      return fail(deps, task, 'unenforceable', `no label of ${source.app} is named for ${incident.label}`);
    target = { ...record, label };
  }
  const input = await tools.inputFor(source.connectionId, way.action, target);
  if (!input)
    return fail(deps, task, 'unenforceable', `${source.app} can not be told which ${incident.object} is meant`);
  const { runId, outcome, error } = await tools.act({
    connectionId: source.connectionId,
    action: way.action,
    input,
    mode: 'run',
    key: `dlp:${remedy.id}`,
  });
  await setRemedy(db, remedy.id, {
    status: error === null ? 'acted' : 'failed',
    connector_action: way.action,
    action_run_id: runId,
    can_undo: way.canUndo,
    outcome,
    reason: error,
  });
}

/** What a tool refuses of one record is no reason to leave the others. */
async function alone(deps: RemedyDeps, task: Task, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof NotShown)) throw error;
    await fail(deps, task, 'failed', error.message);
  }
}

async function act(deps: RemedyDeps, ids: readonly string[]): Promise<void> {
  const sources = new Map((await deps.tools.list()).map((source) => [source.connectionId, source]));
  const tasks = (await loadTasks(deps.db, ids)).filter(({ remedy }) => remedy.status === 'queued');
  const reading: Task[] = [];
  for (const task of tasks) {
    const source = sources.get(task.incident.connectionId ?? '');
    if (!source?.active) await fail(deps, task, 'failed', 'the connection is gone or paused');
    else if (task.remedy.action === 'undo') await alone(deps, task, () => undo(deps, source, task));
    else if (NEEDS_TEXT.has(task.remedy.action)) reading.push(task);
    else await alone(deps, task, () => actOn(deps, source, task, recordOf(task.incident)));
  }
  for await (const [task, record] of readAgain(deps, reading)) {
    const source = sources.get(task.incident.connectionId ?? '');
    if (source) await alone(deps, task, () => actOn(deps, source, task, record));
  }
  for (const task of await loadTasks(
    deps.db,
    reading.map(({ remedy }) => remedy.id),
  ))
    if (task.remedy.status === 'queued') await fail(deps, task, 'failed', 'the record was not found again');
}

async function undo(deps: RemedyDeps, source: ScanSource, task: Task): Promise<void> {
  const before = task.remedy.undoOf === null ? null : await loadRemedy(deps.db, task.remedy.undoOf);
  if (!before?.connectorAction || !before.actionRunId)
    return fail(deps, task, 'failed', 'there is nothing to take back');
  const { incident } = task;
  const label = await toolLabel(deps.db, incident.app, incident.label);
  const record = label === null ? recordOf(incident) : { ...recordOf(incident), label };
  const input = (await deps.tools.inputFor(source.connectionId, before.connectorAction, record)) ?? {};
  const { runId, outcome, error } = await deps.tools.act({
    connectionId: source.connectionId,
    action: before.connectorAction,
    input,
    mode: 'undo',
    key: `dlp:${task.remedy.id}`,
    undoOf: before.actionRunId,
  });
  const end = { connector_action: before.connectorAction, action_run_id: runId, outcome, reason: error };
  await setRemedy(deps.db, task.remedy.id, { ...end, status: error === null ? 'undone' : 'failed' });
  if (error === null) await setRemedy(deps.db, before.id, { status: 'undone', can_undo: false });
}

/** What the tool itself shows: its state, read again. */
async function seenByState(
  deps: RemedyDeps,
  task: Task,
  record: ReadRecord | null,
): Promise<'done' | 'not_done' | 'unknown'> {
  const { remedy, incident } = task;
  const target = record ?? recordOf(incident);
  const label = remedy.action === 'label' ? await toolLabel(deps.db, incident.app, incident.label) : undefined;
  const action = remedy.connectorAction ?? '';
  const connectionId = incident.connectionId ?? '';
  const input = await deps.tools.inputFor(connectionId, action, label === undefined ? target : { ...target, label });
  if (!input) return 'unknown';
  const { outcome } = await deps.tools.act({
    connectionId,
    action,
    input,
    mode: 'verify',
    key: `dlp:${remedy.id}:verify`,
  });
  return outcome === 'done' || outcome === 'already' ? 'done' : outcome === 'not_done' ? 'not_done' : 'unknown';
}

/** Reads again what was acted on: text must be clean, deleted records must be gone, the rest by the tool's state. */
async function verify(deps: RemedyDeps, ids: readonly string[]): Promise<void> {
  const tasks = (await loadTasks(deps.db, ids)).filter(({ remedy }) => remedy.status === 'acted');
  const there = new Map<string, ReadRecord>();
  const reread = tasks.filter(({ remedy }) => NEEDS_TEXT.has(remedy.action) || remedy.action === 'delete');
  for await (const [task, record] of readAgain(deps, reread)) there.set(task.remedy.id, record);
  for (const task of tasks) {
    const { remedy, incident } = task;
    const record = there.get(remedy.id) ?? null;
    let status: 'verified' | 'unverified' | 'failed';
    let reason: string | null = null;
    if (NEEDS_TEXT.has(remedy.action)) {
      const left = record ? cleanRecord(deps.classifier, record, classesOf(incident), () => '').count : 0;
      status = record === null ? 'unverified' : left === 0 ? 'verified' : 'failed';
      reason =
        record === null ? 'the record was not found again' : left === 0 ? null : `${left} values are still there`;
    } else if (remedy.action === 'delete' && record !== null) {
      status = 'failed';
      reason = 'the record is still there';
    } else {
      const seen = await seenByState(deps, task, record);
      status = seen === 'done' ? 'verified' : seen === 'not_done' ? 'failed' : 'unverified';
      reason = seen === 'not_done' ? 'the tool shows that it took no effect' : null;
    }
    await setRemedy(deps.db, remedy.id, { status, reason });
  }
}

const AFTER: Readonly<Record<Remedy['status'], IncidentStatus>> = {
  queued: 'failed',
  acted: 'failed',
  verified: 'remediated',
  unverified: 'remediated',
  unenforceable: 'open',
  failed: 'failed',
  undone: 'open',
};

/** The proof of an act: what, on which record, by whom, and how it was seen; under a hash that the audit trail holds. */
async function finish(deps: RemedyDeps, ids: readonly string[]): Promise<void> {
  const at = new Date(deps.clock.now());
  for (const { remedy, incident } of await loadTasks(deps.db, ids)) {
    if (remedy.endedAt !== null) continue;
    const evidence = {
      remedy: remedy.id,
      action: remedy.action,
      requestedBy: remedy.requestedBy,
      record: { connectionId: incident.connectionId, object: incident.object, id: incident.recordId },
      classes: incident.classes.map(({ class: name, count }) => ({ class: name, count })),
      rule: incident.rule,
      connectorAction: remedy.connectorAction,
      actionRun: remedy.actionRunId,
      outcome: remedy.outcome,
      status: remedy.status,
      reason: remedy.reason,
      at: at.toISOString(),
    };
    const text = canonicalJson(evidence);
    const sha256 = createHash('sha256').update(text).digest('hex');
    await deps.db.transaction(async (tx) => {
      await tablesOf(tx)
        .updateTable('dlp_remedy')
        .set({ evidence: text, evidence_sha256: sha256, ended_at: at })
        .where('id', '=', remedy.id)
        .execute();
      const label = remedy.action === 'label' && remedy.status === 'verified';
      const seen = label ? { tool_label: await toolLabel(tx, incident.app, incident.label) } : {};
      await tablesOf(tx)
        .updateTable('dlp_incident')
        // A label says what the record is; what lies in it is still there for somebody to decide upon.
        .set({ ...seen, status: label ? 'open' : AFTER[remedy.status] })
        .where('id', '=', incident.id)
        .execute();
      await addNote(tx, incident.id, {
        at,
        by: 'worker',
        what: `${remedy.action}: ${remedy.status}`,
        note: remedy.reason,
      });
      await appendAudit(tx, {
        actor: { kind: 'system', name: `data loss prevention, for ${remedy.requestedBy}` },
        action: `dlp.remedy_${remedy.status}`,
        target: { type: 'dlp_incident', id: incident.id, name: `${incident.app}: ${incident.recordId}` },
        detail: { remedy: remedy.id, action: remedy.action, run: remedy.actionRunId, evidence: sha256 },
        at: at.getTime(),
      });
    });
  }
}

/** Acts on records, looks again and proves it. After a crash each act is looked up in the connectors' journal first. */
export function createRemedyWorkflow(deps: RemedyDeps): WorkflowDefinition<{ readonly ids: readonly string[] }> {
  return {
    name: remedyWorkflow.name,
    async run({ ids }, steps) {
      try {
        await steps.step('act', () => act(deps, ids), { attemptsMax: 4 });
        await steps.step('verify', () => verify(deps, ids), { attemptsMax: 4 });
      } catch (error) {
        const reason =
          error instanceof DlpError || error instanceof NotShown ? error.message : 'the tool could not be reached';
        await steps.step('fail', async () => {
          for (const task of await loadTasks(deps.db, ids))
            if (task.remedy.status === 'queued' || task.remedy.status === 'acted')
              await fail(deps, task, 'failed', reason);
        });
      }
      await steps.step('finish', () => finish(deps, ids));
      return { remedies: ids.length };
    },
  };
}

/** Whether a rule's action is something that is done to a record. */
const isRemedy = (action: string): action is RemedyAction => REMEDY_ACTIONS.some((one) => one === action);

/** Asks for what rules say of everything that a scan found and nobody has decided upon. */
export async function enforceScan(deps: Pick<RemedyDeps, 'db' | 'clock' | 'workflows'>, scan: Scan): Promise<void> {
  for (let after: string | undefined; ;) {
    const incidents = await listIncidents(deps.db, {
      scanId: scan.id,
      status: ['open'],
      ...(after === undefined ? {} : { after }),
    });
    const last = incidents.at(-1);
    if (!last) return;
    after = `${last.lastSeen.toISOString()}/${last.id}`;
    const due = await stillDue(deps.db, incidents);
    for (let from = 0; from < due.length; from += REMEDIES_AT_ONCE) {
      await deps.db.transaction((tx) =>
        enqueueRemedies(deps, tx, due.slice(from, from + REMEDIES_AT_ONCE), `policy, scan ${scan.id}`),
      );
    }
  }
}

/** What a rule does to a record and is not done yet: a label that is on it already is not put on again. */
async function stillDue(db: Database, incidents: readonly Incident[]): Promise<Incident[]> {
  const due: Incident[] = [];
  for (const incident of incidents) {
    if (!isRemedy(incident.action)) continue;
    const wanted = incident.action === 'label' ? await toolLabel(db, incident.app, incident.label) : null;
    if (wanted === null || wanted !== incident.toolLabel) due.push(incident);
  }
  return due;
}

async function enqueueRemedies(
  deps: Pick<RemedyDeps, 'clock' | 'workflows'>,
  tx: Transaction,
  incidents: readonly Incident[],
  by: string,
): Promise<void> {
  const at = new Date(deps.clock.now());
  const ids: string[] = [];
  for (const incident of incidents) {
    const { action } = incident;
    if (isRemedy(action)) ids.push(await addRemedy(tx, incident, { action, by, at }));
  }
  const [first] = ids;
  if (first !== undefined) await deps.workflows.enqueue(tx, remedyWorkflow, `dlp-remedy-${first}`, { ids });
}
