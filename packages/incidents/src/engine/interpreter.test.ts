import { describe, expect, test } from 'vitest';
import { createActionTable } from '../actions/action-table.ts';
import { defineAction } from '../actions/action.ts';
import { closedTransport } from '../actions/transport.ts';
import { parsePlaybook, type Playbook } from '../cacao/playbook.ts';
import { createFakeOutside } from '../testing.ts';
import { z } from 'zod';
import { driveRun } from './interpreter.ts';
import { createMemoryJournal, type Decision, type Journal } from './run.ts';

const U = '00000000-0000-4000-8000-0000000000';
const id = (type: string, n: number) => `${type}--${U}${String(n).padStart(2, '0')}`;
const YES: Decision = { by: { kind: 'person', id: 'a', name: 'Ada' }, at: 1, approved: true, reason: 'yes' };

function playbook(workflow: Record<string, object>, variables: object = {}, more: object = {}): Playbook {
  const first = Object.keys(workflow)[0] ?? '';
  return parsePlaybook({
    type: 'playbook',
    spec_version: 'cacao-2.0',
    id: `playbook--${U}99`,
    name: 'test',
    created: '',
    modified: '',
    workflow_start: id('start', 0),
    workflow: { [id('start', 0)]: { type: 'start', on_completion: first }, ...workflow },
    playbook_variables: variables,
    target_definitions: { t: { type: 'http-api', address: { url: ['https://vendor.test'] } } },
    ...more,
  });
}
const END = id('end', 9);
const end = { [END]: { type: 'end' } };
const cordon = (command: string, args: object, more: object = {}) => ({
  type: 'action',
  commands: [{ type: 'cordon', command, arguments: args }],
  ...more,
});
const http = (line: string, more: object = {}, of: object = {}) => ({
  type: 'action',
  targets: ['t'],
  commands: [{ type: 'http-api', command: line, ...of }],
  on_completion: END,
  ...more,
});

const outside = () =>
  createFakeOutside({
    integrations: [{ id: 'i1', name: 'sync', status: 'active', statusReason: null, assurance: 'm0' }],
  });

function setUp(
  of: Playbook,
  given: {
    approval?: Decision | null;
    mode?: 'live' | 'simulate';
    journal?: Journal;
    more?: Parameters<typeof createActionTable>[0];
  } = {},
) {
  const out = outside();
  const journal = given.journal ?? createMemoryJournal();
  let now = 1_000;
  const mode = given.mode ?? 'live';
  const run = {
    id: 'r1',
    mode,
    approval: given.approval === undefined ? YES : given.approval,
    caseId: 'c1',
    playbookName: of.name,
    inputs: {},
  };
  const transport = mode === 'live' ? out.transport : closedTransport(out.transport.reads);
  const deps = {
    actions: createActionTable(given.more),
    transport,
    journal,
    now: () => now,
    findPlaybook: async () => null,
  };
  return { ...out, journal, drive: () => driveRun(run, of, deps), advance: (ms: number) => void (now += ms) };
}

describe('waits', () => {
  test('an act that needs approval waits, is done once after a yes, and refused after a no', async () => {
    const of = playbook({
      [id('action', 1)]: cordon('gateway.cut-off', { integration: 'sync' }, { on_success: END }),
      ...end,
    });
    const { drive, journal, log } = setUp(of, { approval: null });
    expect(await drive()).toEqual({ state: 'parked', wakeAt: null });
    const [act] = journal.all().filter(({ kind }) => kind === 'act');
    if (!act) throw new Error('no act');
    expect([act.status, log]).toEqual(['waiting-approval', []]);
    await journal.write({ ...act, approval: YES });
    expect(await drive()).toMatchObject({ state: 'ended', ok: true });
    expect(await drive()).toMatchObject({ state: 'ended', ok: true });
    expect(log.map((one) => one.act)).toEqual(['revoked']);
    const no = setUp(of, { approval: null, journal: createMemoryJournal() });
    await no.drive();
    await no.journal.write({ ...act, approval: { ...YES, approved: false, reason: 'not ours' } });
    expect(await no.drive()).toMatchObject({ state: 'ended', ok: false, error: 'Refused: not ours' });
  });

  test('a manual step waits for its form, and fails when its time is over', async () => {
    const manual = {
      type: 'action',
      commands: [{ type: 'manual', command: 'look at __what__:value' }],
      out_args: ['__n__'],
      timeout: 500,
      on_success: END,
    };
    const of = playbook(
      { [id('action', 1)]: manual, ...end },
      { __n__: { type: 'integer' }, __what__: { type: 'string', value: 'it' } },
    );
    const { drive, journal, advance } = setUp(of);
    expect(await drive()).toEqual({ state: 'parked', wakeAt: 1_500 });
    const asked = journal.all().find(({ kind }) => kind === 'manual');
    if (!asked) throw new Error('nobody was asked');
    expect(asked.input).toMatchObject({ text: 'look at it', fields: [{ name: '__n__', type: 'integer' }] });
    advance(600);
    expect(await drive()).toMatchObject({ ok: false, error: expect.stringContaining('ACTION_TIMEOUT') });
    await journal.write({ ...asked, status: 'done', result: { __n__: '7' } });
    expect(await drive()).toMatchObject({ ok: true, variables: { __n__: { value: '7' } } });
  });

  test('a delay is over at its time and not before', async () => {
    const { drive, advance } = setUp(playbook({ [id('action', 1)]: { ...http('GET /a'), delay: 100 }, ...end }));
    expect(await drive()).toEqual({ state: 'parked', wakeAt: 1_100 });
    advance(50);
    expect(await drive()).toEqual({ state: 'parked', wakeAt: 1_100 });
    advance(50);
    expect(await drive()).toMatchObject({ ok: true });
  });
});

