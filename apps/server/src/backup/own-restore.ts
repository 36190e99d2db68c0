import { randomBytes } from 'node:crypto';
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ObjectStore,
  openOwnState,
  openRepository,
  type OwnSnapshot,
  readRecovery,
  RestoreRefused,
} from '@cordon/backup';
import {
  type Config,
  createLogger,
  createSecretEnvelope,
  type Database,
  keyRingFromText,
  listMigrations,
  type Logger,
  migrate,
  type Migrations,
  openDatabase,
  startEmbeddedPostgres,
  startWorkflows,
  systemClock,
  verifyAudit,
} from '@cordon/kernel';
import { type Lake, openLake, spawnLake } from '@cordon/lake';
import { sql } from 'kysely';
import { type DataFolder, RESTORE_MARK } from '../supervisor/data-folder.ts';
import { externalLake } from '../supervisor/resolve-config.ts';
import { writeOwnFiles } from './own-files.ts';

export interface OwnRestoreOptions {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly store: ObjectStore;
  /** The recovery key, as it stands in its file. */
  readonly key: string;
  readonly snapshot: string | undefined;
  readonly force: boolean;
  readonly migrations: readonly Migrations[];
  readonly progress: (text: string) => void;
}

export interface OwnRestoreReport {
  readonly snapshot: string;
  readonly takenAt: string;
  readonly tables: number;
  readonly rows: number;
  readonly events: number;
  readonly files: number;
  /** Records of the audit trail, each checked against the one before. */
  readonly auditRecords: number;
  /** Migrations that came after the backup was taken. */
  readonly migrated: number;
  readonly seconds: number;
}

interface Engine {
  readonly url: string;
  stop(): Promise<void>;
}

const there = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A data directory that Cordon was started on has these. */
async function isUsed(folder: DataFolder): Promise<boolean> {
  const marks = await Promise.all(
    ['kek', 'postgres', 'postgres.location', 'lake', RESTORE_MARK].map((name) => there(join(folder.path, name))),
  );
  return marks.includes(true);
}

async function checkVersion(own: OwnSnapshot, all: readonly Migrations[]): Promise<ReadonlySet<string>> {
  const known = new Map((await listMigrations(all)).map((one) => [`${one.package}/${one.file}`, one.sha256]));
  const applied = own.facts.database.migrations.map((one) => [`${one.package}/${one.file}`, one.sha256] as const);
  const strange = applied.filter(([name, sha256]) => known.get(name) !== sha256).map(([name]) => name);
  if (strange.length > 0) {
    throw new RestoreRefused(
      `This backup was taken by another version of Cordon, newer than this one or of another line (${strange.slice(0, 3).join(', ')}). Restore with that version.`,
      { strange },
    );
  }
  return new Set(applied.map(([name]) => name));
}

/** Empties what may be written over; refuses where something is and nobody said so. */
async function emptyDatabase(db: Database, force: boolean): Promise<void> {
  const tables = db.tables<object>();
  const found = await sql<{ n: number }>`
    select count(*)::int as n from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`.execute(
    tables,
  );
  if ((found.rows[0]?.n ?? 0) === 0) return;
  if (!force) throw new RestoreRefused('The database is not empty. With --force everything in it is deleted first.');
  await sql`drop schema if exists dbos cascade`.execute(tables);
  await sql`drop schema public cascade`.execute(tables);
  await sql`create schema public`.execute(tables);
}

async function restoreDatabase(
  url: string,
  own: OwnSnapshot,
  options: OwnRestoreOptions,
  logger: Logger,
): Promise<{ tables: number; rows: number; migrated: number; auditRecords: number }> {
  const known = await checkVersion(own, options.migrations);
  const db = openDatabase({ url, logger, connectionsMax: 3 });
  try {
    await emptyDatabase(db, options.force);
    // First the tables as they were, so that each row finds its columns.
    await migrate(db, options.migrations, (name, file) => known.has(`${name}/${file}`));
    const engine = await startWorkflows({ databaseUrl: url, logger, executorId: 'restore', definitions: [] });
    await engine.stop();
    options.progress('reading the database back');
    const { tables, rows } = await own.restoreDatabase(db);
    const { applied } = await migrate(db, options.migrations);
    options.progress('checking the audit trail');
    const { records } = await verifyAudit(db);
    return { tables, rows, migrated: applied.length, auditRecords: records };
  } finally {
    await db.close();
  }
}

