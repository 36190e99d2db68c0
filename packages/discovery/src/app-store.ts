import type { Queryable, Transaction } from '@cordon/kernel';
import { type Selectable, sql } from 'kysely';
import { FoundAppUnknown } from './errors.ts';
import type { AppState, Decision, FoundApp, FoundUse } from './found-app.ts';
import { EVIDENCE_KINDS } from './sighting.ts';
import { type DiscoveryTables, tablesOf } from './tables.ts';

export const APPS_PAGE_MAX = 500;
export const USES_PAGE_MAX = 500;
const CHUNK_MAX = 500;
const DECISIONS_MAX = 100;

function toApp(row: Selectable<DiscoveryTables['discovery_app']>): FoundApp {
  return {
    key: row.key,
    name: row.name,
    company: row.company,
    category: row.category,
    state: row.state,
    owner: row.owner_id === null ? null : { id: row.owner_id, name: row.owner_name ?? '' },
    dueAt: row.due_at?.getTime() ?? null,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at?.getTime() ?? null,
    reason: row.reason,
    expiresAt: row.expires_at?.getTime() ?? null,
    users: row.users,
    addresses: row.addresses,
    events: row.events,
    bytes: row.bytes,
    firstAt: row.first_at.getTime(),
    lastAt: row.last_at.getTime(),
    createdAt: row.created_at.getTime(),
  };
}

export interface NewApp {
  readonly key: string;
  readonly name: string;
  readonly company: string | null;
  readonly category: string | null;
  readonly state: Extract<AppState, 'new' | 'sanctioned'>;
  readonly reason: string | null;
}

/** Makes rows for apps that are not there yet; returns their keys. */
export async function insertApps(tx: Transaction, apps: readonly NewApp[], at: number): Promise<string[]> {
  if (apps.length === 0) return [];
  const now = new Date(at);
  const rows = await tablesOf(tx)
    .insertInto('discovery_app')
    .values(
      apps.map((app) => ({
        ...app,
        owner_id: null,
        owner_name: null,
        due_at: null,
        decided_by: app.state === 'sanctioned' ? 'Cordon' : null,
        decided_at: app.state === 'sanctioned' ? now : null,
        expires_at: null,
        first_at: now,
        last_at: now,
        created_at: now,
        // What is sanctioned from the start is no news.
        told_at: app.state === 'sanctioned' ? now : null,
        users: 0,
        addresses: 0,
        events: 0,
        bytes: 0,
      })),
    )
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('key')
    .execute();
  return rows.map(({ key }) => key);
}

/** Replaces what is known from these buckets: reading the same place twice changes nothing. */
export async function replaceUses(
  tx: Transaction,
  uses: readonly FoundUse[],
  forget: { readonly evidence: string; readonly bucket: string } | null,
): Promise<void> {
  const tables = tablesOf(tx);
  if (forget) {
    const { evidence, bucket } = forget;
    await tables.deleteFrom('discovery_use').where('evidence', '=', evidence).where('bucket', '=', bucket).execute();
  }
  for (let start = 0; start < uses.length; start += CHUNK_MAX) {
    const rows = uses.slice(start, start + CHUNK_MAX).map((use) => ({
      app_key: use.app,
      evidence: use.evidence,
      bucket: use.bucket,
      who: use.who,
      source: use.source,
      detail: use.detail?.slice(0, 500) ?? null,
      first_at: new Date(use.firstAt),
      last_at: new Date(use.lastAt),
      events: use.events,
      bytes: use.bytes,
    }));
    await tables
      .insertInto('discovery_use')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['app_key', 'evidence', 'bucket', 'who']).doUpdateSet((eb) => ({
          source: eb.ref('excluded.source'),
          detail: eb.ref('excluded.detail'),
          first_at: eb.ref('excluded.first_at'),
          last_at: eb.ref('excluded.last_at'),
          events: eb.ref('excluded.events'),
          bytes: eb.ref('excluded.bytes'),
        })),
      )
      .execute();
  }
}

/** Sums of all uses into the apps they are of. Addresses are told apart from names. */
export async function sumUses(tx: Transaction, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await sql`
    update discovery_app a set users = s.users, addresses = s.addresses, events = s.events, bytes = s.bytes,
      first_at = s.first_at, last_at = s.last_at
    from (
      select app_key,
        count(distinct who) filter (where who <> '' and who !~ '^[0-9a-f.:]+$')::int as users,
        count(distinct who) filter (where who ~ '^[0-9a-f.:]+$')::int as addresses,
        sum(events)::bigint as events, sum(bytes)::bigint as bytes, min(first_at) as first_at, max(last_at) as last_at
      from discovery_use where app_key in (${sql.join([...keys])}) group by app_key
    ) s where a.key = s.app_key`.execute(tablesOf(tx));
  // Nothing tells of it any more: it stays, with its decision, and counts nothing.
  await sql`
    update discovery_app a set users = 0, addresses = 0, events = 0, bytes = 0
    where key in (${sql.join([...keys])}) and not exists (select 1 from discovery_use u where u.app_key = a.key)`.execute(
    tablesOf(tx),
  );
}

/** Apps of which a place told before. */
export async function appsOfBucket(db: Queryable, evidence: string, bucket: string): Promise<string[]> {
  const rows = await tablesOf(db)
    .selectFrom('discovery_use')
    .select('app_key')
    .distinct()
    .where('evidence', '=', evidence)
    .where('bucket', '=', bucket)
    .execute();
  return rows.map(({ app_key }) => app_key);
}

