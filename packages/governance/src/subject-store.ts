import type { Queryable, SecretEnvelope, Transaction } from '@cordon/kernel';
import { type Selectable, sql, type Updateable } from 'kysely';
import { z } from 'zod';
import { DataUnknown } from './errors.ts';
import { type SubjectIdentifier, subjectIdentifier } from './subject-identifier.ts';
import { type GovernanceTables, tablesOf } from './tables.ts';

export const TARGETS_PAGE_MAX = 200;
export const TARGETS_MAX = 5_000;
const REQUESTS_PAGE_MAX = 200;

export const SUBJECT_KINDS = ['export', 'erase', 'anonymise'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export const SUBJECT_STATUSES = [
  'open',
  'searching',
  'found',
  'waiting',
  'approved',
  'acting',
  /** Everything that a program can do is done; people have tasks left, or something failed. */
  'tasks',
  'done',
  'refused',
  'failed',
] as const;
export type SubjectStatus = (typeof SUBJECT_STATUSES)[number];

/** `planned`, `task`, `held`, `spared` before a run; the others after. Only `verified` was seen gone. */
export const TARGET_STATUSES = [
  'planned',
  'task',
  'held',
  'spared',
  'gone',
  'acted',
  'verified',
  'unverified',
  'failed',
  'collected',
  'task-done',
] as const;
export type TargetStatus = (typeof TARGET_STATUSES)[number];

const counts = z.record(z.string(), z.int());
const gaps = z.array(z.object({ app: z.string(), what: z.string(), because: z.string() }));
const masked = z.array(z.object({ kind: z.string(), text: z.string() }));
const by = z.object({ id: z.string().nullable(), name: z.string() });
const identity = z.object({ how: z.string(), by: z.string(), at: z.number() });
const extension = z.object({ reason: z.string(), by: z.string(), at: z.number() });
const texts = z.array(z.string());

export interface SubjectRequest {
  readonly id: string;
  readonly kind: SubjectKind;
  /** The person's words for the request: a number in their register. */
  readonly reference: string;
  readonly masked: z.output<typeof masked>;
  /** Whether Cordon still holds the sealed identifiers. */
  readonly isSealed: boolean;
  readonly identity: z.output<typeof identity> | null;
  readonly receivedAt: Date;
  readonly dueAt: Date;
  readonly extension: z.output<typeof extension> | null;
  readonly status: SubjectStatus;
  readonly approvalAbove: number;
  readonly perMinuteMax: number;
  readonly runs: number;
  readonly openedBy: z.output<typeof by>;
  readonly openedAt: Date;
  readonly runBy: z.output<typeof by> | null;
  readonly approvedBy: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly gaps: z.output<typeof gaps>;
  readonly evidence: unknown;
  readonly evidenceSha256: string | null;
  readonly error: string | null;
  readonly searchedAt: Date | null;
  readonly endedAt: Date | null;
}
export type SubjectGap = SubjectRequest['gaps'][number];

export interface SubjectTarget {
  readonly seq: number;
  /** Empty: no connector, only a fingerprint. */
  readonly connectionId: string;
  readonly app: string;
  readonly object: string;
  readonly recordId: string;
  readonly parentId: string | null;
  readonly url: string | null;
  readonly fields: readonly string[];
  readonly kinds: readonly string[];
  readonly way: 'delete' | 'anonymise' | null;
  readonly action: string | null;
  readonly status: TargetStatus;
  readonly reason: string | null;
  readonly actionRunId: string | null;
  readonly outcome: string | null;
  readonly verifiedAt: Date | null;
  readonly error: string | null;
  readonly doneBy: string | null;
  readonly doneAt: Date | null;
}
export type PlannedTarget = Pick<
  SubjectTarget,
  | 'connectionId'
  | 'app'
  | 'object'
  | 'recordId'
  | 'parentId'
  | 'url'
  | 'fields'
  | 'kinds'
  | 'way'
  | 'action'
  | 'status'
  | 'reason'
>;

export const requestContext = (id: string): string => `subject-request:${id}`;
export const targetContext = (id: string, seq: number): string => `subject-target:${id}:${seq}`;

function requestOf(row: Selectable<GovernanceTables['subject_request']>): SubjectRequest {
  return {
    id: row.id,
    kind: SUBJECT_KINDS.find((kind) => kind === row.kind) ?? 'export',
    reference: row.reference,
    masked: masked.parse(row.masked),
    isSealed: row.sealed !== null,
    identity: identity.nullable().parse(row.identity),
    receivedAt: row.received_at,
    dueAt: row.due_at,
    extension: extension.nullable().parse(row.extension),
    status: SUBJECT_STATUSES.find((status) => status === row.status) ?? 'failed',
    approvalAbove: row.approval_above,
    perMinuteMax: row.per_minute_max,
    runs: row.runs,
    openedBy: by.parse(row.opened_by),
    openedAt: row.opened_at,
    runBy: by.nullable().parse(row.run_by),
    approvedBy: row.approved_by,
    counts: counts.parse(row.counts),
    gaps: gaps.parse(row.gaps),
    evidence: row.evidence,
    evidenceSha256: row.evidence_sha256,
    error: row.error,
    searchedAt: row.searched_at,
    endedAt: row.ended_at,
  };
}

export async function loadSubjectRequest(db: Queryable, id: string): Promise<SubjectRequest> {
  const row = await tablesOf(db).selectFrom('subject_request').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new DataUnknown('There is no such subject request.', { id });
  return requestOf(row);
}

/** Open ones first, what is due soonest on top; then the others, newest first. */
export async function listSubjectRequests(db: Queryable): Promise<SubjectRequest[]> {
  const rows = await tablesOf(db)
    .selectFrom('subject_request')
    .selectAll()
    .orderBy(sql`ended_at is not null`)
    .orderBy(sql`case when ended_at is null then due_at end`)
    .orderBy('opened_at', 'desc')
    .limit(REQUESTS_PAGE_MAX)
    .execute();
  return rows.map(requestOf);
}

/** Throws `DataUnknown` when the request ended: then nobody knows any more who it was about. */
export async function openIdentifiers(
  db: Queryable,
  envelope: SecretEnvelope,
  id: string,
): Promise<readonly SubjectIdentifier[]> {
  const row = await tablesOf(db).selectFrom('subject_request').select('sealed').where('id', '=', id).executeTakeFirst();
  if (!row?.sealed) throw new DataUnknown('The identifiers of this request are forgotten.', { id });
  const plain: unknown = JSON.parse(envelope.open(row.sealed, requestContext(id)).toString('utf8'));
  return z.array(subjectIdentifier).parse(plain);
}

/** Changes a request that is in one of these states; tells whether it was. */
export async function moveRequest(
  db: Queryable,
  id: string,
  from: readonly SubjectStatus[],
  set: Updateable<GovernanceTables['subject_request']>,
): Promise<boolean> {
  const done = await tablesOf(db)
    .updateTable('subject_request')
    // A change of a target alone changes nothing here, and an empty list of columns is no SQL.
    .set({ runs: sql`runs`, ...set })
    .where('id', '=', id)
    .where('status', 'in', [...from])
    .executeTakeFirst();
  return Number(done.numUpdatedRows) > 0;
}

/** Writes what a search found, anew; what a person spared stays spared. */
export async function saveTargets(tx: Transaction, id: string, targets: readonly PlannedTarget[]): Promise<void> {
  const tables = tablesOf(tx);
  const keyOf = (one: { connectionId: string; app: string; object: string; recordId: string }): string =>
    [one.connectionId, one.app, one.object, one.recordId].join('\0');
  const spared = await tables
    .selectFrom('subject_target')
    .select(['connection_id as connectionId', 'app', 'object', 'record_id as recordId', 'reason'])
    .where('request_id', '=', id)
    .where('status', '=', 'spared')
    .limit(TARGETS_MAX)
    .execute();
  const reasons = new Map(spared.map((one) => [keyOf(one), one.reason]));
  await tables.deleteFrom('subject_target').where('request_id', '=', id).execute();
  for (let from = 0; from < targets.length; from += TARGETS_PAGE_MAX) {
    const rows = targets.slice(from, from + TARGETS_PAGE_MAX).map((target, index) => {
      const isSpared = reasons.has(keyOf(target)) && target.status !== 'held';
      return {
        request_id: id,
        seq: from + index,
        connection_id: target.connectionId,
        app: target.app,
        object: target.object,
        record_id: target.recordId,
        parent_id: target.parentId,
        url: target.url,
        fields: JSON.stringify(target.fields),
        kinds: JSON.stringify(target.kinds),
        way: target.way,
        action: target.action,
        status: isSpared ? 'spared' : target.status,
        reason: isSpared ? (reasons.get(keyOf(target)) ?? null) : target.reason,
        sealed: null,
        action_run_id: null,
        outcome: null,
        verified_at: null,
        error: null,
        done_by: null,
        done_at: null,
      };
    });
    await tables.insertInto('subject_target').values(rows).execute();
  }
}

export async function listTargets(
  db: Queryable,
  id: string,
  after = -1,
): Promise<(SubjectTarget & { readonly sealed: string | null })[]> {
  const rows = await tablesOf(db)
    .selectFrom('subject_target')
    .selectAll()
    .where('request_id', '=', id)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(TARGETS_PAGE_MAX)
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    connectionId: row.connection_id,
    app: row.app,
    object: row.object,
    recordId: row.record_id,
    parentId: row.parent_id,
    url: row.url,
    fields: texts.parse(row.fields),
    kinds: texts.parse(row.kinds),
    way: row.way === 'delete' || row.way === 'anonymise' ? row.way : null,
    action: row.action,
    status: TARGET_STATUSES.find((status) => status === row.status) ?? 'failed',
    reason: row.reason,
    sealed: row.sealed,
    actionRunId: row.action_run_id,
    outcome: row.outcome,
    verifiedAt: row.verified_at,
    error: row.error,
    doneBy: row.done_by,
    doneAt: row.done_at,
  }));
}

/** Page by page: a request has at most 5,000. */
export async function* eachTarget(db: Queryable, id: string) {
  for (let after = -1; ;) {
    const page = await listTargets(db, id, after);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < TARGETS_PAGE_MAX) return;
    after = last.seq;
  }
}

export async function setTarget(
  db: Queryable,
  id: string,
  seq: number,
  set: Updateable<GovernanceTables['subject_target']>,
  from?: readonly TargetStatus[],
): Promise<boolean> {
  let update = tablesOf(db).updateTable('subject_target').set(set).where('request_id', '=', id).where('seq', '=', seq);
  if (from) update = update.where('status', 'in', [...from]);
  return Number((await update.executeTakeFirst()).numUpdatedRows) > 0;
}

/** How many targets stand where; written to the request with each change that a list shows. */
export async function countTargets(db: Queryable, id: string): Promise<Record<string, number>> {
  const rows = await tablesOf(db)
    .selectFrom('subject_target')
    .select(['status', sql<number>`count(*)`.as('count')])
    .where('request_id', '=', id)
    .groupBy('status')
    .execute();
  const found = Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  await tablesOf(db)
    .updateTable('subject_request')
    .set({ counts: JSON.stringify(found) })
    .where('id', '=', id)
    .execute();
  return found;
}
