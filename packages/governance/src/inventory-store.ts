import { type Queryable, type Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import { isLabel, LABELS, type Label, type LabelReason } from './label.ts';
import { tablesOf } from './tables.ts';

export const SETS_PAGE_MAX = 200;
export const FIELDS_MAX = 2_000;
const PLACES_MAX = 2_000;
/** Rows in one statement: PostgreSQL takes 65,535 parameters. */
const ROWS_MAX = 1_000;

const counts = z.record(z.string(), z.number());
const reasons = z.array(z.object({ because: z.string(), text: z.string(), label: z.enum(LABELS) }));

export interface SeenField {
  readonly app: string;
  readonly object: string;
  readonly path: string;
  readonly type: string | null;
  readonly category: string;
  readonly samples: number;
  readonly detections: Readonly<Record<string, number>>;
  /** `openapi`, `schema`, `record`, `traffic`. */
  readonly source: string;
}

export interface DataField {
  readonly app: string;
  readonly object: string;
  readonly path: string;
  readonly type: string | null;
  readonly category: string;
  readonly categoryFrom: string;
  readonly subject: string | null;
  readonly label: Label;
  readonly labelReasons: readonly LabelReason[];
  readonly pinnedLabel: Label | null;
  readonly samples: number;
  readonly detections: Readonly<Record<string, number>>;
  readonly sources: Readonly<Record<string, number>>;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
}

export interface DataSet {
  readonly app: string;
  readonly object: string;
  readonly label: Label;
  readonly labelReasons: readonly LabelReason[];
  readonly pinnedLabel: Label | null;
  readonly records: number;
  readonly fields: number;
  readonly categories: readonly string[];
  readonly region: string | null;
  readonly vendor: string | null;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
}

const labelOf = (value: string | null): Label | null => (isLabel(value) ? value : null);
const reasonsOf = (value: unknown): LabelReason[] => reasons.parse(value) as LabelReason[]; // written by `judge`

export async function touchSet(
  tx: Transaction,
  app: string,
  object: string,
  at: { readonly first: Date; readonly last: Date },
  records: number,
): Promise<void> {
  await tablesOf(tx)
    .insertInto('data_set')
    .values({ app, object, records, pinned_label: null, pinned_by: null, first_seen: at.first, last_seen: at.last })
    .onConflict((conflict) =>
      conflict.columns(['app', 'object']).doUpdateSet({
        records: sql`data_set.records + excluded.records`,
        first_seen: sql`least(data_set.first_seen, excluded.first_seen)`,
        last_seen: sql`greatest(data_set.last_seen, excluded.last_seen)`,
      }),
    )
    .execute();
}

/** Adds what was seen of fields; counts add up, categories are judged again by the next scan. */
export async function saveFields(
  tx: Transaction,
  fields: readonly SeenField[],
  first: Date,
  last: Date,
): Promise<void> {
  for (let from = 0; from < fields.length; from += ROWS_MAX) {
    const rows = fields.slice(from, from + ROWS_MAX).map(({ source, ...field }) => ({
      ...field,
      category_from: 'name',
      subject: null,
      pinned_label: null,
      pinned_by: null,
      detections: JSON.stringify(field.detections),
      sources: JSON.stringify({ [source]: Math.max(1, field.samples) }),
      first_seen: first,
      last_seen: last,
    }));
    const sum = (column: 'detections' | 'sources') => sql<string>`(
      select coalesce(jsonb_object_agg(k, coalesce((data_field.${sql.ref(column)}->>k)::bigint, 0)
        + coalesce((excluded.${sql.ref(column)}->>k)::bigint, 0)), '{}')
      from (select jsonb_object_keys(data_field.${sql.ref(column)} || excluded.${sql.ref(column)}) as k) keys)`;
    await tablesOf(tx)
      .insertInto('data_field')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['app', 'object', 'path']).doUpdateSet({
          type: sql`case when excluded.type is null or excluded.type = 'null' then data_field.type else excluded.type end`,
          samples: sql`data_field.samples + excluded.samples`,
          detections: sum('detections'),
          sources: sum('sources'),
          first_seen: sql`least(data_field.first_seen, excluded.first_seen)`,
          last_seen: sql`greatest(data_field.last_seen, excluded.last_seen)`,
        }),
      )
      .execute();
  }
}

