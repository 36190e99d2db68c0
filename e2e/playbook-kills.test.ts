import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Estate, startEstate } from '@cordon/demo';
import { createTestLogger } from '@cordon/kernel/testing';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiClient } from '@cordon/client';
import { openTab, startBrowser } from './harness/browser.ts';
import { createFleet, type Fleet } from './harness/fleet.ts';
import { eventually, taken } from './harness/notes-integration.ts';

/**
 * The worker of the running product is killed, a few times, at acts of the ready playbooks, all of them under way at
 * once, and of one that acts in Okta: after the act was done and before anybody wrote that down, the worst moment there
 * is. In the end each run is where an undisturbed one is, and every act outside was done once.
 *
 * The moment is chosen from outside: a trigger in this test's own database holds the write of each outcome. The product
 * knows nothing of it. Where all places are taken it refuses the write as a statement timeout would: that run has to
 * wait, and comes back. Kills stop after a time; how many were made in how many acts is printed.
 */

const WAIT_MS_MAX = 60_000;
const CALM_MS_MAX = 180_000;
/** Four roles, two engines, a browser and six tools come up together. */
const SETUP_MS_MAX = 400_000;
/** When nothing more arrives at the gate, what can be there is there: the worker's connections are all held, or all runs. */
const STILL_MS = 900;
const LOOK_MS = 100;
/** Then the gate is opened and what is left goes on undisturbed: the whole is to stay under four minutes. */
const KILLING_MS_MAX = 50_000;
/** Two full rounds, on a slow machine too; killing at all of them takes ten minutes. */
const ACTS_MIN = 12;
/** Advisory locks: the gate, beside it which act stands before it, and the places there. */
const [GATE, ACT, PLACE] = [4242, 4243, 4244];
/** Less than the worker's connections: it has to come up while acts are held. */
const PLACES = 6;

let fleet: Fleet;
let estate: Estate;
let browser: Browser;
let page: Page;
let api: ApiClient;
let gate: pg.Client;
let look: pg.Client;
let hook: Outside;
const tools = new Map<'okta' | 'slack', Outside>();

interface Outside {
  readonly url: string;
  /** `METHOD path body` of each request that may change something. */
  readonly seen: string[];
  stop(): Promise<void>;
}

/** A tool's front door that writes down what was asked of it; null: there is nothing behind it. */
async function startOutside(upstream: string | null): Promise<Outside> {
  const seen: string[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat((await request.toArray()) as Buffer[]); // no encoding is set: buffers
    if (request.method !== 'GET') seen.push(`${request.method} ${request.url} ${body.toString()}`);
    if (upstream === null) {
      response.end('ok');
      return;
    }
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const sent = { method: request.method ?? 'GET', headers: headers as Record<string, string> }; // single values
    const answer = await fetch(`${upstream}${request.url}`, { ...sent, ...(body.length > 0 && { body }) });
    const text = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    response.end(text);
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const HOLD = `
  create table test_passed (act int primary key);
  create function test_hold() returns trigger language plpgsql as $$
  declare
    this_act int := hashtext(NEW.run_id || NEW.key);
    has_place boolean := false;
  begin
    if NEW.kind = 'act' and NEW.command <> 'manual' and NEW.status in ('done', 'failed')
        and not exists (select 1 from test_passed where test_passed.act = this_act) then
      for place in 1..${PLACES} loop
        has_place := pg_try_advisory_xact_lock(${PLACE}, place);
        exit when has_place;
      end loop;
      if not has_place then
        raise exception 'no place at the gate' using errcode = 'query_canceled';
      end if;
      perform pg_advisory_xact_lock_shared(${ACT}, this_act);
      perform pg_advisory_xact_lock_shared(${GATE}, 0);
    end if;
    return NEW;
  end $$;
  create trigger test_hold before insert or update on playbook_act for each row execute function test_hold();`;

beforeAll(async () => {
  [fleet, browser, estate, hook] = await Promise.all([
    createFleet(),
    startBrowser(),
    startEstate({ logger: createTestLogger(), seed: 'kills' }),
    startOutside(null),
  ]);
  for (const name of ['okta', 'slack'] as const) tools.set(name, await startOutside(estate.app(name).baseUrl));
  await fleet.migrate();
  await fleet.start('control', 'worker', 'gateway-0');
  const operator = await fleet.operator();
  ({ api } = operator);
  ({ page } = await openTab(browser));
  await page.goto(operator.link ?? '');
  await page.getByLabel('Your name').fill('Ada Byron');
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Create a passkey' }).click();
  await page.getByLabel('I have kept the codes').check();
  await page.getByRole('button', { name: 'Go to Cordon' }).click();
  await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
  const channel = { kind: 'chat' as const, name: 'incidents', url: hook.url, privateAddresses: ['127.0.0.1'] };
  taken(await api.POST('/api/v1/channels', { body: channel }));
  for (const [app, config] of [
    ['okta', { domain: 'meridian.okta.com' }],
    ['slack', {}],
  ] as const) {
    const credential = { kind: 'bearer' as const, token: estate.app(app).credential.secret };
    const at = { baseUrl: tools.get(app)?.url ?? '', privateAddresses: ['127.0.0.1'], everyMinutes: null };
    taken(await api.POST('/api/v1/connections', { body: { app, name: `${app}-main`, config, credential, ...at } }));
  }
  [gate, look] = [new pg.Client(fleet.databaseUrl), new pg.Client(fleet.databaseUrl)];
  await Promise.all([gate.connect(), look.connect()]);
}, SETUP_MS_MAX);
afterAll(async () => {
  await Promise.all([gate?.end(), look?.end()]);
  await browser?.close();
  await Promise.all([fleet?.stop(), estate?.stop(), hook?.stop(), ...[...tools.values()].map((one) => one.stop())]);
});

/** As Ada, in her session: approvals are of people. */
async function asAda(path: string, body: unknown): Promise<number> {
  return page.evaluate(
    async ([to, sent]) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(to, { method: 'POST', headers, body: JSON.stringify(sent) })).status;
    },
    [path, body] as const,
  );
}