describe('ways', () => {
  const counter = { __n__: { type: 'integer', value: '0' }, __http_status__: { type: 'string' } };

  test('success, failure, exception', async () => {
    const fail = cordon('gateway.cut-off', { integration: 'gone' });
    const handled = playbook({
      [id('action', 1)]: { ...fail, on_success: END, on_failure: id('action', 2) },
      [id('action', 2)]: http('GET /b'),
      ...end,
    });
    expect(await setUp(handled).drive()).toMatchObject({ ok: true });
    const unhandled = playbook(
      { [id('action', 1)]: { ...fail, on_success: END }, [id('action', 3)]: http('POST /cleanup'), ...end },
      {},
      { workflow_exception: id('action', 3) },
    );
    const run = setUp(unhandled);
    expect(await run.drive()).toMatchObject({ ok: false, error: 'There is no integration gone.' });
    expect(run.log.map(({ act }) => act)).toEqual(['http POST']);
    const whatever = playbook({ [id('action', 1)]: { ...fail, on_completion: END }, ...end });
    expect(await setUp(whatever).drive()).toMatchObject({ ok: true });
  });

  test('if, switch and while take the way that the variables say', async () => {
    const count = defineAction({
      name: 'test.count',
      title: 'count',
      effect: 'read',
      approval: 'none',
      input: z.strictObject({ n: z.coerce.number() }),
      outputs: ['n'],
      repeatable: true,
      run: async ({ n }) => ({ n: String(n + 1) }),
      verify: async () => ({ state: 'absent' }),
      simulate: async ({ n }) => ({ would: 'count', result: { n: String(n + 1) } }),
    });
    const of = playbook(
      {
        [id('while-condition', 1)]: {
          type: 'while-condition',
          condition: '__n__ < 3',
          on_true: id('action', 2),
          on_completion: id('switch-condition', 3),
        },
        [id('action', 2)]: cordon(
          'test.count',
          { n: '__n__:value' },
          { out_args: ['__n__'], on_completion: id('end', 8) },
        ),
        [id('switch-condition', 3)]: {
          type: 'switch-condition',
          switch: '__n__:value',
          cases: { '3': id('action', 4), default: id('end', 8) },
          on_completion: id('if-condition', 5),
        },
        [id('action', 4)]: http('PUT /three', { on_completion: id('end', 8) }),
        [id('if-condition', 5)]: {
          type: 'if-condition',
          condition: "__n__:value = '3'",
          on_true: id('end', 8),
          on_false: id('action', 4),
          on_completion: END,
        },
        [id('end', 8)]: { type: 'end' },
        ...end,
      },
      counter,
    );
    const run = setUp(of, { more: [count] });
    expect(await run.drive()).toMatchObject({ ok: true, variables: { __n__: { value: '3' } } });
    expect(run.log.map(({ act }) => act)).toEqual(['http PUT']);
  });

  test('parallel branches go on while one waits, and come together in the order they are named', async () => {
    const of = playbook({
      [id('parallel', 1)]: {
        type: 'parallel',
        next_steps: [id('action', 2), id('action', 3)],
        on_completion: id('action', 4),
      },
      [id('action', 2)]: {
        type: 'action',
        commands: [{ type: 'manual', command: 'look' }],
        on_completion: id('end', 8),
      },
      [id('action', 3)]: http('POST /b', { on_completion: id('end', 8) }),
      [id('action', 4)]: http('POST /after'),
      [id('end', 8)]: { type: 'end' },
      ...end,
    });
    const run = setUp(of);
    expect(await run.drive()).toMatchObject({ state: 'parked' });
    expect(run.log.map(({ act }) => act)).toEqual(['http POST']);
    const asked = run.journal.all().find(({ kind }) => kind === 'manual');
    if (!asked) throw new Error('nobody was asked');
    await run.journal.write({ ...asked, status: 'done', result: {} });
    expect(await run.drive()).toMatchObject({ ok: true });
    expect(run.log.map(({ act }) => act)).toEqual(['http POST', 'http POST']);
  });

  test('a playbook calls another with its arguments and takes what comes back', async () => {
    const inner = playbook(
      { [id('action', 1)]: http('GET /__in__:value', { out_args: ['__http_status__'] }), ...end },
      { __in__: { type: 'string', external: true }, __http_status__: { type: 'string' } },
    );
    const of = playbook(
      {
        [id('playbook-action', 1)]: {
          type: 'playbook-action',
          playbook_id: inner.id,
          in_args: ['__in__'],
          out_args: ['__http_status__'],
          on_completion: END,
        },
        ...end,
      },
      { __in__: { type: 'string', value: 'x' }, __http_status__: { type: 'string' } },
    );
    const out = outside();
    const deps = {
      actions: createActionTable(),
      transport: out.transport,
      journal: createMemoryJournal(),
      now: () => 1,
      findPlaybook: async () => inner,
    };
    const run = { id: 'r', mode: 'live' as const, approval: YES, caseId: null, playbookName: 'n', inputs: {} };
    expect(await driveRun(run, of, deps)).toMatchObject({ ok: true, variables: { __http_status__: { value: '200' } } });
    expect(out.log).toHaveLength(1);
  });
});

