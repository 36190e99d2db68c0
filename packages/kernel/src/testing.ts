import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import pg from 'pg';
import type { Clock } from './clock.ts';
import { type Database, openDatabase } from './database.ts';
import type { Logger } from './logger.ts';

/** Where tools/postgres-setup.ts tells database tests which server to use. */
export const TEST_DATABASE_VARIABLE = 'CORDON_TEST_DATABASE_URL';

export interface FakeClock extends Clock {
  advance(ms: number): void;
  set(ms: number): void;
}

export function createFakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let at = start;
  return {
    now: () => at,
    advance(ms) {
      at += ms;
    },
    set(ms) {
      at = ms;
    },
  };
}

/** A logger that keeps its lines, so that a test can look for what must or must not be there. */
export function createTestLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const logger = pino({ level: 'debug', base: null }, { write: (line: string) => void lines.push(line) });
  return Object.assign(logger, { lines });
}

export interface TestDatabase {
  readonly db: Database;
  readonly url: string;
  /** Call on success only: a failed test leaves its database behind to be looked at. */
  drop(): Promise<void>;
}

async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A database of its own in the server that the `db` test project starts. */
export async function createTestDatabase(): Promise<TestDatabase> {
  // oxlint-disable-next-line node/no-process-env -- the test project's global setup passes the address this way
  const server = process.env[TEST_DATABASE_VARIABLE];
  if (!server) throw new Error('Run database tests with: npm run test:db');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await runOn(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href, logger: createTestLogger(), connectionsMax: 4 });
  return {
    db,
    url: url.href,
    async drop() {
      await db.close();
      await runOn(server, `drop database ${name} with (force)`);
    },
  };
}
