import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { acquireLease, type Lease } from './lease.ts';
import { createTestDatabase, createTestLogger, type TestDatabase } from './testing.ts';

let home: TestDatabase;
beforeAll(async () => {
  home = await createTestDatabase();
});
afterAll(() => home.drop());

const logger = createTestLogger();
const ask = (name: string, onLost: () => void = () => undefined): Promise<Lease> =>
  acquireLease({ url: home.url, name, logger, onLost, regainMs: 1_500 });

async function breakHolder(name: string): Promise<void> {
  await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where application_name = ${`cordon lease ${name}`} and datname = current_database()`.execute(home.db.tables());
}

test('a second process waits until the first gives the lease up', async () => {
  const first = await ask('turn');
  let isHeld = false;
  const waiting = ask('turn').then((lease) => {
    isHeld = true;
    return lease;
  });
  await (await ask('another name')).release();
  expect(isHeld).toBe(false);
  await first.release();
  await (await waiting).release();
});

test('a wait can be given up', async () => {
  const first = await ask('given up');
  const stop = new AbortController();
  const waiting = acquireLease({
    url: home.url,
    name: 'given up',
    logger,
    signal: stop.signal,
    onLost: () => undefined,
  });
  stop.abort(new Error('no longer wanted'));
  await expect(waiting).rejects.toThrow(/no longer wanted|aborted/);
  await first.release();
});

test('a holder whose connection breaks gets its lease back, and is told nothing', async () => {
  const onLost = vi.fn<() => void>();
  const lease = await ask('regained', onLost);
  await breakHolder('regained');
  await vi.waitFor(
    async () => {
      const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_locks l
        join pg_stat_activity a on a.pid = l.pid where l.locktype = 'advisory' and l.granted
        and a.application_name = 'cordon lease regained'`.execute(home.db.tables());
      expect(rows[0]?.n).toBe(1);
    },
    { timeout: 10_000 },
  );
  expect(onLost).not.toHaveBeenCalled();
  await lease.release();
});

test('a holder that another process followed is told to stop', async () => {
  const onLost = vi.fn<() => void>();
  const first = await ask('followed', onLost);
  // Waits at the server itself, so that it is there the moment the first holder's connection goes.
  const second = home.db.transaction(async (tx) => {
    await sql`select pg_advisory_lock(hashtextextended('cordon lease followed', 0))`.execute(tx.tables());
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), { timeout: 10_000 });
    await sql`select pg_advisory_unlock_all()`.execute(tx.tables());
  });
  await vi.waitFor(async () => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_locks
      where locktype = 'advisory' and not granted`.execute(home.db.tables());
    expect(rows[0]?.n).toBe(1);
  });
  await breakHolder('followed');
  await second;
  await first.release();
});

test('a database that is away at the start is an error', async () => {
  const url = 'postgres://cordon:x@127.0.0.1:9/cordon';
  await expect(acquireLease({ url, name: 'away', logger, onLost: () => undefined })).rejects.toThrow(/ECONNREFUSED/);
});
