import type { Queryable, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import type { PrintKind } from './fingerprint.ts';
import { isLabel, type Label } from './label.ts';
import { addToSketch, decodeSketch, EMPTY_SKETCH, encodeSketch } from './theta-sketch.ts';
import { tablesOf } from './tables.ts';

const ROWS_MAX = 2_000;
export const SPREADS_MAX = 200;
const PLACES_MAX = 500;

/** One record seen in one place. */
export interface PrintSighting {
  readonly keyId: string;
  readonly print: Buffer;
  readonly kind: PrintKind;
  /** Field that held it. */
  readonly path: string;
  readonly app: string;
  readonly object: string;
  /** `read` from the app, `write` to it, `held` in it (seen by a connector). */
  readonly direction: 'read' | 'write' | 'held';
  readonly integrationId: string;
  readonly integrationName: string;
  readonly first: Date;
  readonly last: Date;
  readonly seen: number;
}

export interface SpreadPlace {
  readonly app: string;
  readonly object: string;
  readonly label: Label;
  readonly direction: string;
  readonly integrationId: string;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  readonly seen: number;
}

const idOf = ({ keyId, print, app, object, direction, integrationId }: PrintSighting): string =>
  [keyId, print.toString('base64url'), app, object, direction, integrationId].join('\0');

/** Keys that are gone: a gateway that had not heard of the rotation must not bring back what was forgotten. */
async function withKnownKeys(tx: Transaction, sightings: readonly PrintSighting[]): Promise<PrintSighting[]> {
  const keys = await tablesOf(tx).selectFrom('fingerprint_key').select('id').forShare().execute();
  const known = new Set(keys.map(({ id }) => id));
  return sightings.filter(({ keyId }) => known.has(keyId));
}

/** Stores sightings and what follows from them: sketches, and records in places below their label. */
export async function savePrints(tx: Transaction, all: readonly PrintSighting[]): Promise<PrintSighting[]> {
  const known = await withKnownKeys(tx, all);
  const merged = new Map<string, PrintSighting>();
  for (const sighting of known) {
    const id = idOf(sighting);
    const before = merged.get(id);
    merged.set(id, before ? { ...before, seen: before.seen + sighting.seen, last: sighting.last } : sighting);
  }
  // Sorted, so that two batches take their row locks in one order.
  const rows = [...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sighting]) => sighting);
  for (let from = 0; from < rows.length; from += ROWS_MAX) {
    await tablesOf(tx)
      .insertInto('data_print')
      .values(
        rows.slice(from, from + ROWS_MAX).map((row) => ({
          key_id: row.keyId,
          print: row.print,
          kind: row.kind,
          app: row.app,
          object: row.object,
          direction: row.direction,
          integration_id: row.integrationId,
          first_seen: row.first,
          last_seen: row.last,
          seen: row.seen,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['key_id', 'print', 'app', 'object', 'direction', 'integration_id']).doUpdateSet({
          first_seen: sql`least(data_print.first_seen, excluded.first_seen)`,
          last_seen: sql`greatest(data_print.last_seen, excluded.last_seen)`,
          seen: sql`data_print.seen + excluded.seen`,
        }),
      )
      .execute();
  }
  await sketch(tx, rows);
  await noteBelowLabel(tx, [...new Map(rows.map(({ print }) => [print.toString('base64url'), print])).values()]);
  return rows;
}

async function sketch(tx: Transaction, rows: readonly PrintSighting[]): Promise<void> {
  const groups = Map.groupBy(rows, ({ keyId, app }) => `${keyId}\0${app}`);
  for (const [, group] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const { keyId, app } = group[0]!; // groupBy makes no empty groups
    const tables = tablesOf(tx);
    await tables
      .insertInto('data_sketch')
      .values({ key_id: keyId, app, sketch: encodeSketch(EMPTY_SKETCH) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const row = await tables
      .selectFrom('data_sketch')
      .select('sketch')
      .where('key_id', '=', keyId)
      .where('app', '=', app)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const grown = addToSketch(
      decodeSketch(row.sketch),
      group.map(({ print }) => print),
    );
    await tables
      .updateTable('data_sketch')
      .set({ sketch: encodeSketch(grown) })
      .where('key_id', '=', keyId)
      .where('app', '=', app)
      .execute();
  }
}

const LABEL_RANK = sql.raw(`array_position(array['public', 'internal', 'confidential', 'restricted'], `);

/** A record's label is its strictest place's; an app that is not cleared for it is noted the first time. */
async function noteBelowLabel(tx: Transaction, prints: readonly Buffer[]): Promise<void> {
  for (let from = 0; from < prints.length; from += ROWS_MAX) {
    const some = prints.slice(from, from + ROWS_MAX);
    await sql`
      insert into spread_sighting (key_id, print, app, label, place_label, at)
      select key_id, print, app, (array['public', 'internal', 'confidential', 'restricted'])[record_rank], place, first_seen
      from (
        select p.key_id, p.print, p.app, min(p.first_seen) as first_seen,
          max(max(${LABEL_RANK}s.label))) over (partition by p.key_id, p.print) as record_rank,
          coalesce(max(c.label_floor), (array['public', 'internal', 'confidential', 'restricted'])[max(${LABEL_RANK}s.label))]) as place
        from data_print p
        join data_set s on s.app = p.app and s.object = p.object
        left join data_place c on c.app = p.app
        where p.print = any(${some}::bytea[])
        group by p.key_id, p.print, p.app
      ) places
      where ${LABEL_RANK}place) < record_rank
      on conflict do nothing`.execute(tablesOf(tx));
  }
}

/** Every place where one record was seen, first sight first. */
export async function listPlaces(db: Queryable, print: Buffer): Promise<SpreadPlace[]> {
  const rows = await tablesOf(db)
    .selectFrom('data_print as p')
    .innerJoin('data_set as s', (join) => join.onRef('s.app', '=', 'p.app').onRef('s.object', '=', 'p.object'))
    .select([
      'p.app',
      'p.object',
      'p.direction',
      'p.integration_id',
      'p.first_seen',
      'p.last_seen',
      'p.seen',
      's.label',
    ])
    .where('p.print', '=', print)
    .orderBy('p.first_seen')
    .limit(PLACES_MAX)
    .execute();
  return rows.map((row) => ({
    app: row.app,
    object: row.object,
    label: isLabel(row.label) ? row.label : 'internal',
    direction: row.direction,
    integrationId: row.integration_id,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    seen: row.seen,
  }));
}

export interface Spread {
  /** base64url; says nothing to who lacks the key. */
  readonly print: string;
  readonly kind: string;
  readonly apps: readonly string[];
  readonly places: number;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Apps where it is though they are below its label. */
  readonly below: readonly string[];
}

/** Records that are in the most apps. */
export async function listSpreads(
  db: Queryable,
  query: { readonly appsMin: number; readonly app?: string | undefined; readonly limit: number },
): Promise<Spread[]> {
  let select = tablesOf(db)
    .selectFrom('data_print as p')
    .select([
      'p.print',
      sql<string>`min(p.kind)`.as('kind'),
      sql<string[]>`array_agg(distinct p.app)`.as('apps'),
      sql<number>`count(distinct (p.app, p.object))`.as('places'),
      sql<Date>`min(p.first_seen)`.as('first'),
      sql<Date>`max(p.last_seen)`.as('last'),
      sql<string[]>`(select coalesce(array_agg(b.app), '{}') from spread_sighting b where b.print = p.print)`.as(
        'below',
      ),
    ])
    .groupBy('p.print')
    .having(sql<boolean>`count(distinct p.app) >= ${query.appsMin}`);
  if (query.app !== undefined) select = select.having(sql<boolean>`${query.app} = any(array_agg(p.app))`);
  const rows = await select
    .orderBy(sql`count(distinct p.app) desc, count(distinct (p.app, p.object)) desc, max(p.last_seen) desc, p.print`)
    .limit(Math.min(query.limit, SPREADS_MAX))
    .execute();
  return rows.map((row) => ({
    print: row.print.toString('base64url'),
    kind: row.kind,
    apps: row.apps,
    places: row.places,
    firstSeen: row.first,
    lastSeen: row.last,
    below: row.below,
  }));
}

/** Sketches of the key in force, by app. */
export async function loadSketches(db: Queryable): Promise<{ readonly app: string; readonly bytes: Buffer }[]> {
  const rows = await tablesOf(db)
    .selectFrom('data_sketch as s')
    .innerJoin('fingerprint_key as k', 'k.id', 's.key_id')
    .select(['s.app', 's.sketch'])
    .where('k.status', '=', 'current')
    .orderBy('s.app')
    .limit(PLACES_MAX)
    .execute();
  return rows.map(({ app, sketch: bytes }) => ({ app, bytes }));
}