describe('cut short in the middle of an act', () => {
  const once = (line: string, of: object = {}) => playbook({ [id('action', 1)]: http(line, {}, of), ...end });
  const cut = async (of: Playbook) => {
    const run = setUp(of);
    await run.drive();
    const act = run.journal.all().find(({ kind }) => kind === 'act');
    if (!act) throw new Error('no act');
    await run.journal.write({ ...act, status: 'started', result: null, attempts: 1 });
    run.log.length = 0;
    return run;
  };

  test('what can be verified is verified and not repeated', async () => {
    const run = await cut(once('POST /ticket', { cordon: { verify: 'GET /ticket/1' } }));
    expect(await run.drive()).toMatchObject({ ok: true });
    expect(run.log.map(({ act }) => act)).toEqual(['http GET']);
  });
  test('what may be repeated is repeated', async () => {
    const run = await cut(once('PUT /ticket'));
    expect(await run.drive()).toMatchObject({ ok: true });
    expect(run.log.map(({ act }) => act)).toEqual(['http PUT']);
  });
  test('what nothing tells about waits for a person and is not repeated', async () => {
    const run = await cut(once('POST /ticket'));
    expect(await run.drive()).toMatchObject({ state: 'parked' });
    expect(run.log).toEqual([]);
    expect(run.journal.all().find(({ kind }) => kind === 'act')?.status).toBe('doubtful');
  });
});

test('a dry run can reach nothing, even by an action whose simulation tries to act', async () => {
  const rogue = defineAction({
    name: 'test.rogue',
    title: 'rogue',
    effect: 'change',
    approval: 'none',
    input: z.strictObject({}),
    outputs: [],
    repeatable: true,
    run: async () => ({}),
    verify: async () => ({ state: 'absent' }),
    simulate: async (_input, context) => {
      const { acts } = context as unknown as { acts: ReturnType<typeof outside>['transport']['acts'] };
      await acts.endIntegration('i1', 'revoked', 'sneaky');
      return { would: '', result: {} };
    },
  });
  const of = playbook({ [id('action', 1)]: cordon('test.rogue', {}, { on_success: END }), ...end });
  const run = setUp(of, { mode: 'simulate', more: [rogue] });
  expect(await run.drive()).toMatchObject({ ok: false });
  expect(run.log).toEqual([]);
  expect(() => closedTransport(run.transport.reads).acts.endIntegration('i1', 'revoked', '')).toThrow(
    /tried to act: acts.endIntegration/,
  );
  expect(() => closedTransport(run.transport.reads).acts.connector.act('a', 'b', {}, 'k')).toThrow(
    /acts.connector.act/,
  );
});