export interface AppQuery {
  readonly state?: AppState;
  readonly category?: string;
  /** Part of the name, any case. */
  readonly text?: string;
  /** Used by this person, account or address. */
  readonly who?: string;
  readonly limit?: number;
}

/** Those that nobody has decided about first, then by use. */
export async function listFoundApps(db: Queryable, query: AppQuery = {}): Promise<FoundApp[]> {
  let select = tablesOf(db)
    .selectFrom('discovery_app')
    .selectAll()
    .orderBy(sql`case state when 'new' then 0 when 'under_review' then 1 else 2 end`)
    .orderBy('users', 'desc')
    .orderBy('events', 'desc')
    .orderBy('key')
    .limit(Math.min(query.limit ?? APPS_PAGE_MAX, APPS_PAGE_MAX));
  if (query.state !== undefined) select = select.where('state', '=', query.state);
  if (query.category !== undefined) select = select.where('category', '=', query.category);
  if (query.text !== undefined && query.text !== '') {
    select = select.where('name', 'ilike', `%${query.text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`);
  }
  if (query.who !== undefined) {
    const who = query.who.toLowerCase();
    select = select.where(
      sql<boolean>`exists (select 1 from discovery_use u where u.app_key = discovery_app.key and u.who = ${who})`,
    );
  }
  return (await select.execute()).map(toApp);
}

export async function loadFoundApp(db: Queryable, key: string): Promise<FoundApp> {
  const row = await tablesOf(db).selectFrom('discovery_app').selectAll().where('key', '=', key).executeTakeFirst();
  if (!row) throw new FoundAppUnknown('No such app was found.', { app: key });
  return toApp(row);
}

export async function lockFoundApp(tx: Transaction, key: string): Promise<FoundApp> {
  await tablesOf(tx).selectFrom('discovery_app').select('key').where('key', '=', key).forUpdate().execute();
  return loadFoundApp(tx, key);
}

/** One row for each place and user, the newest first. */
export async function listUses(db: Queryable, key: string, limit = USES_PAGE_MAX): Promise<FoundUse[]> {
  const rows = await tablesOf(db)
    .selectFrom('discovery_use')
    .selectAll()
    .where('app_key', '=', key)
    .orderBy('last_at', 'desc')
    .orderBy('who')
    .limit(Math.min(limit, USES_PAGE_MAX))
    .execute();
  return rows.map((row) => ({
    app: row.app_key,
    evidence: EVIDENCE_KINDS.find((kind) => kind === row.evidence) ?? 'traffic',
    bucket: row.bucket,
    who: row.who,
    source: row.source,
    detail: row.detail,
    firstAt: row.first_at.getTime(),
    lastAt: row.last_at.getTime(),
    events: row.events,
    bytes: row.bytes,
  }));
}

/** Kinds of evidence and the widest grant of each app: what risk is judged from. */
export async function listEvidence(
  db: Queryable,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly Pick<FoundUse, 'evidence' | 'detail'>[]>> {
  if (keys.length === 0) return new Map();
  const rows = await tablesOf(db)
    .selectFrom('discovery_use')
    .select(['app_key', 'evidence', (eb) => eb.fn.max('detail').as('detail')])
    .where('app_key', 'in', [...keys])
    .groupBy(['app_key', 'evidence'])
    .execute();
  const known = rows.map((row) => ({
    app: row.app_key,
    evidence: EVIDENCE_KINDS.find((kind) => kind === row.evidence) ?? ('traffic' as const),
    detail: row.detail,
  }));
  return Map.groupBy(known, ({ app }) => app);
}

export async function updateApp(
  tx: Transaction,
  key: string,
  change: Partial<Omit<Selectable<DiscoveryTables['discovery_app']>, 'key'>>,
): Promise<void> {
  await tablesOf(tx).updateTable('discovery_app').set(change).where('key', '=', key).execute();
}

export async function insertDecision(tx: Transaction, key: string, decision: Decision): Promise<void> {
  await tablesOf(tx)
    .insertInto('discovery_decision')
    .values({
      id: decision.id,
      app_key: key,
      from_state: decision.from,
      to_state: decision.to,
      decided_by: decision.by,
      reason: decision.reason,
      expires_at: decision.expiresAt === null ? null : new Date(decision.expiresAt),
      at: new Date(decision.at),
    })
    .execute();
}

export async function listDecisions(db: Queryable, key: string): Promise<Decision[]> {
  const rows = await tablesOf(db)
    .selectFrom('discovery_decision')
    .selectAll()
    .where('app_key', '=', key)
    .orderBy('at', 'desc')
    .limit(DECISIONS_MAX)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    from: row.from_state,
    to: row.to_state,
    by: row.decided_by,
    reason: row.reason,
    expiresAt: row.expires_at?.getTime() ?? null,
    at: row.at.getTime(),
  }));
}

/** Found since anybody was told, oldest first; locked, so that two workers don't tell twice. */
export async function takeUntold(tx: Transaction, limit: number): Promise<FoundApp[]> {
  const rows = await tablesOf(tx)
    .selectFrom('discovery_app')
    .selectAll()
    .where('told_at', 'is', null)
    .orderBy('created_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(toApp);
}

/** Decisions that have run out. */
export async function takeExpired(tx: Transaction, now: number, limit: number): Promise<FoundApp[]> {
  const rows = await tablesOf(tx)
    .selectFrom('discovery_app')
    .selectAll()
    .where('expires_at', '<=', new Date(now))
    .where('state', 'in', ['sanctioned', 'tolerated', 'forbidden'])
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(toApp);
}
