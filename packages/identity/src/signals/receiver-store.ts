import { sql } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';

export const PUSH = 'urn:ietf:rfc:8935';
export const POLL = 'urn:ietf:rfc:8936';
const RECEIVERS_MAX = 200;
const OUTBOX_PAGE_MAX = 200;
const CLAIM_MS = 60_000;
const BATCH_MAX = 20;
const FACTS_MAX = 200;
const KEEP_MS = 30 * 86_400_000;

/** A stream as the receiver made it (SSF 1.0, section 8.1.1). */
export const streamSchema = z.object({
  method: z.enum([PUSH, POLL]),
  /** Of push. */
  endpointUrl: z.string().nullable(),
  eventsRequested: z.array(z.string()),
  description: z.string().nullable(),
});
export type Stream = z.output<typeof streamSchema>;
export type StreamStatus = 'enabled' | 'paused' | 'disabled';

export interface SignalReceiver {
  /** Also the id of its stream. */
  readonly id: string;
  readonly name: string;
  readonly audience: string;
  readonly subjectFormat: 'email' | 'iss_sub';
  readonly allSubjects: boolean;
  readonly stream: Stream | null;
  readonly sealedAuthorization: string | null;
  readonly status: StreamStatus;
  readonly statusReason: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export interface OutboxRow {
  readonly id: string;
  readonly receiverId: string;
  readonly event: string;
  readonly claims: unknown;
  readonly personId: string | null;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly nextAt: number;
  readonly outcome: string | null;
  readonly createdAt: number;
  readonly settledAt: number | null;
}

const all = (db: IdentityDb) => db.selectFrom('signal_receivers').selectAll().where('removed_at', 'is', null);
type ReceiverRow = Awaited<ReturnType<ReturnType<typeof all>['executeTakeFirstOrThrow']>>;

function receiverOf(row: ReceiverRow): SignalReceiver {
  return {
    id: row.id,
    name: row.name,
    audience: row.audience,
    subjectFormat: row.subject_format,
    allSubjects: row.all_subjects,
    stream: row.stream === null ? null : streamSchema.parse(row.stream),
    sealedAuthorization: row.sealed_authorization,
    status: row.status,
    statusReason: row.status_reason,
    createdAt: row.created_at.getTime(),
    lastUsedAt: row.last_used_at?.getTime() ?? null,
  };
}

export async function listReceivers(db: IdentityDb): Promise<SignalReceiver[]> {
  return (await all(db).orderBy('name').limit(RECEIVERS_MAX).execute()).map(receiverOf);
}

export async function findReceiver(db: IdentityDb, id: string): Promise<SignalReceiver | undefined> {
  const row = await all(db).where('id', '=', id).executeTakeFirst();
  return row && receiverOf(row);
}

export async function findReceiverByHash(
  db: IdentityDb,
  hash: Buffer,
  now: number,
): Promise<SignalReceiver | undefined> {
  const row = await all(db).where('hash', '=', hash).executeTakeFirst();
  if (!row) return undefined;
  await db
    .updateTable('signal_receivers')
    .set({ last_used_at: new Date(now) })
    .where('id', '=', row.id)
    .execute();
  return receiverOf(row);
}

/** False: the name is taken. */
export async function insertReceiver(db: IdentityDb, receiver: SignalReceiver, hash: Buffer): Promise<boolean> {
  const at = new Date(receiver.createdAt);
  const result = await db
    .insertInto('signal_receivers')
    .values({
      id: receiver.id,
      name: receiver.name,
      hash,
      audience: receiver.audience,
      subject_format: receiver.subjectFormat,
      all_subjects: receiver.allSubjects,
      stream: receiver.stream === null ? null : JSON.stringify(receiver.stream),
      sealed_authorization: receiver.sealedAuthorization,
      status: receiver.status,
      status_reason: receiver.statusReason,
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function updateReceiver(
  db: IdentityDb,
  id: string,
  change: {
    readonly stream?: Stream | null;
    readonly sealedAuthorization?: string | null;
    readonly status?: StreamStatus;
    readonly statusReason?: string | null;
    readonly hash?: Buffer;
  },
  now: number,
): Promise<void> {
  const { stream, sealedAuthorization, status, statusReason, hash } = change;
  await db
    .updateTable('signal_receivers')
    .set({
      updated_at: new Date(now),
      ...(stream === undefined ? {} : { stream: stream === null ? null : JSON.stringify(stream) }),
      ...(sealedAuthorization === undefined ? {} : { sealed_authorization: sealedAuthorization }),
      ...(status === undefined ? {} : { status }),
      ...(statusReason === undefined ? {} : { status_reason: statusReason }),
      ...(hash === undefined ? {} : { hash }),
    })
    .where('id', '=', id)
    .execute();
}

/** Its name is free again; what it was told stays as evidence until it is swept. */
export async function removeReceiver(db: IdentityDb, id: string, now: number): Promise<void> {
  const at = new Date(now);
  await db
    .updateTable('signal_receivers')
    .set({
      removed_at: at,
      updated_at: at,
      stream: null,
      sealed_authorization: null,
      name: sql<string>`name || ' (' || id || ')'`,
    })
    .where('id', '=', id)
    .execute();
  await db.deleteFrom('signal_outbox').where('receiver_id', '=', id).where('state', '=', 'waiting').execute();
}

export async function setSubject(
  db: IdentityDb,
  row: { readonly receiverId: string; readonly personId: string; readonly included: boolean; readonly at: number },
): Promise<void> {
  const value = { included: row.included, at: new Date(row.at) };
  await db
    .insertInto('signal_subjects')
    .values({ receiver_id: row.receiverId, person_id: row.personId, ...value })
    .onConflict((conflict) => conflict.columns(['receiver_id', 'person_id']).doUpdateSet(value))
    .execute();
}

export async function isSubject(db: IdentityDb, receiver: SignalReceiver, personId: string): Promise<boolean> {
  const row = await db
    .selectFrom('signal_subjects')
    .select('included')
    .where('receiver_id', '=', receiver.id)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return row?.included ?? receiver.allSubjects;
}

/** Facts that nobody has made into events yet, the oldest first; whoever takes them deletes them in the same transaction. */
export async function takeFacts(db: IdentityDb) {
  const rows = await db
    .deleteFrom('signal_facts')
    .where('seq', 'in', (eb) =>
      eb.selectFrom('signal_facts').select('seq').orderBy('seq').limit(FACTS_MAX).forUpdate().skipLocked(),
    )
    .returningAll()
    .execute();
  return rows
    .toSorted((a, b) => Number(a.seq) - Number(b.seq))
    .map(({ kind, person_id, detail, origin, at }) => ({
      kind,
      personId: person_id,
      detail: z.record(z.string(), z.unknown()).parse(detail),
      origin,
      at: at.getTime(),
    }));
}

export async function insertOutbox(
  db: IdentityDb,
  row: Pick<OutboxRow, 'id' | 'receiverId' | 'event' | 'claims' | 'personId' | 'createdAt'>,
): Promise<void> {
  const at = new Date(row.createdAt);
  await db
    .insertInto('signal_outbox')
    .values({
      id: row.id,
      receiver_id: row.receiverId,
      event: row.event,
      claims: JSON.stringify(row.claims),
      person_id: row.personId,
      state: 'waiting',
      next_at: at,
      created_at: at,
    })
    .execute();
}

type OutboxTableRow = Awaited<ReturnType<ReturnType<typeof outbox>['executeTakeFirstOrThrow']>>;
const outbox = (db: IdentityDb) => db.selectFrom('signal_outbox').selectAll();

function outboxOf(row: OutboxTableRow): OutboxRow {
  return {
    id: row.id,
    receiverId: row.receiver_id,
    event: row.event,
    claims: row.claims,
    personId: row.person_id,
    state: row.state,
    attempts: row.attempts,
    nextAt: row.next_at.getTime(),
    outcome: row.outcome,
    createdAt: row.created_at.getTime(),
    settledAt: row.settled_at?.getTime() ?? null,
  };
}

export async function listOutbox(
  db: IdentityDb,
  query: { readonly receiverId: string; readonly state?: OutboxRow['state'] | undefined; readonly oldest?: number },
): Promise<OutboxRow[]> {
  let select = outbox(db).where('receiver_id', '=', query.receiverId);
  if (query.state !== undefined) select = select.where('state', '=', query.state);
  const sorted =
    query.oldest === undefined ? select.orderBy('created_at', 'desc') : select.orderBy('created_at').orderBy('id');
  return (await sorted.limit(query.oldest ?? OUTBOX_PAGE_MAX).execute()).map(outboxOf);
}

/** Events of push streams that are due; nobody else gets them for a minute. */
export async function claimOutbox(db: IdentityDb, now: number): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxTableRow>`
    update signal_outbox set next_at = ${new Date(now + CLAIM_MS)}, attempts = attempts + 1
    where id in (
      select o.id from signal_outbox o join signal_receivers r on r.id = o.receiver_id
      where o.state = 'waiting' and o.next_at <= ${new Date(now)} and r.status = 'enabled'
        and r.removed_at is null and r.stream ->> 'method' = ${PUSH}
      order by o.created_at limit ${BATCH_MAX} for update of o skip locked)
    returning *`.execute(db);
  return rows.map(outboxOf);
}

export async function settleOutbox(
  db: IdentityDb,
  which: { readonly receiverId: string; readonly ids: readonly string[] },
  result: { readonly state: OutboxRow['state']; readonly outcome: string; readonly nextAt?: number },
  now: number,
): Promise<number> {
  if (which.ids.length === 0) return 0;
  const { state, outcome, nextAt } = result;
  const changed = await db
    .updateTable('signal_outbox')
    .set({
      state,
      outcome: outcome.slice(0, 500),
      settled_at: state === 'waiting' ? null : new Date(now),
      ...(nextAt === undefined ? {} : { next_at: new Date(nextAt) }),
    })
    .where('receiver_id', '=', which.receiverId)
    .where('id', 'in', [...which.ids])
    .executeTakeFirst();
  return Number(changed.numUpdatedRows);
}

export async function deleteOldSignals(db: IdentityDb, now: number): Promise<void> {
  const before = new Date(now - KEEP_MS);
  await db.deleteFrom('signal_outbox').where('settled_at', '<', before).execute();
  await db.deleteFrom('signal_received').where('at', '<', before).execute();
}
