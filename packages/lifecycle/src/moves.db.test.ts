import { type Actor, kernelMigrations, migrate, readAudit, uuidv7 } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lifecycleMigrations } from './index.ts';
import { listRuns, listTargets } from './leaver-store.ts';
import { beginMove, closeMovesOf, type Moved, settleMoves, settleUntouched, targetsOfGroups } from './moves.ts';

const ADA: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['owner'] };
const TARGET = { kind: 'target', id: 't1', name: 'CRM' } as const;
const APP = { kind: 'app', id: 'a1', name: 'Wiki' } as const;
const EVE = { id: 'p9', name: 'Eve' };

let home: TestDatabase;
const clock = createFakeClock(Date.UTC(2026, 10, 24));
beforeEach(async () => {
  home = await createTestDatabase();
  await migrate(home.db, [kernelMigrations, lifecycleMigrations]);
});
afterEach(() => home.drop());

const move = (more: Partial<Moved>): Moved => ({
  person: EVE,
  isJoiner: false,
  cause: 'Members of Sales changed.',
  gained: [],
  lost: [],
  endedSignOns: {},
  ...more,
});
const begin = (more: Partial<Moved>) =>
  home.db.transaction((tx) => beginMove(tx, { clock }, { actor: ADA, move: move(more) }));
const runs = (kind: 'joiner' | 'mover') => listRuns(home.db, 10, { kinds: [kind] });
const done = { state: 'done', detail: 'PATCH answered 200.', at: clock.now() } as const;

test('roles and apps are settled in the change itself; an account waits for its push', async () => {
  await begin({ isJoiner: true, gained: [APP, TARGET], lost: [] });
  const [run] = await runs('joiner');
  expect(run).toMatchObject({ reason: 'Members of Sales changed.', startedBy: 'Ada', endedAt: null });
  expect(run?.counts).toMatchObject({ done: 1, waiting: 1 });
  const which = { targetId: 't1', personId: EVE.id, isGain: true };
  await home.db.transaction((tx) => settleMoves(tx, which, done));
  expect((await runs('joiner'))[0]).toMatchObject({ counts: { done: 2, waiting: 0 } });
  expect((await runs('joiner'))[0]?.endedAt).not.toBeNull();
  const actions = (await readAudit(home.db, { limit: 10 })).map(({ action }) => action);
  expect(actions).toEqual(['mover.complete', 'joiner.began']);
});

test('how many sign-ons ended stands with an app that was lost', async () => {
  await begin({ lost: [APP], endedSignOns: { a1: 2 } });
  const [run] = await runs('mover');
  expect(run?.endedAt).not.toBeNull();
  expect((await listTargets(home.db, run?.id ?? ''))[0]?.detail).toContain('2 sign-ons there ended');
});

test.each(['task', 'failed'] as const)('a push that ends as %s leaves it open', async (state) => {
  await begin({ lost: [TARGET] });
  const which = { targetId: 't1', personId: EVE.id, isGain: false };
  await home.db.transaction((tx) => settleMoves(tx, which, { ...done, state }));
  expect((await runs('mover'))[0]).toMatchObject({ endedAt: null, counts: { waiting: 1 } });
});

test('a later change, a push that found nothing to do, and a leaver each close what waits', async () => {
  await begin({ lost: [TARGET] });
  clock.advance(1_000);
  await begin({ gained: [TARGET] });
  expect((await runs('mover')).map(({ counts }) => [counts.waiting, counts.nothing])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  await home.db.transaction((tx) => settleUntouched(tx, 't1', clock.now(), clock.now()));
  expect((await runs('mover')).every(({ endedAt }) => endedAt !== null)).toBe(true);
  clock.advance(1_000);
  await begin({ lost: [TARGET] });
  await home.db.transaction((tx) => closeMovesOf(tx, EVE.id, clock.now()));
  expect((await runs('mover')).every(({ endedAt }) => endedAt !== null)).toBe(true);
});

test('a change that is taken back leaves no trace of it', async () => {
  const back = home.db.transaction(async (tx) => {
    await beginMove(tx, { clock }, { actor: ADA, move: move({ lost: [APP] }) });
    throw new Error(uuidv7(clock.now()));
  });
  await expect(back).rejects.toThrow('-');
  expect(await runs('mover')).toEqual([]);
});

test('tools are found by the groups whose members they hold', async () => {
  const id = uuidv7(clock.now());
  const [one, two] = [uuidv7(clock.now()), uuidv7(clock.now())];
  const at = new Date(clock.now());
  await home.db
    .tables<{ provision_target: Record<string, unknown> }>()
    .insertInto('provision_target')
    .values({
      id,
      name: 'CRM',
      kind: 'task',
      mapping: '[]',
      groups: [one],
      on_leave: 'deactivate',
      requests_per_s: 1,
      leavers_max: 1,
      created_at: at,
      updated_at: at,
    })
    .execute();
  expect(await targetsOfGroups(home.db, [one, two])).toEqual([{ id, name: 'CRM' }]);
  expect(await targetsOfGroups(home.db, [two])).toEqual([]);
  expect(await targetsOfGroups(home.db, [])).toEqual([]);
});
