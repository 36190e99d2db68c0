import { createLogger, migrate, openDatabase } from '@cordon/kernel';
import type { RoleConfig } from '../supervisor/role-config.ts';
import { allMigrations } from './migrations.ts';

/** Brings the database to this version's schema; safe to run by many at once. */
export async function migrateAll(config: Pick<RoleConfig, 'databaseUrl' | 'logLevel'>): Promise<void> {
  const logger = createLogger({ role: 'migrate', level: config.logLevel });
  const db = openDatabase({ url: config.databaseUrl, logger, connectionsMax: 2 });
  try {
    const { applied } = await migrate(db, allMigrations);
    logger.info({ applied }, 'the database is up to date');
  } finally {
    await db.close();
  }
}
