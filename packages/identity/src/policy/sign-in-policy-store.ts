import { sql } from 'kysely';
import { z } from 'zod';
import type { IdentityDb } from '../context.ts';
import { signInFacts, type SignInRequest, type SignInService } from './sign-in-facts.ts';
import { DEFAULT_SET, type SignInPolicySet, signInPolicySet, type SignInReason } from './sign-in-decision.ts';

export const RECORDS_PAGE_MAX = 200;
const HISTORY_PAGE_MAX = 100;
const DEVICE_MS_MAX = 180 * 86_400_000;
/** Longer than the last month that a change is tried on. */
const RECORD_MS_MAX = 95 * 86_400_000;

/** One version; number 0 is what holds before anybody wrote one. */
export interface SignInPolicyVersion {
  readonly version: number;
  readonly set: SignInPolicySet;
  readonly note: string;
  readonly madeBy: string;
  readonly madeAt: number | null;
}

export interface SignInRecord extends SignInRequest {
  readonly id: string;
  readonly personName: string;
  readonly outcome: 'allow' | 'stronger' | 'refuse';
  /** Null: before sign-ins were decided by policy. */
  readonly version: number | null;
  readonly exempt: boolean;
  readonly reasons: readonly SignInReason[];
  /** What the watched policies would have made of it, when that is something else. */
  readonly watched: string | null;
}

const reasonSchema = z.array(
  z.object({
    policy: z.string(),
    statement: z.string().nullable(),
    effect: z.enum(['permit', 'forbid']),
    advice: z.string().nullable(),
  }),
);

const FIRST: SignInPolicyVersion = { version: 0, set: DEFAULT_SET, note: '', madeBy: 'cordon', madeAt: null };

export async function newestVersion(db: IdentityDb): Promise<number> {
  const row = await db
    .selectFrom('sign_in_policy_versions')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst();
  return row?.version ?? 0;
}

export async function listVersions(db: IdentityDb, only?: number): Promise<SignInPolicyVersion[]> {
  let query = db.selectFrom('sign_in_policy_versions').selectAll().orderBy('version', 'desc').limit(HISTORY_PAGE_MAX);
  if (only !== undefined) query = query.where('version', '=', only);
  const rows = await query.execute();
  const found = rows.map(({ version, base, policies, networks, note, made_by, made_at }) => ({
    version,
    set: signInPolicySet.parse({ base, policies, networks }),
    note,
    madeBy: made_by,
    madeAt: made_at.getTime(),
  }));
  return only === undefined || only === 0 ? [...found, FIRST] : found;
}

export async function loadVersion(db: IdentityDb, version: number): Promise<SignInPolicyVersion> {
  return (await listVersions(db, version))[0] ?? FIRST;
}

/** False: somebody else made this version meanwhile. */
export async function insertVersion(db: IdentityDb, version: SignInPolicyVersion): Promise<boolean> {
  const { set, madeAt } = version;
  const result = await db
    .insertInto('sign_in_policy_versions')
    .values({
      version: version.version,
      base: set.base,
      policies: JSON.stringify(set.policies),
      networks: JSON.stringify(set.networks),
      note: version.note,
      made_by: version.madeBy,
      made_at: new Date(madeAt ?? 0),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export async function isKnownDevice(db: IdentityDb, personId: string, hash: Buffer, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('known_devices')
    .select('last_at')
    .where('person_id', '=', personId)
    .where('hash', '=', hash)
    .where('last_at', '>', new Date(now - DEVICE_MS_MAX))
    .executeTakeFirst();
  return row !== undefined;
}

export async function rememberDevice(db: IdentityDb, personId: string, hash: Buffer, now: number): Promise<void> {
  const at = new Date(now);
  await db
    .insertInto('known_devices')
    .values({ person_id: personId, hash, first_at: at, last_at: at })
    .onConflict((conflict) => conflict.columns(['person_id', 'hash']).doUpdateSet({ last_at: at }))
    .execute();
}

export async function insertRecord(db: IdentityDb, record: SignInRecord): Promise<void> {
  await db
    .insertInto('sign_in_records')
    .values({
      id: record.id,
      at: new Date(record.at),
      person_id: record.personId,
      person_name: record.personName,
      service_kind: record.service.kind,
      service_id: record.service.id,
      service_name: record.service.name,
      outcome: record.outcome,
      policy_version: record.version,
      exempt: record.exempt,
      reasons: JSON.stringify(record.reasons),
      watched: record.watched,
      facts: JSON.stringify(record.facts),
    })
    .execute();
}

interface RecordRow {
  id: string;
  at: Date;
  person_id: string;
  person_name: string;
  service_kind: SignInService['kind'];
  service_id: string;
  service_name: string;
  outcome: SignInRecord['outcome'];
  policy_version: number | null;
  exempt: boolean;
  reasons: unknown;
  watched: string | null;
  facts: unknown;
}

function recordOf(row: RecordRow): SignInRecord {
  return {
    id: row.id,
    at: row.at.getTime(),
    personId: row.person_id,
    personName: row.person_name,
    service: { kind: row.service_kind, id: row.service_id, name: row.service_name },
    outcome: row.outcome,
    version: row.policy_version,
    exempt: row.exempt,
    reasons: reasonSchema.parse(row.reasons),
    watched: row.watched,
    facts: signInFacts.parse(row.facts),
  };
}

/** Newest first. `before` is the id of the last row of the page before. */
export async function listRecords(
  db: IdentityDb,
  query: {
    readonly since: number;
    readonly before?: string | undefined;
    readonly outcome?: SignInRecord['outcome'] | undefined;
    readonly personId?: string | undefined;
    readonly id?: string | undefined;
    readonly limit: number;
  },
): Promise<SignInRecord[]> {
  let select = db
    .selectFrom('sign_in_records')
    .selectAll()
    .where('at', '>=', new Date(query.since))
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit);
  const { before } = query;
  if (before !== undefined) {
    select = select.where(
      sql<boolean>`(at, id) < (select b.at, b.id from sign_in_records b where b.id = ${before}::uuid)`,
    );
  }
  if (query.outcome !== undefined) select = select.where('outcome', '=', query.outcome);
  if (query.personId !== undefined) select = select.where('person_id', '=', query.personId);
  if (query.id !== undefined) select = select.where('id', '=', query.id);
  return (await select.execute()).map(recordOf);
}

/** The last sign-in to Cordon of each active owner: what a change must not shut out altogether. */
export async function lastOfOwners(db: IdentityDb): Promise<SignInRecord[]> {
  const { rows } = await sql<RecordRow>`
    select distinct on (r.person_id) r.* from sign_in_records r
    join people p on p.id = r.person_id and p.status = 'active' and 'owner' = any (p.roles)
    where r.service_kind = 'cordon' and r.outcome = 'allow'
    order by r.person_id, r.at desc, r.id desc limit 100`.execute(db);
  return rows.map(recordOf);
}

export async function deleteOldSignInRows(db: IdentityDb, now: number): Promise<void> {
  await db
    .deleteFrom('sign_in_records')
    .where('at', '<', new Date(now - RECORD_MS_MAX))
    .execute();
  await db
    .deleteFrom('known_devices')
    .where('last_at', '<', new Date(now - DEVICE_MS_MAX))
    .execute();
}
