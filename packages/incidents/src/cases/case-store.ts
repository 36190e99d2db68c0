import { type Queryable, type Transaction, uuidv7 } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import { CaseUnknown } from '../errors.ts';
import type { IncidentTables } from '../tables.ts';
import type { CaseLinkKind, CaseStatus, EntryKind, IncidentCase } from './case.ts';

export const CASE_PAGE_MAX = 200;
const PARTS_MAX = 1_000;

function toCase(row: Selectable<IncidentTables['incident_case']>): IncidentCase {
  return {
    id: row.id,
    number: row.number,
    title: row.title,
    summary: row.summary,
    severity: row.severity,
    status: row.status,
    tlp: row.tlp,
    origin: row.origin,
    statusPage: row.status_page,
    occurredAt: row.occurred_at,
    detectedAt: row.detected_at,
    acknowledgedAt: row.acknowledged_at,
    containedAt: row.contained_at,
    notifiedAt: row.notified_at,
    recoveredAt: row.recovered_at,
    closedAt: row.closed_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    roles: row.roles,
    review: row.review,
    drill: row.drill,
  };
}

export interface CaseEntry {
  readonly id: string;
  readonly kind: EntryKind;
  readonly at: number;
  readonly recordedAt: number;
  readonly author: string;
  readonly text: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
export interface CaseTask {
  readonly id: string;
  readonly kind: 'task' | 'review-action';
  readonly title: string;
  readonly assignee: string | null;
  readonly dueAt: number | null;
  readonly doneAt: number | null;
  readonly doneBy: string | null;
  readonly createdAt: number;
}
export interface CaseLink {
  readonly kind: CaseLinkKind;
  readonly ref: string;
  readonly name: string;
  readonly addedAt: number;
}
export interface CaseEvidence {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly addedAt: number;
  readonly addedBy: string;
}

/** By id or number. */
export async function loadCase(db: Queryable, ref: string): Promise<IncidentCase> {
  const select = db.tables<IncidentTables>().selectFrom('incident_case').selectAll();
  const isNumber = /^\d{1,9}$/.test(ref);
  const row = await select.where(isNumber ? 'number' : 'id', '=', isNumber ? Number(ref) : ref).executeTakeFirst();
  if (!row) throw new CaseUnknown('There is no such case.');
  return toCase(row);
}

export async function lockCase(tx: Transaction, id: string): Promise<IncidentCase> {
  const row = await tx
    .tables<IncidentTables>()
    .selectFrom('incident_case')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new CaseUnknown('There is no such case.');
  return toCase(row);
}

export async function listCases(
  db: Queryable,
  query: {
    readonly status?: readonly CaseStatus[] | undefined;
    readonly link?: { readonly kind: string; readonly ref: string } | undefined;
    /** `without` exercises, `with` them, or of one exercise alone. */
    readonly drill?: 'without' | 'with' | { readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<IncidentCase[]> {
  let select = db.tables<IncidentTables>().selectFrom('incident_case').selectAll();
  if (query.status) select = select.where('status', 'in', [...query.status]);
  const { link, drill = link ? 'with' : 'without' } = query;
  if (drill === 'without') select = select.where('drill', 'is', null);
  if (typeof drill === 'object') select = select.where('drill', '=', drill.id);
  if (link) {
    select = select.where(
      'id',
      'in',
      db
        .tables<IncidentTables>()
        .selectFrom('incident_link')
        .select('case_id')
        .where('kind', '=', link.kind as CaseLinkKind)
        .where('ref', '=', link.ref), // an unknown kind finds nothing
    );
  }
  const rows = await select.orderBy('number', 'desc').limit(Math.min(query.limit, CASE_PAGE_MAX)).execute();
  return rows.map(toCase);
}

/** Oldest first, by when things happened. */
export async function listEntries(db: Queryable, caseId: string): Promise<CaseEntry[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_entry')
    .selectAll()
    .where('case_id', '=', caseId)
    .orderBy('at')
    .orderBy('id')
    .limit(PARTS_MAX)
    .execute();
  return rows.map(({ id, kind, at, recorded_at, author, text, detail }) => ({
    id,
    kind,
    at,
    recordedAt: recorded_at,
    author,
    text,
    detail,
  }));
}

export async function listTasks(db: Queryable, caseId: string): Promise<CaseTask[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_task')
    .selectAll()
    .where('case_id', '=', caseId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(PARTS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    title: row.title,
    assignee: row.assignee,
    dueAt: row.due_at,
    doneAt: row.done_at,
    doneBy: row.done_by,
    createdAt: row.created_at,
  }));
}

export async function listLinks(db: Queryable, caseId: string): Promise<CaseLink[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_link')
    .selectAll()
    .where('case_id', '=', caseId)
    .orderBy('added_at')
    .limit(PARTS_MAX)
    .execute();
  return rows.map(({ kind, ref, name, added_at }) => ({ kind, ref, name, addedAt: added_at }));
}

export async function listEvidence(db: Queryable, caseId: string): Promise<CaseEvidence[]> {
  const rows = await db
    .tables<IncidentTables>()
    .selectFrom('incident_evidence')
    .select(['id', 'name', 'media_type', 'bytes', 'sha256', 'added_at', 'added_by'])
    .where('case_id', '=', caseId)
    .orderBy('added_at')
    .limit(PARTS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    mediaType: row.media_type,
    bytes: row.bytes,
    sha256: row.sha256,
    addedAt: row.added_at,
    addedBy: row.added_by,
  }));
}

/** False when the key is there already. */
export async function addEntry(
  tx: Transaction,
  caseId: string,
  entry: Omit<CaseEntry, 'id' | 'detail'> & {
    readonly key?: string;
    readonly detail?: Readonly<Record<string, unknown>>;
  },
): Promise<boolean> {
  const done = await tx
    .tables<IncidentTables>()
    .insertInto('incident_entry')
    .values({
      id: uuidv7(entry.recordedAt),
      case_id: caseId,
      key: entry.key ?? null,
      kind: entry.kind,
      at: entry.at,
      recorded_at: entry.recordedAt,
      author: entry.author,
      text: entry.text,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .executeTakeFirst();
  return (done.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function addLinks(
  tx: Transaction,
  caseId: string,
  links: readonly Omit<CaseLink, 'addedAt'>[],
  at: number,
): Promise<void> {
  if (links.length === 0) return;
  await tx
    .tables<IncidentTables>()
    .insertInto('incident_link')
    .values(links.map(({ kind, ref, name }) => ({ case_id: caseId, kind, ref, name, added_at: at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function addTask(
  tx: Transaction,
  caseId: string,
  task: {
    readonly key?: string;
    readonly kind: 'task' | 'review-action';
    readonly title: string;
    readonly assignee: string | null;
    readonly dueAt: number | null;
  },
  at: number,
): Promise<string> {
  const id = uuidv7(at);
  await tx
    .tables<IncidentTables>()
    .insertInto('incident_task')
    .values({
      id,
      case_id: caseId,
      key: task.key ?? null,
      kind: task.kind,
      title: task.title,
      assignee: task.assignee,
      due_at: task.dueAt,
      done_at: null,
      done_by: null,
      created_at: at,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return id;
}
