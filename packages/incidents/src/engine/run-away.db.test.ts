import { kernelMigrations, migrate, uuidv7, type WorkflowSteps } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createActionTable } from '../actions/action-table.ts';
import { parsePlaybook, writePlaybook } from '../cacao/playbook.ts';
import { startVariables } from '../cacao/variables.ts';
import { type IncidentTables, incidentsMigrations } from '../tables.ts';
import { createFakeOutside } from '../testing.ts';
import { AWAY_MS, isDatabaseAway } from './database-away.ts';
import { insertRun, listActs, loadRun, setRun } from './run-store.ts';
import { createRunWorkflow, wakeDueRuns } from './run-workflow.ts';
import type { Run } from './run.ts';

/** The database refuses to write an outcome down: what passes lets the run wait and go on, what doesn't ends it. */

const clock = createFakeClock();
let made: TestDatabase;
const execute = (text: string) => sql.raw(text).execute(made.db.tables<IncidentTables>());
beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, incidentsMigrations]);
  await execute(`create table test_failure (code text not null, kind text not null)`);
  await execute(`
    create function test_refuse() returns trigger language plpgsql as $$
    declare refusal text := (select code from test_failure where kind = NEW.kind);
    begin
      if refusal is not null and NEW.status in ('done', 'failed') then
        raise exception 'refused by the test' using errcode = refusal;
      end if;
      return NEW;
    end $$`);
  await execute(
    'create trigger test_refuse before insert or update on playbook_act for each row execute function test_refuse()',
  );
});
afterAll(() => made.drop());
beforeEach(() => execute('delete from test_failure'));

const [START, ACTION, END, AGENT] = [
  'start--00000000-0000-4000-8000-000000000001',
  'action--00000000-0000-4000-8000-000000000002',
  'end--00000000-0000-4000-8000-000000000003',
  'security-category--00000000-0000-4000-8000-000000000004',
] as const;
const playbook = parsePlaybook({
  type: 'playbook',
  spec_version: 'cacao-2.0',
  id: 'playbook--00000000-0000-4000-8000-000000000005',
  name: 'Suspend',
  created_by: 'identity--00000000-0000-4000-8000-000000000006',
  created: '2026-01-01T00:00:00.000Z',
  modified: '2026-01-01T00:00:00.000Z',
  workflow_start: START,
  workflow: {
    [START]: { type: 'start', on_completion: ACTION },
    [ACTION]: {
      type: 'action',
      name: 'Suspend it',
      agent: AGENT,
      commands: [{ type: 'cordon', command: 'gateway.suspend', version: '1', arguments: { integration: 'sync' } }],
      on_completion: END,
    },
    [END]: { type: 'end' },
  },
  agent_definitions: { [AGENT]: { type: 'security-category', name: 'Cordon', category: ['aaa'] } },
});

/** The engine's promise as far as a test without one needs it: the step is run. */
const steps: WorkflowSteps = {
  step: (_name, work) => work(),
  sleep: () => Promise.reject(new Error('nothing here sleeps')),
  workflowId: 'test',
};

async function started() {
  const at = clock.now();
  const run: Run = {
    id: uuidv7(at),
    playbookId: playbook.id,
    playbookName: playbook.name,
    document: writePlaybook(playbook),
    digest: 'x',
    mode: 'live',
    status: 'running',
    caseId: null,
    alertId: null,
    startedBy: { kind: 'person', id: 'ada', name: 'Ada' },
    approval: { by: { kind: 'person', id: 'bob', name: 'Bob' }, at, approved: true, reason: 'go' },
    inputs: {},
    variables: startVariables(playbook, {}),
    error: null,
    wakeAt: null,
    createdAt: at,
    finishedAt: null,
  };
  await made.db.transaction((tx) => insertRun(tx, run, null));
  await setRun(made.db, run.id, { driving: true });
  const world = createFakeOutside({
    integrations: [{ id: 'i1', name: 'sync', status: 'active', statusReason: null, assurance: 'm0' }],
  });
  const workflow = createRunWorkflow({
    db: made.db,
    clock,
    logger: createTestLogger(),
    actions: createActionTable(),
    transport: world.transport,
    findPlaybook: () => Promise.resolve(null),
  });
  const drive = () => workflow.run({ runId: run.id }, steps);
  const wake = async () => {
    const woken: unknown[] = [];
    const enqueue = async (_tx: unknown, _definition: unknown, _id: string, input: unknown) => void woken.push(input);
    await wakeDueRuns(made.db, { enqueue }, clock.now());
    return woken;
  };
  const state = async () => {
    const { status, error, wakeAt } = await loadRun(made.db, run.id);
    return { status, error, wakeAt };
  };
  const acts = async (kind: string) =>
    (await listActs(made.db, run.id)).filter((act) => act.kind === kind).map(({ status }) => status);
  const refuse = (kind: string, code: string) => execute(`insert into test_failure values ('${code}', '${kind}')`);
  const done = () => world.log.map(({ act }) => act);
  return { run, drive, wake, state, acts, refuse, done };
}

test.each([
  ['a statement timeout', '57014'],
  ['a lost race', '40001'],
  ['a full table of connections', '53300'],
  ['a shutdown', '57P01'],
])('%s while an outcome is written parks the run, and it goes on without doing it twice', async (_what, code) => {
  const { run, drive, wake, state, acts, refuse, done } = await started();
  await refuse('act', code);
  await drive();
  expect(await state()).toEqual({ status: 'waiting', error: null, wakeAt: clock.now() + AWAY_MS });
  expect([await acts('act'), done(), await wake()]).toEqual([['started'], ['suspended'], []]);
  await execute('delete from test_failure');
  clock.advance(AWAY_MS);
  expect(await wake()).toEqual([{ runId: run.id }]);
  await drive();
  expect(await state()).toEqual({ status: 'succeeded', error: null, wakeAt: null });
  expect([await acts('act'), done()]).toEqual([['done'], ['suspended']]);
});

test('the same while it is taken back', async () => {
  const { run, drive, wake, state, acts, refuse, done } = await started();
  await drive();
  await setRun(made.db, run.id, { status: 'undoing', driving: true });
  await refuse('undo', '57014');
  await drive();
  expect(await state()).toEqual({ status: 'undoing', error: null, wakeAt: clock.now() + AWAY_MS });
  expect(await acts('undo')).toEqual(['started']);
  await execute('delete from test_failure');
  clock.advance(AWAY_MS);
  expect(await wake()).toEqual([{ runId: run.id }]);
  await drive();
  expect(await state()).toEqual({ status: 'undone', error: null, wakeAt: null });
  expect([await acts('undo'), done()]).toEqual([['done'], ['suspended', 'restored']]);
});

test('what no waiting mends ends the run', async () => {
  const { drive, state, refuse } = await started();
  await refuse('act', '22001');
  await drive();
  expect(await state()).toMatchObject({ status: 'failed', error: 'refused by the test', wakeAt: null });
});

test.each<[string, unknown, boolean]>([
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), true],
  ['a connection that broke', new Error('Connection terminated unexpectedly'), true],
  ['no free connection', new Error('timeout exceeded when trying to connect'), true],
  ['one inside another', new Error('outer', { cause: Object.assign(new Error('x'), { code: '08006' }) }), true],
  ['a wrong value', Object.assign(new Error('too long'), { code: '22001' }), false],
  ['an error of ours', Object.assign(new Error('no'), { code: 'incidents.run_unknown' }), false],
  ['no error at all', 'Connection terminated', false],
])('%s', (_what, error, expected) => {
  expect(isDatabaseAway(error)).toBe(expected);
});