async function restoreLake(lake: Lake, own: OwnSnapshot, force: boolean): Promise<number> {
  if ((await lake.archive.rows()) > 0) {
    if (!force) throw new RestoreRefused('The lake is not empty. With --force everything in it is deleted first.');
    await lake.archive.clear();
  }
  return (await own.restoreLake(lake.archive)).rows;
}

async function startLake(
  config: Config,
  folder: DataFolder,
  logger: Logger,
): Promise<{ lake: Lake; engine: Engine | null }> {
  if (config.clickhouse_url !== undefined) {
    return {
      lake: await openLake({ ...externalLake(config.clickhouse_url), logger, clock: systemClock }),
      engine: null,
    };
  }
  const password = randomBytes(24).toString('base64url');
  const engine = await spawnLake({ dataDir: join(folder.path, 'lake'), port: 0, password, logger });
  const { url, username } = engine;
  return { lake: await openLake({ url, username, password, logger, clock: systemClock }), engine };
}

/**
 * Brings Cordon back from a backup of itself: keys, PostgreSQL, lake, files. Nothing of the target is touched before the
 * recovery key opened the repository, the snapshot's list had its root, and the version was found to fit.
 */
export async function restoreOwnState(options: OwnRestoreOptions): Promise<OwnRestoreReport> {
  const { config, folder, store, progress } = options;
  const began = systemClock.now();
  // What it prints is its report.
  const logger = createLogger({ role: 'restore', level: config.log_level === 'info' ? 'warn' : config.log_level });
  const { kek } = await readRecovery(store, options.key);
  const envelope = createSecretEnvelope(keyRingFromText(kek));
  const own = await openOwnState(await openRepository({ store, envelope, clock: systemClock }), options.snapshot);
  await checkVersion(own, options.migrations);
  if (config.kek !== undefined) {
    const given = new Set(keyRingFromText(config.kek).keys.map((one) => one.toString('base64')));
    if (keyRingFromText(kek).keys.some((one) => !given.has(one.toString('base64')))) {
      throw new RestoreRefused(
        'CORDON_KEK does not hold the keys of this backup. Leave it unset: the restore writes the key file.',
      );
    }
  }
  if (!options.force && (await isUsed(folder))) {
    throw new RestoreRefused(`${folder.path} is not empty. With --force everything in it is replaced.`);
  }
  progress(`restoring snapshot ${own.manifest.id} of ${new Date(own.manifest.at).toISOString()}`);
  await folder.writePrivate(RESTORE_MARK, `${own.manifest.id}\n`);
  if (config.kek === undefined) {
    if (await there(folder.keyFile)) await rename(folder.keyFile, `${folder.keyFile}.before-${began}`);
    const lines = keyRingFromText(kek).keys.map((one) => one.toString('base64'));
    await folder.writePrivate('kek', `# Cordon key-encryption keys, newest first.\n${lines.join('\n')}\n`);
  }
  const files = await own.files();
  await writeOwnFiles(folder.path, files);
  const postgres =
    config.database_url === undefined ? await startEmbeddedPostgres({ dataDir: folder.path, logger }) : null;
  let database: Awaited<ReturnType<typeof restoreDatabase>>;
  try {
    database = await restoreDatabase(postgres?.url ?? config.database_url ?? '', own, options, logger);
  } finally {
    await postgres?.stop();
  }
  progress('reading the lake back');
  const { lake, engine } = await startLake(config, folder, logger);
  let events: number;
  try {
    events = await restoreLake(lake, own, options.force);
  } finally {
    await lake.close();
    await engine?.stop();
  }
  await folder.remove(RESTORE_MARK);
  return {
    snapshot: own.manifest.id,
    takenAt: new Date(own.manifest.at).toISOString(),
    ...database,
    events,
    files: files.length,
    seconds: Math.round((systemClock.now() - began) / 100) / 10,
  };
}
