import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecretEnvelope, type Database, kernelMigrations, keyRingFromText, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFolderStore } from '../folder-store.ts';
import { makeRecoveryKey, readRecovery, writeRecovery } from '../recovery-key.ts';
import { openRepository, type Repository } from '../repository.ts';
import { backupMigrations } from '../tables.ts';
import { openOwnState, type OwnLake, takeOwnState } from './own-state.ts';

const KEK = Buffer.alloc(32, 7).toString('base64');
const clock = createFakeClock();
let [from, to]: TestDatabase[] = [];
let root = '';
let repository: Repository;
let ids = 0;

const tablesOf = (db: Database) => db.tables<object>();
const open = (): Promise<Repository> =>
  openRepository({
    store: createFolderStore(root),
    envelope: createSecretEnvelope(keyRingFromText(KEK)),
    clock,
    create: true,
  });

/** Two hours of a lake; what is read and written is on record. */
function createLake() {
  const hours = new Map<number, string[]>([
    [100, ['["a"]', '["b"]']],
    [200, ['["c"]']],
  ]);
  const reads: number[] = [];
  const written: string[] = [];
  const lake: OwnLake = {
    groups: async () =>
      [...hours].map(([group, rows]) => ({
        table: 'events',
        group,
        rows: rows.length,
        fingerprint: rows.join(),
        parts: 1,
      })),
    async read({ group }) {
      reads.push(group);
      return { columns: ['raw'], lines: hours.get(group) ?? [] };
    },
    write: async (_table, _columns, lines) => void written.push(...lines),
  };
  return { lake, hours, reads, written };
}
const kept = createLake();

const take = () =>
  takeOwnState({
    repository,
    clock,
    db: from?.db as Database, // made before the first test
    lake: kept.lake,
    readFiles: async () => [{ name: 'ca.key', bytes: Buffer.from([0, 255, 10]) }],
    id: `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`,
  });

const STRANGE = sql`
  create table strange (
    id bigint generated always as identity primary key, small real, big numeric, at timestamptz, bytes bytea,
    words text[], doc jsonb, twice text generated always as (upper(note)) stored, note text, seq bigserial
  );
  create table bare (word text);
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'append only'; end $$;
  create trigger no_change before update or delete on strange for each statement execute function refuse();
`;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'own-'));
  [from, to] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  for (const one of [from, to]) {
    await migrate(one.db, [kernelMigrations, backupMigrations]);
    await STRANGE.execute(tablesOf(one.db));
  }
  await sql`
    insert into strange (small, big, at, bytes, words, doc, note) values
      (0.1, 12345678901234567890.000000001, '2026-03-29 01:30:00.123456+00', '\\x00ff', '{"a,b",null,"\\"q\\""}', '{"a":[1.50,null]}', E'line\\nüñ😀'),
      ('NaN', null, 'infinity', null, '{}', 'null', null)`.execute(tablesOf(from.db));
  await sql`insert into bare values ('same'), ('same'), ('other')`.execute(tablesOf(from.db));
  repository = await open();
});
afterAll(async () => {
  await Promise.all([from?.drop(), to?.drop()]);
  await rm(root, { recursive: true, force: true });
});

const dump = async (db: Database | undefined, table: string): Promise<unknown> =>
  (await sql`select t::text as row from ${sql.id(table)} t order by 1`.execute(tablesOf(db as Database))).rows;

test('rows of every kind, the lake and files come back equal', async () => {
  const manifest = await take();
  expect(manifest.streams.map(({ notRead }) => notRead)).toEqual([null, null, null, null]);
  const own = await openOwnState(await open());
  await sql`insert into bare values ('what the target had')`.execute(tablesOf(to?.db as Database));
  await own.restoreDatabase(to?.db as Database);
  for (const table of ['strange', 'bare']) expect(await dump(to?.db, table)).toEqual(await dump(from?.db, table));
  expect((await own.restoreLake(kept.lake)).rows).toBe(3);
  expect(kept.written.toSorted()).toEqual(['["a"]', '["b"]', '["c"]']);
  expect(await own.files()).toEqual([{ name: 'ca.key', bytes: Uint8Array.from([0, 255, 10]) }]);
  await sql`insert into strange (note) values ('next')`.execute(tablesOf(to?.db as Database));
  const { rows } = await sql`select id, seq from strange where note = 'next'`.execute(tablesOf(to?.db as Database));
  expect(rows).toEqual([{ id: 3, seq: 3 }]);
});

test('the next snapshot reads only hours that changed, and keeps the others', async () => {
  kept.reads.length = 0;
  kept.hours.get(200)?.push('["d"]');
  clock.advance(1_000);
  const second = await take();
  expect(kept.reads).toEqual([200]);
  expect(second.changed).toBeLessThanOrEqual(2);
  kept.hours.delete(100);
  clock.advance(1_000);
  await take();
  kept.written.length = 0;
  await (await openOwnState(await open())).restoreLake(kept.lake);
  expect(kept.written.toSorted()).toEqual(['["c"]', '["d"]']);
});

test('a row that the target has no column for is refused, and nothing is changed', async () => {
  await sql`alter table bare add column more text default 'x'`.execute(tablesOf(from?.db as Database));
  clock.advance(1_000);
  await take();
  const before = await dump(to?.db, 'bare');
  const own = await openOwnState(await open());
  await expect(own.restoreDatabase(to?.db as Database)).rejects.toThrow(/no place for public.bare.more/);
  expect(await dump(to?.db, 'bare')).toEqual(before);
});

test('keys open with the recovery key, and with no other', async () => {
  const store = createFolderStore(root);
  const [mine, other] = [makeRecoveryKey(), makeRecoveryKey()];
  await writeRecovery(store, mine.recipient, { kek: KEK, at: 1_000_000_000_000 });
  await writeRecovery(store, mine.recipient, { kek: `${KEK},${KEK}`, at: 1_000_000_000_001 });
  expect(await readRecovery(store, `# a comment\n${mine.key}\n`)).toMatchObject({ kek: `${KEK},${KEK}` });
  await expect(readRecovery(store, other.key)).rejects.toThrow(/opens nothing/);
  await expect(readRecovery(store, 'hello')).rejects.toThrow(/no recovery key/);
});

test("whoever can write to the store can't put keys of theirs in the place of ours", async () => {
  const store = createFolderStore(root);
  const mine = makeRecoveryKey();
  // The public key is no secret; what the recipient holds beside it is.
  const raw = Buffer.from(mine.recipient.split('.')[1] ?? '', 'base64url');
  const forged = `cordon-recovery-recipient-1.${Buffer.concat([raw.subarray(0, 32), Buffer.alloc(32)]).toString('base64url')}`;
  await writeRecovery(store, forged, { kek: KEK, at: 2_000_000_000_000 });
  await expect(readRecovery(store, mine.key)).rejects.toThrow(/opens nothing/);
});
