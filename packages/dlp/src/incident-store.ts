import { type Queryable, type Transaction, uuidv7 } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { DlpUnknown } from './errors.ts';
import { type FoundClass, foundClass, type JudgedRecord } from './judge-record.ts';
import type { ReadRecord } from './ports.ts';
import { type DlpTables, tablesOf } from './tables.ts';

export const INCIDENTS_PAGE_MAX = 200;
const NOTES_MAX = 500;

/**
 * `open`: waits for a person. `waiting`: somebody is asked to say why. `justified`, `accepted`, `dismissed`: a person
 * decided. `remediating`, `remediated`, `failed`: what was done. `gone`: read again, and it is no longer there.
 */
export const INCIDENT_STATUSES = [
  'open',
  'waiting',
  'justified',
  'accepted',
  'dismissed',
  'remediating',
  'remediated',
  'failed',
  'gone',
] as const;
export type IncidentStatus = (typeof INCIDENT_STATUSES)[number];

/** A person decided: only something more brings it back. */
const DECIDED: ReadonlySet<IncidentStatus> = new Set(['justified', 'accepted', 'dismissed']);
const CLOSED: ReadonlySet<IncidentStatus> = new Set(['remediated', 'gone']);

export interface Incident {
  readonly id: string;
  readonly source: 'rest' | 'motion';
  readonly connectionId: string | null;
  readonly stream: string | null;
  readonly app: string;
  readonly object: string;
  readonly recordId: string;
  readonly parentId: string | null;
  readonly title: string | null;
  readonly url: string | null;
  readonly sharing: string | null;
  readonly ownerId: string | null;
  readonly direction: string | null;
  readonly integrationId: string | null;
  readonly integrationName: string | null;
  /** What the strictest rule says. */
  readonly action: string;
  readonly rule: { readonly id: string; readonly name: string };
  readonly label: FoundClass['label'];
  readonly classes: readonly FoundClass[];
  readonly found: number;
  readonly status: IncidentStatus;
  readonly assignee: string | null;
  readonly scanId: string | null;
  readonly recordAt: Date | null;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  readonly times: number;
  /** The label that the tool had on it when it was read. */
  readonly toolLabel: string | null;
}

export function incidentOf(row: Selectable<DlpTables['dlp_incident']>): Incident {
  return {
    id: row.id,
    source: row.source === 'motion' ? 'motion' : 'rest',
    connectionId: row.connection_id,
    stream: row.stream,
    app: row.app,
    object: row.object,
    recordId: row.record_id,
    parentId: row.parent_id,
    title: row.title,
    url: row.url,
    sharing: row.sharing,
    ownerId: row.owner_id,
    direction: row.direction,
    integrationId: row.integration_id,
    integrationName: row.integration_name,
    action: row.action,
    rule: { id: row.rule_id, name: row.rule_name },
    label: foundClass.shape.label.parse(row.label),
    classes: z.array(foundClass).parse(row.classes),
    found: row.found,
    status: INCIDENT_STATUSES.find((one) => one === row.status) ?? 'open',
    assignee: row.assignee,
    scanId: row.scan_id,
    recordAt: row.record_at,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    times: row.times,
    toolLabel: row.tool_label,
  };
}

export interface IncidentQuery {
  readonly id?: string | undefined;
  readonly status?: readonly IncidentStatus[] | undefined;
  readonly app?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly scanId?: string | undefined;
  readonly source?: 'rest' | 'motion' | undefined;
  readonly assignee?: string | undefined;
  /** `<last seen, ISO>/<id>` of the last of the page before. */
  readonly after?: string | undefined;
}

/** The queue, the last seen first. */
export async function listIncidents(db: Queryable, query: IncidentQuery = {}): Promise<Incident[]> {
  let select = tablesOf(db)
    .selectFrom('dlp_incident')
    .selectAll()
    .orderBy('last_seen', 'desc')
    .orderBy('id')
    .limit(INCIDENTS_PAGE_MAX);
  if (query.id !== undefined) select = select.where('id', '=', query.id);
  if (query.status !== undefined && query.status.length > 0) select = select.where('status', 'in', [...query.status]);
  if (query.app !== undefined) select = select.where('app', '=', query.app);
  if (query.connectionId !== undefined) select = select.where('connection_id', '=', query.connectionId);
  if (query.scanId !== undefined) select = select.where('scan_id', '=', query.scanId);
  if (query.source !== undefined) select = select.where('source', '=', query.source);
  if (query.assignee !== undefined) select = select.where('assignee', '=', query.assignee);
  const [at = '', id = ''] = query.after?.split('/') ?? [];
  if (at !== '') {
    const time = new Date(at);
    select = select.where((build) =>
      build.or([build('last_seen', '<', time), build.and([build('last_seen', '=', time), build('id', '>', id)])]),
    );
  }
  return (await select.execute()).map(incidentOf);
}

export async function loadIncident(db: Queryable, id: string): Promise<Incident> {
  const [incident] = await listIncidents(db, { id });
  if (!incident) throw new DlpUnknown('There is no such incident.', { id });
  return incident;
}

