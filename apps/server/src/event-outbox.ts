import { sql } from 'kysely';
import type { Database, Logger, Migrations, Queryable, Transaction } from '@cordon/kernel';

export const serverMigrations: Migrations = { name: 'server', folder: new URL('../migrations/', import.meta.url) };

interface OutboxTables {
  event_outbox: { id: number; event: unknown; created_at: Date; refused: string | null };
}

const FLUSH_MS = 100;
const BUFFER_MAX = 20_000;
const BATCH_MAX = 500;
const REASON_CHARS_MAX = 2_000;

/** Events that control makes itself (sign-ins, account changes): kept in PostgreSQL until the lake has them. */
export interface EventOutbox {
  emit(event: Readonly<Record<string, unknown>>): void;
  stop(): Promise<void>;
}

export function createEventOutbox(db: Database, logger: Logger): EventOutbox {
  let waiting: string[] = [];
  let lost = 0;
  let flushing: Promise<void> | null = null;

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_MAX);
      await sql`insert into event_outbox (event) select jsonb_array_elements(${`[${batch.join(',')}]`}::jsonb)`.execute(
        db.tables<OutboxTables>(),
      );
      waiting = waiting.slice(batch.length);
    }
    if (lost > 0) logger.error({ lost }, 'events were dropped because PostgreSQL was away for too long');
    lost = 0;
  };
  const run = (): void => {
    flushing ??= flush()
      .catch((error: unknown) => logger.warn({ err: error, waiting: waiting.length }, 'events wait for PostgreSQL'))
      .finally(() => {
        flushing = null;
      });
  };
  const timer = setInterval(run, FLUSH_MS);
  timer.unref();
  return {
    emit(event) {
      // Bounded memory: past this the count of what was lost is logged, loudly, once PostgreSQL is back.
      if (waiting.length >= BUFFER_MAX) lost += 1;
      else waiting.push(JSON.stringify(event));
    },
    async stop() {
      clearInterval(timer);
      await flushing;
      run();
      await flushing;
    },
  };
}

/** Queues an event in the transaction of what it tells of. */
export async function insertEvent(tx: Transaction, event: Readonly<Record<string, unknown>>): Promise<void> {
  await sql`insert into event_outbox (event) values (${JSON.stringify(event)}::jsonb)`.execute(
    tx.tables<OutboxTables>(),
  );
}

export interface OutboxRow {
  readonly id: number;
  readonly event: unknown;
}

export async function readOutbox(db: Queryable): Promise<OutboxRow[]> {
  return db
    .tables<OutboxTables>()
    .selectFrom('event_outbox')
    .select(['id', 'event'])
    .where('refused', 'is', null)
    .orderBy('id')
    .limit(BATCH_MAX)
    .execute();
}

/** Sets an event aside that can never be stored, with the reason. */
export async function refuseOutbox(db: Queryable, id: number, reason: string): Promise<void> {
  await db
    .tables<OutboxTables>()
    .updateTable('event_outbox')
    .set({ refused: reason.slice(0, REASON_CHARS_MAX) })
    .where('id', '=', id)
    .execute();
}

export async function clearOutbox(db: Queryable, ids: readonly number[]): Promise<void> {
  await db
    .tables<OutboxTables>()
    .deleteFrom('event_outbox')
    .where('id', 'in', [...ids])
    .where('refused', 'is', null)
    .execute();
}