interface Run {
  readonly name: string;
  readonly id: string;
  readonly integrationId: string;
  readonly personId: string;
}

const DESCRIPTION = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Records', version: '1' },
  paths: { '/records': { get: { operationId: 'records.list', responses: { 200: { description: 'made up' } } } } },
});

/** Everything that a playbook may be about, for one run alone. */
async function world(
  tag: string,
): Promise<{ inputs: Record<string, string>; integrationId: string; personId: string }> {
  const name = `for-${tag}`;
  const upstream = { upstream: hook.url, plaintext: 'allow' as const, privateAddresses: ['127.0.0.1'] };
  const app = taken(await api.POST('/api/v1/apps', { body: { name, ...upstream } }));
  const params = { path: { id: app.id } };
  taken(await api.PUT('/api/v1/apps/{id}/description', { params, body: { document: DESCRIPTION } }));
  const purpose = 'reads records in a test';
  const made = taken(
    await api.POST('/api/v1/integrations', { body: { name, purpose, kind: 'service', assurance: 'm0' } }),
  );
  const select = [{ kind: 'operations' as const, ids: ['records.list'] }];
  const grant = { integrationId: made.id, appId: app.id, name: 'default', select, resourceScope: [], expiresAt: null };
  taken(await api.POST('/api/v1/grants', { body: grant }));
  const email = `${name}@example.com`;
  const person = taken(await api.POST('/api/v1/people', { body: { name, email, roles: ['auditor'] } }));
  const inputs = {
    __integration__: name,
    __person__: email,
    __app__: name,
    __host__: 'host.example',
    __subprocessor__: 'Elsewhere Inc.',
  };
  return { inputs, integrationId: made.id, personId: person.person.id };
}

async function begin(playbook: { id: string; name: string }, needs: readonly string[], tag: string): Promise<Run> {
  const { inputs, ...about } = await world(tag);
  const given = Object.fromEntries(Object.entries(inputs).filter(([name]) => needs.includes(name)));
  const opened = taken(await api.POST('/api/v1/cases', { body: { title: playbook.name, severity: 'high' } }));
  const body = { playbook: playbook.id, inputs: given, caseId: opened.id };
  const { id } = taken(await api.POST('/api/v1/playbook-runs', { body }));
  expect(await asAda(`/api/v1/playbook-runs/${id}/decision`, { approve: true, reason: 'tested' })).toBe(200);
  return { name: playbook.name, id, ...about };
}

const actsOf = async (id: string) =>
  (
    await look.query<{
      key: string;
      status: string;
      command: string;
      input: { fields?: { name: string; type: string }[] };
    }>(`select key, status, command, input from playbook_act where run_id = $1 and kind <> 'control' order by key`, [
      id,
    ])
  ).rows;