export async function listFields(db: Queryable, app: string, object: string): Promise<DataField[]> {
  const rows = await tablesOf(db)
    .selectFrom('data_field')
    .selectAll()
    .where('app', '=', app)
    .where('object', '=', object)
    .orderBy('path')
    .limit(FIELDS_MAX)
    .execute();
  return rows.map((row) => ({
    app: row.app,
    object: row.object,
    path: row.path,
    type: row.type,
    category: row.category,
    categoryFrom: row.category_from,
    subject: row.subject,
    label: labelOf(row.label) ?? 'internal',
    labelReasons: reasonsOf(row.label_reasons),
    pinnedLabel: labelOf(row.pinned_label),
    samples: row.samples,
    detections: counts.parse(row.detections),
    sources: counts.parse(row.sources),
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
  }));
}

/** Where apps and integrations are, and up to which label they are cleared, as people said. */
export async function listPlacesOfData(db: Queryable): Promise<
  {
    readonly app: string;
    readonly region: string | null;
    readonly vendor: string | null;
    readonly clearance: Label | null;
  }[]
> {
  const rows = await tablesOf(db).selectFrom('data_place').selectAll().orderBy('app').limit(PLACES_MAX).execute();
  return rows.map(({ app, region, vendor, label_floor }) => ({ app, region, vendor, clearance: labelOf(label_floor) }));
}

export interface SetQuery {
  readonly app?: string | undefined;
  readonly object?: string | undefined;
  readonly label?: Label | undefined;
  readonly category?: string | undefined;
  readonly region?: string | undefined;
  readonly vendor?: string | undefined;
  /** `app/object` of the last one seen. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

export async function listSets(db: Queryable, query: SetQuery): Promise<DataSet[]> {
  let select = tablesOf(db)
    .selectFrom('data_set as s')
    .leftJoin('data_place as p', 'p.app', 's.app')
    .select([
      's.app',
      's.object',
      's.label',
      's.label_reasons',
      's.pinned_label',
      's.records',
      's.first_seen',
      's.last_seen',
    ])
    .select(['p.region', 'p.vendor'])
    .select([
      sql<number>`(select count(*) from data_field f where f.app = s.app and f.object = s.object)`.as('fields'),
      sql<string[]>`(select coalesce(array_agg(distinct f.category), '{}') from data_field f
        where f.app = s.app and f.object = s.object and f.category <> 'system.operations')`.as('categories'),
    ]);
  if (query.app !== undefined) select = select.where('s.app', '=', query.app);
  if (query.object !== undefined) select = select.where('s.object', '=', query.object);
  if (query.label !== undefined) select = select.where('s.label', '=', query.label);
  if (query.region !== undefined) select = select.where('p.region', '=', query.region);
  if (query.vendor !== undefined) select = select.where('p.vendor', '=', query.vendor);
  if (query.category !== undefined) {
    const { category } = query;
    select = select.where(
      sql<boolean>`exists (select 1 from data_field f where f.app = s.app and f.object = s.object
        and (f.category = ${category} or f.category like ${`${category.replace(/[\\%_]/g, '\\$&')}.%`}))`,
    );
  }
  if (query.after !== undefined) select = select.where(sql<boolean>`s.app || '/' || s.object > ${query.after}`);
  const rows = await select
    .orderBy(sql`s.app || '/' || s.object`)
    .limit(Math.min(query.limit ?? SETS_PAGE_MAX, SETS_PAGE_MAX))
    .execute();
  return rows.map((row) => ({
    app: row.app,
    object: row.object,
    label: labelOf(row.label) ?? 'internal',
    labelReasons: reasonsOf(row.label_reasons),
    pinnedLabel: labelOf(row.pinned_label),
    records: row.records,
    fields: row.fields,
    categories: row.categories,
    region: row.region,
    vendor: row.vendor,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
  }));
}
