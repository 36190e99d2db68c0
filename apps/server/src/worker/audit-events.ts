import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { AuditRecord, Queryable } from '@cordon/kernel';
import { entityManagement, type OcsfEvent } from '@cordon/lake';

type Activity = Parameters<typeof entityManagement>[0]['activity'];

/** Identity reports these itself, as Authentication and Account Change events. */
const REPORTED_ELSEWHERE: ReadonlySet<string> = new Set([
  'person',
  'session',
  'factor',
  'api-token',
  'oauth-client',
  'access-token',
  'sign-in-link',
]);

const ACTIVITY: readonly (readonly [RegExp, Activity])[] = [
  [/\.(created|registered|given)$/, 'create'],
  [/\.(removed|taken|revoked)$/, 'delete'],
];

/** The same record always becomes the same event id, so a batch that is sent twice counts once. */
function eventIdOf(record: AuditRecord): string {
  const hex = createHash('sha256').update(`cordon audit ${record.hash}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** One audit record as an OCSF Entity Management event; null when identity reports it. */
export function auditEvent(record: AuditRecord): OcsfEvent | null {
  const { target, action, actor } = record;
  if (REPORTED_ELSEWHERE.has(target.type)) return null;
  const activity = ACTIVITY.find(([pattern]) => pattern.test(action))?.[1] ?? 'update';
  const integration =
    target.type === 'integration' && target.id ? { id: target.id, name: target.name ?? target.id } : null;
  return entityManagement({
    time: record.at,
    id: eventIdOf(record),
    role: 'control',
    success: true,
    activity,
    entity: {
      type: target.type,
      id: target.id ?? 'one',
      ...(target.name ? { name: target.name } : {}),
      data: record.detail,
    },
    actor: { id: actor.id ?? actor.name, name: actor.name },
    message: `${action} by ${actor.name}`,
    reason: action,
    ...(integration ? { integration } : {}),
  });
}

interface ExportTables {
  audit_export: { one: boolean; done_seq: number; pending_seq: number | null };
}

export interface AuditCursor {
  readonly done: number;
  readonly pending: number | null;
}

export async function readAuditCursor(db: Queryable): Promise<AuditCursor> {
  const row = await db
    .tables<ExportTables>()
    .selectFrom('audit_export')
    .select(['done_seq', 'pending_seq'])
    .executeTakeFirstOrThrow();
  // A worker that was overtaken by another leaves an end behind that lies in the past.
  const isAhead = row.pending_seq !== null && row.pending_seq > row.done_seq;
  return { done: row.done_seq, pending: isAhead ? row.pending_seq : null };
}

export async function startAuditBatch(db: Queryable, upTo: number): Promise<void> {
  await db
    .tables<ExportTables>()
    .updateTable('audit_export')
    .set({ pending_seq: upTo })
    .where('done_seq', '<', upTo)
    .execute();
}

export async function finishAuditBatch(db: Queryable, upTo: number): Promise<void> {
  await sql`update audit_export set done_seq = ${upTo}, pending_seq = null where done_seq < ${upTo}`.execute(
    db.tables<ExportTables>(),
  );
}