const statusOf = async (id: string): Promise<string> =>
  (await look.query<{ status: string }>('select status from playbook_run where id = $1', [id])).rows[0]?.status ?? '';

/** Answers what people are asked. Whether the run is over. */
async function attend({ id }: Run): Promise<boolean> {
  for (const act of await actsOf(id)) {
    expect(act.status, `${id}: ${act.command} is doubtful`).not.toBe('doubtful');
    if (act.status !== 'waiting-person') continue;
    const fields = act.input.fields ?? [];
    const values = Object.fromEntries(fields.map(({ name, type }) => [name, type === 'bool' ? 'true' : 'accept']));
    const answer = { act: act.key, done: true, values };
    expect([act, await asAda(`/api/v1/playbook-runs/${id}/answer`, answer)]).toEqual([act, 200]);
  }
  return !['running', 'waiting', 'proposed'].includes(await statusOf(id));
}

interface Held {
  readonly pid: number;
  readonly act: number;
}
const held = async (): Promise<Held[]> =>
  (
    await look.query<Held>(
      `select waits.pid, (case when mine.objid::bigint > 2147483647 then mine.objid::bigint - 4294967296
         else mine.objid::bigint end)::int as act
       from pg_locks waits join pg_locks mine on mine.pid = waits.pid and mine.locktype = 'advisory' and mine.classid = ${ACT}
       where waits.locktype = 'advisory' and waits.classid = ${GATE} and not waits.granted`,
    )
  ).rows;

/** Lets the worker go on until no more can happen, then kills it with what it holds. How many acts it was killed in. */
async function round(open: Map<string, Run>): Promise<number> {
  let [before, since] = ['', Date.now()];
  for (;;) {
    for (const one of open.values()) if (await attend(one)) open.delete(one.id);
    const now = await held();
    const picture = JSON.stringify([now.map(({ act }) => act).toSorted((a, b) => a - b), [...open.keys()].length]);
    if (picture !== before) [before, since] = [picture, Date.now()];
    if (open.size === 0 && now.length === 0) return 0;
    if (now.length > 0 && Date.now() - since > STILL_MS) {
      await fleet.kill('worker');
      // Nobody waits for these writes any more; they must not happen after all.
      const last = await held();
      for (const { pid, act } of last) {
        await look.query('insert into test_passed values ($1) on conflict do nothing', [act]);
        await look.query('select pg_terminate_backend($1)', [pid]);
      }
      await fleet.start('worker');
      return new Set(last.map(({ act }) => act)).size;
    }
    await new Promise((done) => {
      setTimeout(done, LOOK_MS);
    });
  }
}

/** How many messages have arrived when no more do. */
async function settled(): Promise<number> {
  for (;;) {
    const count = hook.seen.length;
    await new Promise((done) => {
      setTimeout(done, 3 * STILL_MS);
    });
    if (hook.seen.length === count) return count;
  }
}

async function auditOf(runs: readonly Run[]): Promise<string[][]> {
  return Promise.all(
    runs.map(async ({ name, integrationId, personId }) => {
      const { rows } = await look.query<{ action: string }>(
        `select action from audit_trail where target_id = any($1) and action not like '%.created' order by action`,
        [[integrationId, personId]],
      );
      return [name, ...rows.map(({ action }) => action)];
    }),
  );
}

const place = (kind: string, n: number): string =>
  `${kind}--7d0a5a3e-0d5c-4f51-9a51-6a1e1f0e7${String(n).padStart(3, '0')}`;

/** Suspends somebody in Okta, and tells a channel. */
async function toolPlaybook(): Promise<{ id: string; name: string }> {
  const okta = estate.app('okta');
  const auth = { authorization: `${okta.credential.scheme} ${okta.credential.secret}` };
  const users = (await (await fetch(`${okta.baseUrl}/api/v1/users`, { headers: auth })).json()) as {
    id: string;
    status: string;
  }[];
  const user = users.find(({ status }) => status === 'ACTIVE')?.id ?? '';
  const commands = [
    { command: 'connector.act', args: { app: 'okta', action: 'suspend-user', user } },
    { command: 'message.chat', args: { channel: 'incidents', text: 'Somebody was suspended.' } },
  ];
  const agent = place('security-category', 3);
  const workflow = Object.fromEntries(
    commands.map(({ command, args }, at) => [
      place('action', 10 + at),
      {
        type: 'action',
        name: command,
        commands: [{ type: 'cordon', command, version: '1', arguments: args }],
        agent,
        on_success: at + 1 < commands.length ? place('action', 11 + at) : place('end', 1),
      },
    ]),
  );
  const document = {
    type: 'playbook',
    spec_version: 'cacao-2.0',
    id: place('playbook', 0),
    name: 'Acts in tools',
    created_by: place('identity', 4),
    created: '2026-11-23T00:00:00.000Z',
    modified: '2026-11-23T00:00:00.000Z',
    workflow_start: place('start', 2),
    workflow: {
      [place('start', 2)]: { type: 'start', on_completion: place('action', 10) },
      ...workflow,
      [place('end', 1)]: { type: 'end' },
    },
    agent_definitions: { [agent]: { type: 'security-category', name: 'Cordon', category: ['aaa'] } },
  };
  taken(await api.PUT('/api/v1/playbooks/{id}', { params: { path: { id: document.id } }, body: document }));
  return document;
}

