import type { Queryable } from '@cordon/kernel';
import type { Selectable } from 'kysely';
import type { IndicatorKind } from './indicator.ts';
import type { ListedIndicator } from './indicator-index.ts';
import type { EnrichmentTables } from './tables.ts';
import type { ListFormat, ListMeaning } from './threat-list.ts';

export const LISTS_MAX = 50;
/** Over all lists: what a worker holds in memory. */
export const INDICATORS_MAX = 1_000_000;
const PAGE_ROWS = 20_000;

export interface ThreatList {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly meaning: ListMeaning;
  readonly format: ListFormat;
  readonly indicators: number;
  readonly skipped: number;
  readonly expiresAt: number;
  readonly importedAt: number;
  readonly importedBy: string;
  /** The last look at what was stored before: how far back it goes, when it was done and what it found. */
  readonly sweep: {
    readonly from: number;
    readonly doneAt: number | null;
    readonly found: number | null;
    readonly error: string | null;
  } | null;
}

function toList(row: Selectable<EnrichmentTables['threat_list']>): ThreatList {
  const { sweep_from: from, swept_at: doneAt, sweep_found: found, sweep_error: error } = row;
  return {
    id: row.id,
    name: row.name,
    source: row.source,
    meaning: row.meaning,
    format: row.format,
    indicators: row.indicators,
    skipped: row.skipped,
    expiresAt: row.expires_at,
    importedAt: row.imported_at,
    importedBy: row.imported_by,
    sweep: from === null ? null : { from, doneAt, found, error },
  };
}

export async function listThreatLists(db: Queryable): Promise<ThreatList[]> {
  const rows = await db
    .tables<EnrichmentTables>()
    .selectFrom('threat_list')
    .selectAll()
    .orderBy('name')
    .limit(LISTS_MAX)
    .execute();
  return rows.map(toList);
}

/** All indicators of lists in force, for the index. */
export async function loadIndicators(db: Queryable, now: number, listId?: string): Promise<ListedIndicator[]> {
  const lists = (await listThreatLists(db)).filter(({ id, expiresAt }) => expiresAt > now && (listId ?? id) === id);
  const found: ListedIndicator[] = [];
  for (const { id, name, meaning, expiresAt } of lists) {
    let after: { kind: IndicatorKind; value: string } | null = null;
    for (;;) {
      let select = db
        .tables<EnrichmentTables>()
        .selectFrom('threat_indicator')
        .select(['kind', 'value', 'note', 'expires_at'])
        .where('list_id', '=', id)
        .orderBy('kind')
        .orderBy('value')
        .limit(PAGE_ROWS);
      if (after) {
        const { kind, value }: { kind: IndicatorKind; value: string } = after;
        select = select.where((row) => row(row.refTuple('kind', 'value'), '>', row.tuple(kind, value)));
      }
      const rows = await select.execute();
      for (const row of rows) {
        const ends = Math.min(row.expires_at ?? expiresAt, expiresAt);
        found.push({ kind: row.kind, value: row.value, note: row.note, expiresAt: ends, list: name, meaning });
      }
      const last = rows.at(-1);
      if (!last || rows.length < PAGE_ROWS || found.length >= INDICATORS_MAX) break;
      after = { kind: last.kind, value: last.value };
    }
  }
  return found.slice(0, INDICATORS_MAX);
}

/** The oldest list whose look back was asked for and isn't done. */
export async function nextSweep(db: Queryable): Promise<ThreatList | null> {
  const row = await db
    .tables<EnrichmentTables>()
    .selectFrom('threat_list')
    .selectAll()
    .where('sweep_from', 'is not', null)
    .where('swept_at', 'is', null)
    .orderBy('imported_at')
    .limit(1)
    .executeTakeFirst();
  return row ? toList(row) : null;
}

export async function settleSweep(
  db: Queryable,
  id: string,
  result: { readonly at: number; readonly found: number; readonly error: string | null },
): Promise<void> {
  await db
    .tables<EnrichmentTables>()
    .updateTable('threat_list')
    .set({ swept_at: result.at, sweep_found: result.found, sweep_error: result.error })
    .where('id', '=', id)
    .execute();
}
