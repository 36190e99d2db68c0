import type { Queryable, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import { isLabel, type Label } from './label.ts';
import type { ObservationLine } from './observation.ts';
import type { PrintSighting } from './print-store.ts';
import { tablesOf } from './tables.ts';
import { isInstrument, type TransferInstrument } from './transfer-instrument.ts';

export const FLOWS_MAX = 1_000;
const ROWS_MAX = 2_000;
const FIELDS_MAX = 200;

/** Field to number of records that moved in it. */
const fieldCounts = z.record(z.string(), z.number());

export interface Flow {
  readonly id: string;
  /** An empty app is the integration itself. */
  readonly from: { readonly app: string; readonly object: string };
  readonly to: { readonly app: string; readonly object: string };
  readonly integration: { readonly id: string; readonly name: string };
  /** `inline`: seen. `inferred`: one integration read a record there and wrote it here. `possible`: two did. */
  readonly how: 'inline' | 'inferred' | 'possible';
  readonly fields: Readonly<Record<string, number>>;
  readonly categories: readonly string[];
  readonly label: Label;
  readonly records: number;
  readonly bytes: number;
  readonly calls: number;
  readonly regions: { readonly from: string | null; readonly to: string | null };
  readonly vendor: string | null;
  readonly vendors: { readonly from: string | null; readonly to: string | null };
  readonly purpose: string | null;
  readonly legalBasis: string | null;
  readonly safeguard: string | null;
  /** What makes a transfer lawful, who receives it, where its assessment is. */
  readonly instrument: TransferInstrument | null;
  readonly importer: string | null;
  readonly assessment: string | null;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
}

/** What an integration took from an app, or brought to it. */
export async function noteInlineFlow(
  tx: Transaction,
  line: ObservationLine,
  place: { readonly app: string; readonly object: string },
  id: string,
): Promise<void> {
  const isRead = line.direction === 'read';
  const nowhere = { app: '', object: '' };
  const [from, to] = isRead ? [place, nowhere] : [nowhere, place];
  const fields = Object.fromEntries(
    line.fields
      .filter(({ path, detections }) => path !== '' && Object.keys(detections).length > 0)
      .slice(0, FIELDS_MAX)
      .map(({ path, samples }) => [path, samples]),
  );
  await tablesOf(tx)
    .insertInto('data_flow')
    .values({
      id,
      from_app: from.app,
      from_object: from.object,
      to_app: to.app,
      to_object: to.object,
      integration_id: line.integration.id,
      integration_name: line.integration.name,
      how: 'inline',
      fields: JSON.stringify(fields),
      records: line.records,
      bytes: line.bytes,
      calls: line.calls,
      purpose: null,
      legal_basis: null,
      safeguard: null,
      first_seen: new Date(line.firstAt),
      last_seen: new Date(line.lastAt),
    })
    .onConflict((conflict) =>
      conflict.columns(['from_app', 'from_object', 'to_app', 'to_object', 'integration_id']).doUpdateSet({
        integration_name: line.integration.name,
        fields: sql`data_flow.fields || excluded.fields`,
        records: sql`data_flow.records + excluded.records`,
        bytes: sql`data_flow.bytes + excluded.bytes`,
        calls: sql`data_flow.calls + excluded.calls`,
        last_seen: sql`greatest(data_flow.last_seen, excluded.last_seen)`,
      }),
    )
    .execute();
}

interface Match {
  readonly key_id: string;
  readonly print: Buffer;
  readonly from_app: string;
  readonly from_object: string;
  readonly same: boolean;
}

/** Flows that the sightings prove: a record that was read from another app before it was written here. */
export async function inferFlows(
  tx: Transaction,
  sightings: readonly PrintSighting[],
  newId: () => string,
): Promise<number> {
  const written = Map.groupBy(
    sightings.filter(({ direction }) => direction === 'write'),
    ({ app, object, integrationId }) => [app, object, integrationId].join('\0'),
  );
  let flows = 0;
  for (const [, group] of [...written].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const { app, object, integrationId, integrationName } = group[0]!; // groupBy makes no empty groups
    const last = group.reduce((latest, one) => (one.last > latest ? one.last : latest), group[0]!.last);
    const prints = group.slice(0, ROWS_MAX).map(({ print }) => print);
    const found = await sql<Match>`
      select key_id, print, app as from_app, object as from_object, bool_or(integration_id = ${integrationId}) as same
      from data_print
      where print = any(${prints}::bytea[]) and direction = 'read' and app <> ${app} and first_seen <= ${last}
      group by key_id, print, app, object`.execute(tablesOf(tx));
    const paths = new Map(group.map(({ print, path }) => [print.toString('base64url'), path]));
    const bySource = Map.groupBy(found.rows, (row) => `${row.from_app}\0${row.from_object}`);
    for (const [, matches] of [...bySource].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      await saveInferred(tx, matches, { id: newId(), app, object, integrationId, integrationName, last, paths });
      flows += 1;
    }
  }
  return flows;
}

async function saveInferred(
  tx: Transaction,
  matches: readonly Match[],
  to: {
    readonly id: string;
    readonly app: string;
    readonly object: string;
    readonly integrationId: string;
    readonly integrationName: string;
    readonly last: Date;
    readonly paths: ReadonlyMap<string, string>;
  },
): Promise<void> {
  const source = matches[0]!; // grouped by the caller
  const fields: Record<string, number> = {};
  for (const { print } of matches) {
    const path = to.paths.get(print.toString('base64url')) ?? '';
    if (path !== '') fields[path] = (fields[path] ?? 0) + 1;
  }
  const tables = tablesOf(tx);
  const flow = await tables
    .insertInto('data_flow')
    .values({
      id: to.id,
      from_app: source.from_app,
      from_object: source.from_object,
      to_app: to.app,
      to_object: to.object,
      integration_id: to.integrationId,
      integration_name: to.integrationName,
      how: matches.some(({ same }) => same) ? 'inferred' : 'possible',
      fields: JSON.stringify(fields),
      purpose: null,
      legal_basis: null,
      safeguard: null,
      first_seen: to.last,
      last_seen: to.last,
    })
    .onConflict((conflict) =>
      conflict.columns(['from_app', 'from_object', 'to_app', 'to_object', 'integration_id']).doUpdateSet({
        how: sql`case when excluded.how = 'inferred' then 'inferred' else data_flow.how end`,
        fields: sql`data_flow.fields || excluded.fields`,
        calls: sql`data_flow.calls + 1`,
        last_seen: sql`greatest(data_flow.last_seen, excluded.last_seen)`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  await tables
    .insertInto('data_flow_record')
    .values(matches.map(({ key_id, print }) => ({ flow_id: flow.id, key_id, print })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await sql`update data_flow set records = (select count(*) from data_flow_record r where r.flow_id = id)
    where id = ${flow.id}`.execute(tables);
}

export interface FlowQuery {
  readonly app?: string | undefined;
  readonly label?: Label | undefined;
  readonly category?: string | undefined;
  readonly region?: string | undefined;
  readonly vendor?: string | undefined;
}

const placeOf = (side: 'from_app' | 'to_app') =>
  sql`case when ${sql.ref(`f.${side}`)} = '' then 'integration:' || f.integration_id else ${sql.ref(`f.${side}`)} end`;

/** Flows, those with the most records first. Their categories are those of the fields that moved. */
export async function listFlows(db: Queryable, query: FlowQuery): Promise<Flow[]> {
  const rows = await tablesOf(db)
    .selectFrom('data_flow as f')
    // An integration itself may have a place: a person says where it runs.
    .leftJoin('data_place as a', (join) => join.on(sql<boolean>`a.app = ${placeOf('from_app')}`))
    .leftJoin('data_place as b', (join) => join.on(sql<boolean>`b.app = ${placeOf('to_app')}`))
    .leftJoin('data_set as s', (join) =>
      join
        .on(sql<boolean>`s.app = case when f.from_app = '' then f.to_app else f.from_app end`)
        .on(sql<boolean>`s.object = case when f.from_app = '' then f.to_object else f.from_object end`),
    )
    .selectAll('f')
    .select([
      'a.region as from_region',
      'b.region as to_region',
      'a.vendor as from_vendor',
      'b.vendor as to_vendor',
      's.label',
    ])
    .select([
      sql<string | null>`coalesce(b.vendor, a.vendor)`.as('vendor'),
      sql<string[]>`(select coalesce(array_agg(distinct d.category), '{}') from data_field d
        where f.fields ? d.path and d.category <> 'system.operations'
          and ((d.app = f.to_app and d.object = f.to_object) or (f.to_app = '' and d.app = f.from_app and d.object = f.from_object)))`.as(
        'categories',
      ),
    ])
    .orderBy('f.records', 'desc')
    .orderBy('f.id')
    .limit(FLOWS_MAX)
    .execute();
  const within = (category: string, wanted: string): boolean =>
    category === wanted || category.startsWith(`${wanted}.`);
  return rows
    .map((row): Flow => ({
      id: row.id,
      from: { app: row.from_app, object: row.from_object },
      to: { app: row.to_app, object: row.to_object },
      integration: { id: row.integration_id, name: row.integration_name },
      how: row.how === 'inferred' || row.how === 'possible' ? row.how : 'inline',
      fields: fieldCounts.parse(row.fields),
      categories: row.categories,
      label: isLabel(row.label) ? row.label : 'internal',
      records: row.records,
      bytes: row.bytes,
      calls: row.calls,
      regions: { from: row.from_region, to: row.to_region },
      vendor: row.vendor,
      vendors: { from: row.from_vendor, to: row.to_vendor },
      purpose: row.purpose,
      legalBasis: row.legal_basis,
      safeguard: row.safeguard,
      instrument: isInstrument(row.transfer_instrument) ? row.transfer_instrument : null,
      importer: row.transfer_importer,
      assessment: row.transfer_assessment,
      firstSeen: row.first_seen,
      lastSeen: row.last_seen,
    }))
    .filter(
      (flow) =>
        (query.app === undefined || flow.from.app === query.app || flow.to.app === query.app) &&
        (query.label === undefined || flow.label === query.label) &&
        (query.category === undefined || flow.categories.some((one) => within(one, query.category ?? ''))) &&
        (query.region === undefined || flow.regions.from === query.region || flow.regions.to === query.region) &&
        (query.vendor === undefined || flow.vendor === query.vendor),
    );
}
