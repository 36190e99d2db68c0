import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { SIGNAL_NAMES, type SignalName } from './signal-event.ts';

const SOURCES_MAX = 100;
const RECEIVED_PAGE_MAX = 200;

/** What may follow from an event of somebody else. */
export const ACTS = [
  'none',
  'end-sessions',
  'require-factor',
  'factor-reset',
  'suspend',
  'restore',
  'note-compliance',
  'note-risk',
] as const;
export type SignalAct = (typeof ACTS)[number];
export type SignalActs = Readonly<Record<SignalName, SignalAct>>;

/** What follows unless an administrator says otherwise. */
export const DEFAULT_ACTS: SignalActs = {
  'session-revoked': 'end-sessions',
  'sessions-revoked': 'end-sessions',
  'token-claims-change': 'none',
  'credential-change': 'require-factor',
  'assurance-level-change': 'require-factor',
  'device-compliance-change': 'note-compliance',
  'risk-level-change': 'note-risk',
  'account-credential-change-required': 'factor-reset',
  'credential-compromise': 'factor-reset',
  'account-disabled': 'suspend',
  'account-purged': 'suspend',
  'account-enabled': 'restore',
  'identifier-changed': 'none',
  'identifier-recycled': 'end-sessions',
  'recovery-activated': 'none',
};

export const actsSchema = z
  .partialRecord(z.enum(SIGNAL_NAMES), z.enum(ACTS))
  .transform((given): SignalActs => ({ ...DEFAULT_ACTS, ...given }));

/** Where a transmitter is asked; from its `/.well-known/ssf-configuration`. */
export const transmitterSchema = z.object({
  configurationUrl: z.string().nullable(),
  verificationUrl: z.string().nullable(),
  /** Of poll. */
  pollUrl: z.string().nullable(),
});

export interface SignalSource {
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri: string;
  readonly delivery: 'push' | 'poll';
  readonly pushHash: Buffer | null;
  readonly transmitter: z.output<typeof transmitterSchema>;
  readonly sealedToken: string | null;
  readonly streamId: string | null;
  readonly acts: SignalActs;
  readonly status: 'active' | 'paused';
  readonly verifiedAt: number | null;
  readonly verifyState: string | null;
  readonly lastAt: number | null;
  readonly lastError: string | null;
  readonly createdAt: number;
}

export interface ReceivedSignal {
  readonly jti: string;
  readonly at: number;
  readonly event: string;
  readonly personId: string | null;
  readonly subject: unknown;
  readonly outcome: string;
  readonly detail: unknown;
}

const all = (db: IdentityDb) => db.selectFrom('signal_sources').selectAll();
type Row = Awaited<ReturnType<ReturnType<typeof all>['executeTakeFirstOrThrow']>>;

function sourceOf(row: Row): SignalSource {
  return {
    id: row.id,
    name: row.name,
    issuer: row.issuer,
    audience: row.audience,
    jwksUri: row.jwks_uri,
    delivery: row.delivery,
    pushHash: row.push_hash,
    transmitter: transmitterSchema.parse(row.transmitter),
    sealedToken: row.sealed_token,
    streamId: row.stream_id,
    acts: actsSchema.parse(row.actions),
    status: row.status,
    verifiedAt: row.verified_at?.getTime() ?? null,
    verifyState: row.verify_state,
    lastAt: row.last_at?.getTime() ?? null,
    lastError: row.last_error,
    createdAt: row.created_at.getTime(),
  };
}

export async function listSources(db: IdentityDb): Promise<SignalSource[]> {
  return (await all(db).orderBy('name').limit(SOURCES_MAX).execute()).map(sourceOf);
}

export async function findSource(db: IdentityDb, id: string): Promise<SignalSource | undefined> {
  const row = await all(db).where('id', '=', id).executeTakeFirst();
  return row && sourceOf(row);
}