test('killed while every ready playbook is under way, the worker ends each as an undisturbed one does', async () => {
  const began = Date.now();
  const { items } = taken(await api.GET('/api/v1/playbooks'));
  const ready = items.filter(({ origin }) => origin === 'product');
  expect(ready).toHaveLength(20);
  const tool = await toolPlaybook();
  const needs = new Map<string, string[]>();
  for (const { id } of ready) {
    const { inputs } = taken(await api.GET('/api/v1/playbooks/{id}', { params: { path: { id } } }));
    needs.set(
      id,
      inputs.filter(({ value }) => value === null).map(({ name }) => name),
    );
  }
  const startAll = async (world: string): Promise<Run[]> => {
    const runs: Run[] = [];
    for (const [at, one] of ready.entries()) runs.push(await begin(one, needs.get(one.id) ?? [], `${world}-${at}`));
    return runs;
  };
  const calm = await startAll('calm');
  await eventually(async () => {
    const left: string[] = [];
    for (const one of calm) if (!(await attend(one))) left.push(`${one.name}: ${JSON.stringify(await actsOf(one.id))}`);
    expect(left).toEqual([]);
  }, CALM_MS_MAX);
  const told = await settled();
  await look.query(HOLD);
  await gate.query(`select pg_advisory_lock(${GATE}, 0)`);
  // Nothing may stand at the gate while others are still being made: the database ends a statement that waits long.
  await fleet.kill('worker');
  const killed = [...(await startAll('killed')), await begin(tool, [], 'killed-tool')];
  await fleet.start('worker');
  const open = new Map(killed.map((one) => [one.id, one]));
  let [kills, acts] = [0, 0];
  for (const since = Date.now(); Date.now() - since < KILLING_MS_MAX;) {
    const count = await round(open);
    if (count === 0) break;
    kills += 1;
    acts += count;
  }
  await gate.query(`select pg_advisory_unlock(${GATE}, 0)`);
  await eventually(async () => {
    for (const one of open.values()) if (await attend(one)) open.delete(one.id);
    expect([...open.values()]).toEqual([]);
  }, CALM_MS_MAX);
  const done = (await Promise.all(killed.map(({ id }) => actsOf(id))))
    .flat()
    .filter(({ command }) => command !== 'manual');
  process.stdout.write(
    `${kills} kills of the worker in ${acts} of ${done.length} acts of ${killed.length} runs, ${Math.round((Date.now() - began) / 1_000)} s\n`,
  );
  expect(acts).toBeGreaterThanOrEqual(ACTS_MIN);
  for (const [at, { id, name }] of killed.slice(0, calm.length).entries()) {
    expect([name, await statusOf(id)]).toEqual([name, 'succeeded']);
    expect([name, await actsOf(id).then((list) => list.map(({ key, status }) => `${key} ${status}`))]).toEqual([
      name,
      await actsOf(calm[at]?.id ?? '').then((list) => list.map(({ key, status }) => `${key} ${status}`)),
    ]);
  }
  // What was done to each integration and person stands once in the trail, as where nobody was killed.
  expect(await auditOf(killed.slice(0, calm.length))).toEqual(await auditOf(calm));
  // At the tools: one suspension, and as many messages as the calm runs sent, and the tool playbook's one.
  expect(tools.get('okta')?.seen.filter((line) => line.includes('/lifecycle/suspend'))).toHaveLength(1);
  await eventually(async () => expect(hook.seen.length).toBeGreaterThanOrEqual(2 * told + 1), WAIT_MS_MAX);
  expect(hook.seen.length).toBe(2 * told + 1);
}, 900_000);