export async function countIncidents(db: Queryable): Promise<Record<string, number>> {
  const rows = await tablesOf(db)
    .selectFrom('dlp_incident')
    .select(['status', sql<number>`count(*)`.as('count')])
    .groupBy('status')
    .execute();
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

export interface IncidentNote {
  readonly at: Date;
  readonly by: string;
  readonly what: string;
  readonly note: string | null;
}

export async function listNotes(db: Queryable, incidentId: string): Promise<IncidentNote[]> {
  const rows = await tablesOf(db)
    .selectFrom('dlp_note')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('at')
    .orderBy('id')
    .limit(NOTES_MAX)
    .execute();
  return rows.map((row) => ({ at: row.at, by: row.by_name, what: row.what, note: row.note }));
}

export async function addNote(
  tx: Queryable,
  incidentId: string,
  note: { readonly at: Date; readonly by: string; readonly what: string; readonly note?: string | null },
): Promise<void> {
  await tablesOf(tx)
    .insertInto('dlp_note')
    .values({
      id: uuidv7(note.at.getTime()),
      incident_id: incidentId,
      at: note.at,
      by_name: note.by,
      what: note.what,
      note: note.note ?? null,
    })
    .execute();
}

export interface FoundRecord {
  readonly record: ReadRecord;
  readonly title: string | null;
  readonly judged: JudgedRecord;
}

export interface ScanPlace {
  readonly scanId: string;
  readonly connectionId: string;
  readonly app: string;
  readonly stream: string;
  readonly at: Date;
}

/** More than what was decided upon: another class, or more of one. */
function hasGrown(before: readonly FoundClass[], after: readonly FoundClass[]): boolean {
  const known = new Map(before.map(({ class: name, count }) => [name, count]));
  return after.some(({ class: name, count }) => count > (known.get(name) ?? 0));
}

/** What becomes of an incident that is found again. */
function nextStatus(before: Incident, judged: JudgedRecord): IncidentStatus {
  const first: IncidentStatus = judged.action === 'justify' ? 'waiting' : 'open';
  if (CLOSED.has(before.status)) return first;
  if (DECIDED.has(before.status)) return hasGrown(before.classes, judged.classes) ? first : before.status;
  return before.status;
}

/** Keeps what was found in a record: one incident for it, however often it is found. Gives those that are new or back. */
export async function saveFound(tx: Transaction, place: ScanPlace, found: FoundRecord): Promise<Incident | null> {
  const { record, judged, title } = found;
  const row = await tablesOf(tx)
    .selectFrom('dlp_incident')
    .selectAll()
    .where('source', '=', 'rest')
    .where('connection_id', '=', place.connectionId)
    .where('object', '=', record.object)
    .where('record_id', '=', record.id)
    .forUpdate()
    .executeTakeFirst();
  const before = row ? incidentOf(row) : null;
  const changedAt = record.updatedAt ?? record.createdAt;
  const values = {
    stream: place.stream,
    app: place.app,
    parent_id: record.parentId ?? null,
    title,
    url: record.url ?? null,
    sharing: record.sharing ?? null,
    owner_id: record.ownerId ?? null,
    tool_label: record.label ?? null,
    action: judged.action,
    rule_id: judged.rule.id,
    rule_name: judged.rule.name,
    label: judged.label,
    classes: JSON.stringify(judged.classes),
    found: judged.found,
    scan_id: place.scanId,
    record_at: changedAt ? new Date(changedAt) : null,
    last_seen: place.at,
  };
  if (before) {
    const status = nextStatus(before, judged);
    // A page that is read again after a crash counts once.
    const times = before.scanId === place.scanId ? before.times : before.times + 1;
    await tablesOf(tx)
      .updateTable('dlp_incident')
      .set({ ...values, status, times })
      .where('id', '=', before.id)
      .execute();
    if (status === before.status) return null;
    await addNote(tx, before.id, { at: place.at, by: 'scan', what: 'found again' });
    return loadIncident(tx, before.id);
  }
  const id = uuidv7(place.at.getTime());
  await tablesOf(tx)
    .insertInto('dlp_incident')
    .values({
      ...values,
      id,
      source: 'rest',
      connection_id: place.connectionId,
      object: record.object,
      record_id: record.id,
      direction: null,
      integration_id: null,
      integration_name: null,
      status: judged.action === 'justify' ? 'waiting' : 'open',
      assignee: null,
      first_seen: place.at,
    })
    .execute();
  await addNote(tx, id, { at: place.at, by: 'scan', what: 'found' });
  return loadIncident(tx, id);
}

const UNSOLVED: readonly IncidentStatus[] = ['open', 'waiting', 'failed', 'remediating'];

/** Records that were read and hold nothing any more, or (of a whole scan) were not there to be read. */
export async function closeGone(
  tx: Transaction,
  place: ScanPlace,
  which: { readonly clean: readonly { readonly object: string; readonly id: string }[] } | 'unseen',
): Promise<number> {
  let select = tablesOf(tx)
    .selectFrom('dlp_incident')
    .select('id')
    .where('source', '=', 'rest')
    .where('connection_id', '=', place.connectionId)
    .where('stream', '=', place.stream)
    .where('status', 'in', [...UNSOLVED]);
  if (which === 'unseen') {
    select = select.where((build) => build.or([build('scan_id', 'is', null), build('scan_id', '<>', place.scanId)]));
  } else {
    if (which.clean.length === 0) return 0;
    select = select.where(
      'record_id',
      'in',
      which.clean.map(({ id }) => id),
    );
  }
  const rows = await select.execute();
  for (const { id } of rows) {
    await tablesOf(tx).updateTable('dlp_incident').set({ status: 'gone' }).where('id', '=', id).execute();
    const what = which === 'unseen' ? 'no longer found' : 'read again: no longer there';
    await addNote(tx, id, { at: place.at, by: 'scan', what });
  }
  return rows.length;
}
