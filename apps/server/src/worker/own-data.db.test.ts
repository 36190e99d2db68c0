import { dlpMigrations } from '@cordon/dlp';
import {
  createRetentionCommands,
  createRetentionWorkflow,
  governanceMigrations,
  loadRun,
  type RetentionTools,
} from '@cordon/governance';
import { type Actor, kernelMigrations, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase } from '@cordon/kernel/testing';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { withOwnData } from './own-data.ts';

const DAY_MS = 86_400_000;
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const unused = () => Promise.reject(new Error('no tool is asked'));
const noTools: RetentionTools = {
  list: async () => [],
  read: () => {
    throw new Error('no tool is asked');
  },
  inputFor: unused,
  act: unused,
  verify: unused,
};

test('a rule for Cordon’s own records keeps a hold, forgets what is due, and says what it has no way for', async () => {
  const database = await createTestDatabase();
  const { db } = database;
  await migrate(db, [kernelMigrations, governanceMigrations, dlpMigrations]);
  const clock = createFakeClock(Date.UTC(2026, 5, 1));
  const at = (days: number): string => new Date(clock.now() - days * DAY_MS).toISOString();
  const add = (id: string, days: number, status: string) =>
    sql`insert into dlp_incident (id, source, app, object, record_id, action, rule_id, rule_name, label, classes, found,
        status, first_seen, last_seen) values (${id}, 'rest', 'slack', 'message', ${id}, 'log', 'r', 'r', 'restricted',
        '[]', 1, ${status}, ${at(days)}, ${at(days)})`.execute(db.tables<object>());
  await add('old', 400, 'remediated');
  await add('held', 400, 'dismissed');
  await add('open', 400, 'open');
  await add('young', 10, 'remediated');
  const queued: string[] = [];
  const workflows = { enqueue: async (_tx: unknown, _definition: unknown, id: string) => void queued.push(id) };
  const commands = createRetentionCommands({ db, clock, workflows });
  await commands.hold(ada, { name: 'Case 9', scope: { app: 'cordon', recordId: 'held' }, reason: 'litigation' });
  const rule = await commands.addRule(ada, {
    name: 'Own records',
    settings: { app: 'cordon', clock: 'createdAt', days: 365, action: 'delete' },
  });
  const { id } = await commands.start(ada, rule.id, 'run');
  const workflow = createRetentionWorkflow({
    db,
    clock,
    tools: withOwnData(noTools, { db, clock }),
    pause: async () => undefined,
  });
  const steps = {
    workflowId: id,
    sleep: async () => undefined,
    step: <T>(_name: string, work: () => Promise<T>) => work(),
  };
  await workflow.run({ runId: id }, steps);
  const run = await loadRun(db, id);
  expect(run).toMatchObject({ status: 'done', counts: { due: 1, held: 1, young: 1 } });
  expect(run.unenforceable.map(({ object }) => object)).toEqual(['event', 'backup']);
  const left = await sql<{ id: string }>`select id from dlp_incident order by id`.execute(db.tables<object>());
  expect(left.rows.map((row) => row.id)).toEqual(['held', 'open', 'young']);
  await database.drop();
});
