import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { canonicalJson, type Queryable, type Transaction } from '@cordon/kernel';
import { entity as entitySchema, type EntityKind, type StoredEntity } from './entity.ts';
import { tablesOf } from './tables.ts';

export const ENTITIES_PAGE_MAX = 500;
const FIELDS_MAX = 50;
const CHUNK_MAX = 500;

export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
}

interface Place {
  readonly connectionId: string;
  readonly syncId: string;
  readonly stream: string;
  readonly at: Date;
}

const nameOf = (one: StoredEntity): string | null =>
  (('name' in one ? one.name : null) ?? ('title' in one ? one.title : null) ?? null)?.slice(0, 256) ?? null;

/** Members that differ, for the diff: names only, the values are in the entity. */
function fieldsChanged(before: unknown, after: object): string[] {
  const old = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {}; // an object here
  const now = { ...after } as Record<string, unknown>; // members by name
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  const differ = [...names].filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]));
  return differ
    .flatMap((name) => (name === 'value' ? membersChanged(old[name], now[name]) : [name]))
    .slice(0, FIELDS_MAX);
}

/** Of a setting one wants to know which of its members changed. */
function membersChanged(before: unknown, after: unknown): string[] {
  const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null && !Array.isArray(one);
  if (!isObject(before) || !isObject(after)) return ['value'];
  return fieldsChanged(before, after).map((name) => `value.${name}`);
}

/** Writes one page of entities and what changed about them. One statement each for reading, entities and changes. */
export async function saveEntities(
  tx: Transaction,
  place: Place,
  entities: readonly StoredEntity[],
): Promise<ChangeCounts> {
  const unique = new Map(entities.map((one) => [`${one.type}\0${one.id}`, one]));
  let [added, changed] = [0, 0];
  const all = [...unique.values()];
  for (let start = 0; start < all.length; start += CHUNK_MAX) {
    const counts = await saveChunk(tx, place, all.slice(start, start + CHUNK_MAX));
    added += counts.added;
    changed += counts.changed;
  }
  return { added, changed };
}

async function saveChunk(tx: Transaction, place: Place, chunk: readonly StoredEntity[]): Promise<ChangeCounts> {
  const tables = tablesOf(tx);
  const { connectionId, syncId, stream, at } = place;
  const known = await tables
    .selectFrom('connector_entity')
    .select(['kind', 'external_id', 'payload', 'hash', 'gone_at'])
    .where('connection_id', '=', connectionId)
    .where('stream', '=', stream)
    .where(
      'external_id',
      'in',
      chunk.map(({ id }) => id),
    )
    .execute();
  const before = new Map(known.map((row) => [`${row.kind}\0${row.external_id}`, row]));
  const changes = [];
  const rows = [];
  let [added, changed] = [0, 0];
  for (const one of chunk) {
    const { type, id, ...payload } = one;
    const hash = createHash('sha256').update(canonicalJson(payload)).digest();
    const old = before.get(`${type}\0${id}`);
    const isSame = old !== undefined && old.hash.equals(hash);
    const name = nameOf(one);
    rows.push({
      connection_id: connectionId,
      stream,
      kind: type,
      external_id: id,
      payload: JSON.stringify(payload),
      hash,
      name,
      first_seen: at,
      last_seen: at,
      changed_at: at,
      gone_at: null,
      seen_sync: syncId,
    });
    if (isSame && old.gone_at === null) continue;
    const change = old === undefined ? 'added' : old.gone_at === null ? 'changed' : 'returned';
    if (change === 'changed') changed += 1;
    else added += 1;
    const fields = JSON.stringify(old === undefined ? [] : fieldsChanged(old.payload, payload));
    changes.push({
      connection_id: connectionId,
      sync_id: syncId,
      stream,
      kind: type,
      external_id: id,
      name,
      change,
      fields,
      at,
    } as const);
  }
  await tables
    .insertInto('connector_entity')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['connection_id', 'stream', 'kind', 'external_id']).doUpdateSet((eb) => ({
        payload: eb.ref('excluded.payload'),
        hash: eb.ref('excluded.hash'),
        name: eb.ref('excluded.name'),
        last_seen: eb.ref('excluded.last_seen'),
        changed_at: sql<Date>`case when connector_entity.hash = excluded.hash then connector_entity.changed_at
          else excluded.changed_at end`,
        gone_at: null,
        seen_sync: eb.ref('excluded.seen_sync'),
      })),
    )
    .execute();
  if (changes.length > 0) await tables.insertInto('connector_change').values(changes).execute();
  return { added, changed };
}

/** Marks what a whole read of a stream no longer showed as gone. */
export async function sweepUnseen(tx: Transaction, place: Place): Promise<number> {
  const { connectionId, syncId, stream, at } = place;
  const result = await sql<{ n: number }>`
    with gone as (
      update connector_entity set gone_at = ${at}
      where connection_id = ${connectionId} and stream = ${stream} and gone_at is null and seen_sync <> ${syncId}
      returning kind, external_id, name
    ), told as (
      insert into connector_change (connection_id, sync_id, stream, kind, external_id, name, change, at)
      select ${connectionId}, ${syncId}, ${stream}, kind, external_id, name, 'removed', ${at} from gone returning 1
    ) select count(*)::int as n from told`.execute(tablesOf(tx));
  return result.rows[0]?.n ?? 0;
}