/** False: the name is taken. */
export async function insertSource(db: IdentityDb, source: SignalSource): Promise<boolean> {
  const at = new Date(source.createdAt);
  const result = await db
    .insertInto('signal_sources')
    .values({
      id: source.id,
      name: source.name,
      issuer: source.issuer,
      audience: source.audience,
      jwks_uri: source.jwksUri,
      delivery: source.delivery,
      push_hash: source.pushHash,
      transmitter: JSON.stringify(source.transmitter),
      sealed_token: source.sealedToken,
      stream_id: source.streamId,
      actions: JSON.stringify(source.acts),
      status: source.status,
      verify_state: source.verifyState,
      created_at: at,
      updated_at: at,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function updateSource(
  db: IdentityDb,
  id: string,
  change: {
    readonly status?: SignalSource['status'];
    readonly acts?: SignalActs;
    readonly streamId?: string;
    readonly transmitter?: SignalSource['transmitter'];
    readonly verifyState?: string | null;
    readonly verifiedAt?: number;
    readonly lastAt?: number;
    readonly lastError?: string | null;
  },
  now: number,
): Promise<void> {
  const { status, acts, streamId, transmitter, verifyState, verifiedAt, lastAt, lastError } = change;
  await db
    .updateTable('signal_sources')
    .set({
      updated_at: new Date(now),
      ...(status === undefined ? {} : { status }),
      ...(acts === undefined ? {} : { actions: JSON.stringify(acts) }),
      ...(streamId === undefined ? {} : { stream_id: streamId }),
      ...(transmitter === undefined ? {} : { transmitter: JSON.stringify(transmitter) }),
      ...(verifyState === undefined ? {} : { verify_state: verifyState }),
      ...(verifiedAt === undefined ? {} : { verified_at: new Date(verifiedAt) }),
      ...(lastAt === undefined ? {} : { last_at: new Date(lastAt) }),
      ...(lastError === undefined ? {} : { last_error: lastError?.slice(0, 500) ?? null }),
    })
    .where('id', '=', id)
    .execute();
}

export async function deleteSource(db: IdentityDb, id: string): Promise<void> {
  await db.deleteFrom('signal_sources').where('id', '=', id).execute();
}

/** Sources that are polled and due; nobody else gets them until the next time. */
export async function claimPolls(db: IdentityDb, now: number, everyMs: number): Promise<SignalSource[]> {
  const rows = await db
    .updateTable('signal_sources')
    .set({ polled_at: new Date(now) })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('signal_sources')
        .select('id')
        .where('delivery', '=', 'poll')
        .where('status', '=', 'active')
        .where((or) => or.or([or('polled_at', 'is', null), or('polled_at', '<=', new Date(now - everyMs))]))
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
  return rows.map(sourceOf);
}

/** False: this `jti` came before. One statement decides. */
export async function insertReceived(
  db: IdentityDb,
  sourceId: string,
  row: Omit<ReceivedSignal, 'outcome' | 'detail'>,
): Promise<boolean> {
  const result = await db
    .insertInto('signal_received')
    .values({
      source_id: sourceId,
      jti: row.jti,
      at: new Date(row.at),
      event: row.event,
      person_id: row.personId,
      subject: JSON.stringify(row.subject),
      outcome: 'taken',
      detail: '{}',
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function settleReceived(
  db: IdentityDb,
  which: { readonly sourceId: string; readonly jti: string },
  result: { readonly personId: string | null; readonly outcome: string; readonly detail: object },
): Promise<void> {
  await db
    .updateTable('signal_received')
    .set({ person_id: result.personId, outcome: result.outcome, detail: JSON.stringify(result.detail) })
    .where('source_id', '=', which.sourceId)
    .where('jti', '=', which.jti)
    .execute();
}

export async function listReceived(db: IdentityDb, sourceId: string): Promise<ReceivedSignal[]> {
  const rows = await db
    .selectFrom('signal_received')
    .selectAll()
    .where('source_id', '=', sourceId)
    .orderBy('at', 'desc')
    .limit(RECEIVED_PAGE_MAX)
    .execute();
  return rows.map(({ jti, at, event, person_id, subject, outcome, detail }) => ({
    jti,
    at: at.getTime(),
    event,
    personId: person_id,
    subject,
    outcome,
    detail,
  }));
}
