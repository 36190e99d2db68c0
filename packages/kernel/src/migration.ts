import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { CompiledQuery, type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import { MigrationConflict } from './errors.ts';

export interface Migrations {
  /** The package's name, for example `identity`. */
  readonly name: string;
  /** Folder of `NNNN-what.sql` files. */
  readonly folder: URL;
}

const FILE = /^\d{4}-[a-z0-9-]+\.sql$/;
/** Any fixed number: one migration run at a time across processes. */
const LOCK_KEY = 7_226_001;

interface MigrationTables {
  cordon_migrations: { package: string; file: string; sha256: string };
}

async function listFiles(folder: URL): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => FILE.test(file));
  return files.sort();
}

/**
 * Applies each file once, in order, one transaction a file; refuses when an applied file has changed since. `only` stops
 * short of this program's version: at that of a backup whose rows go in before the rest is applied.
 */
export async function migrate(
  db: Database,
  all: readonly Migrations[],
  only: (name: string, file: string) => boolean = () => true,
): Promise<{ applied: string[] }> {
  const applied: string[] = [];
  await db.transaction(async (tx) => {
    const tables = tx.tables<MigrationTables>();
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_KEY)})`.execute(tables);
    await sql`create table if not exists cordon_migrations (
      package text not null, file text not null, sha256 text not null,
      applied_at timestamptz not null default now(), primary key (package, file))`.execute(tables);
    for (const { name, folder } of all) {
      for (const file of await listFiles(folder)) {
        if (only(name, file) && (await applyOne(tables, name, folder, file))) applied.push(`${name}/${file}`);
      }
    }
  });
  return { applied };
}

/** Every file that this program knows, with its digest. */
export async function listMigrations(
  all: readonly Migrations[],
): Promise<{ readonly package: string; readonly file: string; readonly sha256: string }[]> {
  const found: { package: string; file: string; sha256: string }[] = [];
  for (const { name, folder } of all) {
    for (const file of await listFiles(folder)) {
      const text = await readFile(new URL(file, folder), 'utf8');
      found.push({ package: name, file, sha256: createHash('sha256').update(text).digest('hex') });
    }
  }
  return found;
}

async function applyOne(tables: Kysely<MigrationTables>, name: string, folder: URL, file: string): Promise<boolean> {
  const text = await readFile(new URL(file, folder), 'utf8');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const known = await tables
    .selectFrom('cordon_migrations')
    .select('sha256')
    .where('package', '=', name)
    .where('file', '=', file)
    .executeTakeFirst();
  if (known) {
    if (known.sha256 === sha256) return false;
    throw new MigrationConflict(
      `Migration ${name}/${file} was changed after it was applied. Restore the file and put the change in a new one.`,
      { package: name, file },
    );
  }
  await tables.executeQuery(CompiledQuery.raw(text));
  await tables.insertInto('cordon_migrations').values({ package: name, file, sha256 }).execute();
  return true;
}