export interface StoredRow {
  readonly connectionId: string;
  readonly stream: string;
  readonly kind: EntityKind;
  readonly id: string;
  readonly name: string | null;
  readonly entity: StoredEntity;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly changedAt: number;
  readonly goneAt: number | null;
}

export interface EntityQuery {
  readonly connectionId?: string;
  readonly kind?: string;
  readonly stream?: string;
  /** Part of the name or id, any case. */
  readonly text?: string;
  readonly gone?: boolean;
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit?: number;
}

/** One page in the order of connection, stream, kind and id. */
export async function listEntities(
  db: Queryable,
  query: EntityQuery,
): Promise<{ items: StoredRow[]; next: string | null }> {
  const limit = Math.min(query.limit ?? 100, ENTITIES_PAGE_MAX);
  let select = tablesOf(db)
    .selectFrom('connector_entity')
    .selectAll()
    .orderBy('connection_id')
    .orderBy('stream')
    .orderBy('kind')
    .orderBy('external_id')
    .limit(limit + 1);
  if (query.connectionId !== undefined) select = select.where('connection_id', '=', query.connectionId);
  if (query.kind !== undefined) select = select.where('kind', '=', query.kind);
  if (query.stream !== undefined) select = select.where('stream', '=', query.stream);
  if (query.gone !== true) select = select.where('gone_at', 'is', null);
  if (query.text !== undefined && query.text !== '') {
    const like = `%${query.text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    select = select.where((eb) => eb.or([eb('name', 'ilike', like), eb('external_id', 'ilike', like)]));
  }
  if (query.after !== undefined) {
    const [connection = '', stream = '', kind = '', id = ''] = cursorParts(query.after);
    select = select.where(
      sql<boolean>`(connection_id, stream, kind, external_id) > (${connection}, ${stream}, ${kind}, ${id})`,
    );
  }
  const rows = await select.execute();
  const items = rows.slice(0, limit).map((row) => {
    const parsed = entitySchema.parse({ type: row.kind, id: row.external_id, ...(row.payload as object) }); // saved as one
    return {
      connectionId: row.connection_id,
      stream: row.stream,
      kind: parsed.type,
      id: row.external_id,
      name: row.name,
      entity: parsed as StoredEntity, // saveEntities takes no other kind
      firstSeen: row.first_seen.getTime(),
      lastSeen: row.last_seen.getTime(),
      changedAt: row.changed_at.getTime(),
      goneAt: row.gone_at?.getTime() ?? null,
    };
  });
  const last = items.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return { items, next: isMore ? cursorOf([last.connectionId, last.stream, last.kind, last.id]) : null };
}

const cursorOf = (parts: readonly string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

function cursorParts(text: string): string[] {
  const nil = '00000000-0000-0000-0000-000000000000';
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    const isWhole = Array.isArray(parts) && parts.length === 4 && parts.every((part) => typeof part === 'string');
    return isWhole && /^[0-9a-f-]{36}$/.test(parts[0] ?? '') ? parts : [nil];
  } catch {
    return [nil];
  }
}

export async function countEntities(
  db: Queryable,
  connectionId: string,
): Promise<{ stream: string; kind: string; count: number }[]> {
  const rows = await tablesOf(db)
    .selectFrom('connector_entity')
    .select(['stream', 'kind', (eb) => eb.fn.countAll<number>().as('count')])
    .where('connection_id', '=', connectionId)
    .where('gone_at', 'is', null)
    .groupBy(['stream', 'kind'])
    .orderBy('stream')
    .execute();
  return rows;
}

export interface EntityChange {
  readonly id: number;
  readonly syncId: string;
  readonly stream: string;
  readonly kind: string;
  readonly externalId: string;
  readonly name: string | null;
  readonly change: 'added' | 'changed' | 'removed' | 'returned';
  readonly fields: readonly string[];
  readonly at: number;
}

/** Newest first; page on with `before`. */
export async function listChanges(
  db: Queryable,
  query: { readonly connectionId: string; readonly syncId?: string; readonly before?: number; readonly limit?: number },
): Promise<EntityChange[]> {
  let select = tablesOf(db)
    .selectFrom('connector_change')
    .selectAll()
    .where('connection_id', '=', query.connectionId)
    .orderBy('id', 'desc')
    .limit(Math.min(query.limit ?? 100, ENTITIES_PAGE_MAX));
  if (query.syncId !== undefined) select = select.where('sync_id', '=', query.syncId);
  if (query.before !== undefined) select = select.where('id', '<', query.before);
  const rows = await select.execute();
  return rows.map((row) => ({
    id: row.id,
    syncId: row.sync_id,
    stream: row.stream,
    kind: row.kind,
    externalId: row.external_id,
    name: row.name,
    change: row.change,
    fields: Array.isArray(row.fields) ? row.fields.map(String) : [],
    at: row.at.getTime(),
  }));
}
