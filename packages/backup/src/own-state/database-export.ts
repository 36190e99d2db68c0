import { createHash } from 'node:crypto';
import type { Database, Transaction } from '@cordon/kernel';
import { sql } from 'kysely';
import { z } from 'zod';
import type { BackupPart } from '../backup-record.ts';
import { SourceFailed } from '../errors.ts';

const ROWS_PAGE = 1_000;
const ID_CHARS_MAX = 400;
/** What the target makes by itself, and must not be told. */
export const MADE_TABLES: ReadonlySet<string> = new Set(['public.cordon_migrations', 'dbos.dbos_migrations']);

export const databaseFacts = z.object({
  server: z.string(),
  migrations: z.array(z.object({ package: z.string(), file: z.string(), sha256: z.string() })),
  tables: z.array(
    z.object({ name: z.string(), columns: z.array(z.string()), key: z.array(z.string()), rows: z.int() }),
  ),
  sequences: z.array(z.object({ name: z.string(), value: z.string(), isCalled: z.boolean() })),
});
export type DatabaseFacts = z.output<typeof databaseFacts>;

const query = async <Row>(tx: Transaction, text: ReturnType<typeof sql<Row>>): Promise<Row[]> =>
  (await text.execute(tx.tables<object>())).rows;

type TableShape = Omit<DatabaseFacts['tables'][number], 'rows'>;

/** Tables that hold state, with the columns that one may write. */
export async function listTables(tx: Transaction): Promise<TableShape[]> {
  return query(
    tx,
    sql<{ name: string; columns: string[]; key: string[] }>`
      select n.nspname || '.' || c.relname as name,
        (select coalesce(array_agg(a.attname::text order by a.attnum), '{}') from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
        (select coalesce(array_agg(a.attname::text order by k.ord), '{}')
          from pg_index i cross join lateral unnest(i.indkey) with ordinality as k(attnum, ord)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
          where i.indrelid = c.oid and i.indisprimary) as key
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'p'
        and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
      order by 1`,
  );
}

async function listSequences(tx: Transaction): Promise<DatabaseFacts['sequences'][number][]> {
  const names = await query(
    tx,
    sql<{ schema: string; name: string }>`
      select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'S' and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%' order by 1, 2`,
  );
  const found: DatabaseFacts['sequences'][number][] = [];
  for (const { schema, name } of names) {
    const [row] = await query(
      tx,
      sql<{ value: string; called: boolean }>`
        select last_value::text as value, is_called as called from ${sql.id(schema, name)}`,
    );
    if (row) found.push({ name: `${schema}.${name}`, value: row.value, isCalled: row.called });
  }
  return found;
}

/** The schema and the name of `schema.name`; neither holds a dot. */
export function tableId(name: string): ReturnType<typeof sql.id> {
  const [schema = '', table = ''] = name.split('.');
  return sql.id(schema, table);
}

/** Moments, spans and bytes are written and read in one form, whatever the server's settings are. */
export async function useOneForm(tx: Transaction): Promise<void> {
  await query(tx, sql`set local time zone 'UTC'`);
  await query(tx, sql`set local datestyle = 'ISO, YMD'`);
  await query(tx, sql`set local intervalstyle = 'iso_8601'`);
  await query(tx, sql`set local bytea_output = 'hex'`);
  await query(tx, sql`set local extra_float_digits = 3`);
}

/** Names a row by its key, or by what it holds where the table has none. */
function rowId({ key, columns }: TableShape, row: string, seen: Map<string, number>): string {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  if (key.length === 0) {
    const id = digest(row);
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    return `${id}-${count}`;
  }
  const values = z.array(z.string().nullable()).parse(JSON.parse(row));
  const id = JSON.stringify(key.map((column) => values[columns.indexOf(column)]));
  return id.length <= ID_CHARS_MAX ? id : digest(id);
}

/**
 * All state in PostgreSQL as of one moment: each row as a JSON array of texts. `onFacts` is called after the last row.
 */
export async function* exportDatabase(
  db: Database,
  stream: string,
  onFacts: (facts: DatabaseFacts) => void,
): AsyncGenerator<BackupPart> {
  // A generator hands rows out while its transaction is open: the transaction waits at each page until it was taken.
  const pages: BackupPart[][] = [];
  let wake = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();
  let isDone = false;
  let isLeft = false;
  const work = db
    .transaction(async (tx) => {
      await query(tx, sql`set transaction isolation level repeatable read, read only`);
      await useOneForm(tx);
      const tables: DatabaseFacts['tables'][number][] = [];
      for (const table of await listTables(tx)) {
        if (MADE_TABLES.has(table.name)) continue;
        tables.push({ ...table, rows: 0 });
        // Each value in its own text form, which PostgreSQL reads back exactly; JSON's null and SQL's stay two things.
        const values = sql.join(table.columns.map((column) => sql`${sql.id(column)}::text`));
        await query(
          tx,
          sql`declare own_state no scroll cursor for select to_json(array[${values}]::text[])::text as row from ${tableId(table.name)}`,
        );
        const seen = new Map<string, number>();
        for (;;) {
          const rows = await query(tx, sql<{ row: string }>`fetch ${sql.lit(ROWS_PAGE)} from own_state`);
          if (rows.length === 0) break;
          const at = tables.length - 1;
          tables[at] = { ...table, rows: (tables[at]?.rows ?? 0) + rows.length };
          pages.push(
            rows.map(({ row }) => ({
              stream,
              object: table.name,
              id: rowId(table, row, seen),
              bytes: Buffer.from(row),
            })),
          );
          taken = Promise.withResolvers();
          wake.resolve();
          await taken.promise;
          if (isLeft) throw new SourceFailed('Nobody reads this export any more.');
        }
        await query(tx, sql`close own_state`);
      }
      const [server] = await query(tx, sql<{ v: string }>`select current_setting('server_version') as v`);
      const migrations = await query(
        tx,
        sql<{ package: string; file: string; sha256: string }>`
          select package, file, sha256 from cordon_migrations order by package, file`,
      );
      onFacts({ server: server?.v ?? '', migrations, tables, sequences: await listSequences(tx) });
    })
    .finally(() => {
      isDone = true;
      wake.resolve();
    });
  work.catch(() => undefined); // told to whoever reads, below
  try {
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      const page = pages.shift();
      if (page) {
        yield* page;
        taken.resolve();
      } else if (isDone) break;
    }
    await work;
  } finally {
    isLeft = true; // a reader that left early lets the transaction end
    taken.resolve();
  }
}
