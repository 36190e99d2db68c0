import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { type Actor, describeActor } from './actor.ts';
import { canonicalJson } from './canonical.ts';
import type { Database, Queryable, Transaction } from './database.ts';
import { AuditBroken } from './errors.ts';

export interface AuditTarget {
  readonly type: string;
  readonly id?: string;
  readonly name?: string;
}

export interface AuditEntry {
  readonly actor: Actor;
  /** Noun, dot, verb in the past: `integration.revoked`. */
  readonly action: string;
  readonly target: AuditTarget;
  /** What changed and why; never a secret. */
  readonly detail?: Record<string, unknown>;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A stored record, as read back. */
export interface AuditRecord {
  readonly seq: number;
  readonly at: number;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly name: string };
  readonly action: string;
  readonly target: AuditTarget;
  readonly detail: Record<string, unknown>;
  readonly hash: string;
}

interface AuditTables {
  audit_trail: {
    seq: number;
    at: Date;
    actor_kind: string;
    actor_id: string | null;
    actor_name: string;
    action: string;
    target_type: string;
    target_id: string | null;
    target_name: string | null;
    record: string;
    prev: Buffer;
    hash: Buffer;
  };
  audit_head: { one: boolean; seq: number; hash: Buffer };
}

/** PostgreSQL channel on which each append is announced after its commit. */
export const AUDIT_CHANNEL = 'cordon_audit';
export const AUDIT_PAGE_MAX = 500;

function hashOf(prev: Buffer, record: string): Buffer {
  return createHash('sha256').update(prev).update(record, 'utf8').digest();
}

/** Appends one record in the transaction of the change that it records. */
export async function appendAudit(tx: Transaction, entry: AuditEntry): Promise<{ seq: number }> {
  const tables = tx.tables<AuditTables>();
  const head = await tables.selectFrom('audit_head').select(['seq', 'hash']).forUpdate().executeTakeFirstOrThrow();
  const seq = head.seq + 1;
  const actor = describeActor(entry.actor);
  const record = canonicalJson({
    seq,
    at: entry.at,
    actor,
    action: entry.action,
    target: entry.target,
    detail: entry.detail ?? {},
  });
  const hash = hashOf(head.hash, record);
  await tables
    .insertInto('audit_trail')
    .values({
      seq,
      at: new Date(entry.at),
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_name: actor.name,
      action: entry.action,
      target_type: entry.target.type,
      target_id: entry.target.id ?? null,
      target_name: entry.target.name ?? null,
      record,
      prev: head.hash,
      hash,
    })
    .execute();
  await tables.updateTable('audit_head').set({ seq, hash }).execute();
  await tx.notify(AUDIT_CHANNEL, String(seq));
  return { seq };
}

export interface AuditQuery {
  readonly before?: number;
  readonly after?: number;
  readonly target?: { readonly type: string; readonly id: string };
  readonly action?: string;
  readonly limit: number;
}

/** Newest first, at most `AUDIT_PAGE_MAX`; page on with `before: lastSeq`. With `after`, oldest first. */
export async function readAudit(db: Queryable, query: AuditQuery): Promise<AuditRecord[]> {
  let select = db
    .tables<AuditTables>()
    .selectFrom('audit_trail')
    .select(['seq', 'record', 'hash'])
    .limit(Math.min(query.limit, AUDIT_PAGE_MAX))
    .orderBy('seq', query.after === undefined ? 'desc' : 'asc');
  if (query.before !== undefined) select = select.where('seq', '<', query.before);
  if (query.after !== undefined) select = select.where('seq', '>', query.after);
  if (query.action !== undefined) select = select.where('action', '=', query.action);
  if (query.target) {
    select = select.where('target_type', '=', query.target.type).where('target_id', '=', query.target.id);
  }
  const rows = await select.execute();
  return rows.map((row) => {
    const parsed = JSON.parse(row.record) as Omit<AuditRecord, 'hash'>; // written by appendAudit, covered by the hash
    return { ...parsed, hash: row.hash.toString('hex') };
  });
}

/** Walks the whole chain; throws `AuditBroken` at the first record that was changed, removed or reordered. */
export async function verifyAudit(db: Database): Promise<{ records: number; head: string }> {
  return db.transaction(async (tx) => {
    // One moment for all pages and the head: what is appended meanwhile must not look like a break.
    await sql`set transaction isolation level repeatable read, read only`.execute(tx.tables<AuditTables>());
    return walkAudit(tx);
  });
}

/** As `verifyAudit`, as the caller's transaction sees the trail. */
export async function walkAudit(db: Transaction): Promise<{ records: number; head: string }> {
  const tables = db.tables<AuditTables>();
  let prev: Buffer = Buffer.alloc(32);
  let seq = 0;
  for (;;) {
    const rows = await tables
      .selectFrom('audit_trail')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(AUDIT_PAGE_MAX)
      .execute();
    for (const row of rows) {
      const whole = row.seq === seq + 1 && row.prev.equals(prev) && hashOf(prev, row.record).equals(row.hash);
      if (!whole) throw new AuditBroken(`The audit trail is broken at record ${seq + 1}.`, { seq: seq + 1 });
      checkColumns(row);
      prev = row.hash;
      seq = row.seq;
    }
    if (rows.length < AUDIT_PAGE_MAX) break;
  }
  const head = await sql<{ seq: number; hash: Buffer }>`select seq, hash from audit_head`.execute(tables);
  const last = head.rows[0];
  if (!last || last.seq !== seq || !last.hash.equals(prev)) {
    throw new AuditBroken(`The audit trail ends at record ${seq}, but its head says ${last?.seq ?? 'nothing'}.`, {
      seq,
    });
  }
  return { records: seq, head: prev.toString('hex') };
}

/** The columns are only an index: they must say what the hashed record says, or a search could be made to miss it. */
function checkColumns(row: AuditTables['audit_trail']): void {
  const { seq, at, action, actor, target } = JSON.parse(row.record) as Omit<AuditRecord, 'hash'>; // covered by the hash
  const said = [seq, at, action, actor.kind, actor.id, actor.name, target.type, target.id ?? null, target.name ?? null];
  const indexed = [row.seq, row.at.getTime(), row.action, row.actor_kind, row.actor_id, row.actor_name];
  if ([...indexed, row.target_type, row.target_id, row.target_name].some((value, index) => value !== said[index])) {
    throw new AuditBroken(`The index columns of audit record ${row.seq} differ from the record.`, { seq: row.seq });
  }
}
