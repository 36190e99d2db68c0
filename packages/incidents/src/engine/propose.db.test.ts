import { fileURLToPath } from 'node:url';
import { type Actor, kernelMigrations, migrate } from '@cordon/kernel';
import { createFakeClock, createTestDatabase, type TestDatabase } from '@cordon/kernel/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActionTable } from '../actions/action-table.ts';
import { incidentsMigrations } from '../tables.ts';
import { createPlaybookLibrary, type PlaybookLibrary } from './playbook-library.ts';
import { createRunCommands, missingInputs, type RunCommands } from './run-commands.ts';
import { loadRun } from './run-store.ts';

/** A run that an alert proposes without knowing all that the playbook asks for: whoever approves says the rest. */

const clock = createFakeClock();
const BOB: Actor = { kind: 'person', id: 'bob', name: 'Bob', roles: ['owner'], strongAuthAt: clock.now() };
const KNOWN = { __person__: 'eve@example.com', __reason__: 'Alert: an export' };
let made: TestDatabase;
let library: PlaybookLibrary;
let commands: RunCommands;
let driven = 0;

beforeAll(async () => {
  made = await createTestDatabase();
  await migrate(made.db, [kernelMigrations, incidentsMigrations]);
  const actions = createActionTable();
  const folder = fileURLToPath(new URL('../../../../content/playbooks', import.meta.url));
  library = createPlaybookLibrary({ db: made.db, clock, actions, folder });
  const workflows = { enqueue: () => Promise.resolve(void (driven += 1)) };
  commands = createRunCommands({ db: made.db, clock, workflows, library, actions });
});
afterAll(() => made.drop());

async function propose(name: string, triggerKey: string) {
  const playbook = await library.resolve(name);
  const inputs = { __reason__: KNOWN.__reason__ };
  const run = await made.db.transaction((tx) =>
    commands.propose(tx, { playbook, inputs, caseId: null, alertId: null, triggerKey }),
  );
  if (!run) throw new Error('it was not proposed');
  return run;
}
const decide = (id: string, inputs: Record<string, string>, approve = true) =>
  commands.decide(BOB, id, { approve, reason: 'go on', inputs });

test('it is proposed, and says what is missing', async () => {
  const run = await propose('Stolen OAuth token', 'one');
  expect([run.status, missingInputs(await loadRun(made.db, run.id))]).toEqual(['proposed', ['__integration__']]);
});

test.each<[string, Record<string, string>]>([
  ['needs a value for __integration__', {}],
  ["__reason__ isn't missing", { __integration__: 'sync', __reason__: 'another' }],
  ["__count__ isn't missing", { __integration__: 'sync', __count__: '5' }],
])('an approval where it %s is refused, and drives nothing', async (message, inputs) => {
  const run = await propose('Stolen OAuth token', `refused ${message}`);
  const before = driven;
  await expect(decide(run.id, inputs)).rejects.toThrow(message);
  expect([(await loadRun(made.db, run.id)).status, driven]).toEqual(['proposed', before]);
});

test('with it the run begins, and its variables hold it', async () => {
  const run = await propose('Stolen OAuth token', 'two');
  const before = driven;
  await decide(run.id, { __integration__: 'sync' });
  const now = await loadRun(made.db, run.id);
  expect([now.status, now.inputs['__integration__'], now.variables['__integration__']?.value, driven]).toEqual([
    'running',
    'sync',
    'sync',
    before + 1,
  ]);
  expect(missingInputs(now)).toEqual([]);
});

test('a refusal needs nothing', async () => {
  const run = await propose('Stolen OAuth token', 'three');
  expect((await decide(run.id, {}, false)).status).toBe('cancelled');
});

test.each([
  ['contain-data-exposure', ['__person__'], 'Insider forwarding'],
  ['contain-data-exposure', ['__integration__'], 'Mass export'],
  ['rotate-credential', ['__person__'], 'Compromised administrator'],
  ['rotate-credential', ['__integration__'], 'Leaked API key'],
  ['contain-integration', ['__integration__'], 'Stolen OAuth token'],
  // Nothing fits an alert about an address: the first that was asked for, and a form for the rest.
  ['contain-integration', [], 'Stolen OAuth token'],
])('asked for %s, knowing %o, it is %s', async (trigger, known, name) => {
  expect((await library.findByTrigger(trigger, [...known, '__app__', '__reason__']))?.name).toBe(name);
});
