import type { Database, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import type { BackupPart } from '../backup-record.ts';
import { RestoreRefused } from '../errors.ts';
import { type DatabaseFacts, listTables, MADE_TABLES, tableId, useOneForm } from './database-export.ts';

const BATCH_ROWS_MAX = 500;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

const run = (tx: Transaction, text: ReturnType<typeof sql>) => text.execute(tx.tables<object>());

/** Refuses where a table or a column of the backup is not in this database. */
function checkTables(facts: DatabaseFacts, here: Awaited<ReturnType<typeof listTables>>): void {
  const known = new Map(here.map(({ name, columns }) => [name, new Set(columns)]));
  const missing = facts.tables.flatMap(({ name, columns, rows }) => {
    const found = known.get(name);
    if (rows === 0) return [];
    return found ? columns.filter((column) => !found.has(column)).map((column) => `${name}.${column}`) : [name];
  });
  if (missing.length > 0) {
    throw new RestoreRefused(`This version has no place for ${missing.slice(0, 10).join(', ')}.`, { missing });
  }
}

/** The SQL name of each column's type, by table. */
async function listTypes(tx: Transaction): Promise<Map<string, Readonly<Record<string, string>>>> {
  const { rows } = await sql<{ name: string; types: Record<string, string> }>`
    select n.nspname || '.' || c.relname as name,
      json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) as types
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped group by 1`.execute(tx.tables<object>());
  return new Map(rows.map(({ name, types }) => [name, types]));
}

/**
 * Puts rows back, in one transaction: all or none. Triggers and foreign keys rest meanwhile (the rows were consistent
 * when they were read), for which the role must be allowed to set `session_replication_role`.
 */
export async function importDatabase(
  db: Database,
  facts: DatabaseFacts,
  rows: AsyncIterable<BackupPart>,
): Promise<{ readonly tables: number; readonly rows: number }> {
  return db.transaction(async (tx) => {
    try {
      await run(tx, sql`set local session_replication_role = replica`);
    } catch (cause) {
      throw new RestoreRefused(
        "The database's role may not set session_replication_role. Restore as a superuser, or grant it (GRANT SET ON PARAMETER).",
        {},
        cause,
      );
    }
    await useOneForm(tx);
    await run(tx, sql`set local statement_timeout = 0`);
    const here = await listTables(tx);
    checkTables(facts, here);
    // What migrations wrote as a start is in the backup too, as it was then.
    for (const { name } of here) if (!MADE_TABLES.has(name)) await run(tx, sql`delete from ${tableId(name)}`);
    const columnsOf = new Map(facts.tables.map(({ name, columns }) => [name, columns]));
    const typesOf = await listTypes(tx);
    const left = new Map(facts.tables.map(({ name, rows: count }) => [name, count]));
    const batches = new Map<string, { rows: Uint8Array[]; bytes: number }>();
    let total = 0;
    const write = async (table: string): Promise<void> => {
      const batch = batches.get(table);
      const columns = columnsOf.get(table);
      if (!batch || batch.rows.length === 0 || !columns) return;
      const types = typesOf.get(table) ?? {};
      const list = sql.join(columns.map((column) => sql.id(column)));
      // The type's name comes from this database's catalogue.
      const values = sql.join(
        columns.map((column, at) => sql`(r->>${sql.lit(at)})::${sql.raw(types[column] ?? 'text')}`),
      );
      const json = `[${batch.rows.map((row) => Buffer.from(row).toString('utf8')).join(',')}]`;
      await run(
        tx,
        sql`insert into ${tableId(table)} (${list}) overriding system value
            select ${values} from json_array_elements(${json}::json) as r`,
      );
      total += batch.rows.length;
      left.set(table, (left.get(table) ?? 0) - batch.rows.length);
      batches.delete(table);
    };
    for await (const { object, bytes } of rows) {
      const batch = batches.get(object) ?? { rows: [], bytes: 0 };
      batches.set(object, batch);
      batch.rows.push(Uint8Array.from(bytes)); // the reader's memory is used again
      batch.bytes += bytes.length;
      if (batch.rows.length >= BATCH_ROWS_MAX || batch.bytes >= BATCH_BYTES_MAX) await write(object);
    }
    for (const table of batches.keys()) await write(table);
    const short = [...left].filter(([, count]) => count !== 0).map(([name, count]) => `${name} (${count})`);
    if (short.length > 0) throw new RestoreRefused(`Rows are missing or too many: ${short.join(', ')}.`, { short });
    for (const { name, value, isCalled } of facts.sequences) {
      await run(
        tx,
        sql`select setval(${name}::regclass, ${value}::bigint, ${isCalled}) where to_regclass(${name}) is not null`,
      );
    }
    return { tables: facts.tables.length, rows: total };
  });
}
