import { createHash } from 'node:crypto';
import { createBehaviour } from './behaviour-schema.ts';
import { addEnrichment } from './enrichment-schema.ts';
import { LakeMigrationConflict } from './errors.ts';
import type { LakeConnection } from './lake-connection.ts';
import { createEvents, type DdlNames, ddlNames, type LakeLayout } from './lake-schema.ts';
import { addRecords } from './records-schema.ts';

/**
 * Versioned changes of the lake's tables. ClickHouse has no transaction around DDL, so each statement must be harmless
 * when it runs again (IF NOT EXISTS), and a version is recorded after its last statement.
 */
export interface LakeMigration {
  readonly version: number;
  readonly name: string;
  readonly statements: (names: DdlNames) => readonly string[];
}

export const LAKE_MIGRATIONS: readonly LakeMigration[] = [
  { version: 1, name: 'events', statements: createEvents },
  { version: 2, name: 'behaviour', statements: createBehaviour },
  { version: 3, name: 'records', statements: addRecords },
  { version: 4, name: 'enrichment', statements: addEnrichment },
];

interface AppliedRow {
  readonly version: number;
  readonly checksum: string;
}

const checksum = (statements: readonly string[]) => createHash('sha256').update(statements.join(';\n')).digest('hex');

/**
 * Brings the lake to this program's version. Throws `LakeMigrationConflict` when the lake is newer, or when a version
 * that it has is not the one this program knows.
 */
export async function migrateLake(
  connection: LakeConnection,
  layout: LakeLayout,
  migrations: readonly LakeMigration[] = LAKE_MIGRATIONS,
): Promise<{ readonly version: number; readonly applied: number }> {
  const { database } = connection;
  const names = ddlNames(database, layout);
  const engine = layout.kind === 'single' ? 'MergeTree' : names.engine.replace('/events', '/migrations');
  await connection.createDatabase(names.onCluster);
  await connection.command(
    `CREATE TABLE IF NOT EXISTS ${database}.migrations${names.onCluster} (version UInt32, name String, ` +
      `checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ${engine} ORDER BY version`,
  );
  const rows = await connection.rows<AppliedRow>(
    'SELECT version, checksum FROM migrations ORDER BY version, applied_at',
    {},
  );
  const known = new Map(migrations.map((migration) => [migration.version, checksum(migration.statements(names))]));
  for (const row of rows) {
    if (known.get(row.version) !== row.checksum) {
      throw new LakeMigrationConflict(
        known.has(row.version)
          ? `The lake's tables of version ${row.version} differ from this program's, or their layout was changed.`
          : `The lake is at version ${row.version}, newer than this program. Update Cordon first.`,
        { version: row.version },
      );
    }
  }
  const done = new Set(rows.map((row) => row.version));
  const missing = migrations.filter((migration) => !done.has(migration.version));
  for (const migration of missing) {
    const statements = migration.statements(names);
    for (const statement of statements) await connection.command(statement);
    await connection.insert('migrations', ['version', 'name', 'checksum'], 'JSONEachRow', [
      JSON.stringify({ version: migration.version, name: migration.name, checksum: checksum(statements) }),
    ]);
  }
  return { version: migrations.at(-1)?.version ?? 0, applied: missing.length };
}
