import { once } from 'node:events';
import { appendFile, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyValue } from '@opentelemetry/api';
import { OTLPLogExporter as OTLPJsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from './harness/free-ports.ts';
import { type FakeVendor, startVendor } from './harness/fake-vendor.ts';
import { addIntegration, addNotesApp, eventually, taken } from './harness/notes-integration.ts';
import { type RunningCordon, startCordon } from './harness/running-cordon.ts';

/** Vendor events in, search and alerts out, on the running program; restarts and kills in between. */

const SEEN_MS_MAX = 30_000;
/** The product's own measure from the arrival of an event to its alert; the design says seconds. */
const DELAY_MS_MAX = 5_000;
const RECOVERY_MS_MAX = 60_000;

let cordon: RunningCordon;
let vendor: FakeVendor;
let hook: Server;
let logs: string;
const told: { alert_id: string; title: string }[] = [];

beforeAll(async () => {
  logs = await realpath(await mkdtemp(join(tmpdir(), 'cordon-logs-')));
  [cordon, vendor] = [await startCordon({ env: { CORDON_COLLECT_FOLDERS: logs } }), await startVendor()];
  hook = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      told.push(JSON.parse(Buffer.concat(chunks).toString()) as { alert_id: string; title: string });
      // The first delivery fails: what is due stays due.
      response.writeHead(told.length === 1 ? 500 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
});
afterAll(async () => {
  await cordon?.stop();
  await vendor?.stop();
  hook?.close();
  if (logs) await rm(logs, { recursive: true, force: true });
});

function lockOf(uuid: string, login: string): Record<string, unknown> {
  return {
    uuid,
    published: new Date().toISOString(),
    eventType: 'user.account.lock',
    displayMessage: 'Max sign in attempts exceeded',
    actor: { id: `id-${login}`, type: 'User', alternateId: login, displayName: login },
    client: { ipAddress: '198.51.100.7' },
    outcome: { result: 'FAILURE' },
    target: [{ id: `id-${login}`, type: 'User', alternateId: login }],
  };
}

/** An event that no rule has anything to say about. */
function signOutOf(uuid: string, login: string): Record<string, AnyValue> {
  return { ...lockOf(uuid, login), eventType: 'user.session.end', outcome: { result: 'SUCCESS' } };
}

async function addSource(name: string, product: string): Promise<{ id: string; credential: string }> {
  const { source, credential } = taken(await cordon.api.POST('/api/v1/sources', { body: { name, product } }));
  return { id: source.id, credential };
}

async function deliver(
  path: string,
  credential: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  base = cordon.url,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, ...headers },
    body,
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function found(query: string): Promise<number> {
  return taken(await cordon.api.GET('/api/v1/events', { params: { query: { query, limit: 1_000 } } })).items.length;
}

async function alertsOf(rule: string) {
  return taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { rule } } })).items;
}

test('a vendor event is found and raises one alert within seconds, however it comes and how often', async () => {
  const { port } = hook.address() as AddressInfo; // a TCP server has one
  const target = { name: 'hook', url: `http://127.0.0.1:${port}/x`, privateAddresses: ['127.0.0.1'] };
  taken(await cordon.api.POST('/api/v1/notification-targets', { body: { ...target, levelMin: 'low' } }));
  const { credential } = await addSource('okta-main', 'okta');
  const event = JSON.stringify(lockOf('e2e-lock-1', 'ada@example.com'));
  expect(await deliver('/ingest/v1/events', credential, event)).toEqual({
    status: 200,
    body: { accepted: 1, duplicates: 0, dead_letters: 0 },
  });
  // Acknowledged means on disk: no waiting here.
  expect(await found('product:okta ada@example.com')).toBe(1);
  const [alert] = await alertsOf('okta.account-locked');
  expect(alert).toMatchObject({ status: 'open', signals: 1, entity: { type: 'person', id: 'ada@example.com' } });
  expect(alert?.delayMs).toBeLessThan(DELAY_MS_MAX);
  // The same again, in other envelopes: counted once.
  expect((await deliver('/ingest/v1/events', credential, `[${event}]`)).body).toMatchObject({ duplicates: 1 });
  const hec = await deliver(
    '/services/collector/event',
    credential,
    JSON.stringify({ event: JSON.parse(event) as unknown }),
  );
  expect(hec).toMatchObject({ status: 200, body: { code: 0, accepted: 0, duplicates: 1 } });
  expect(await found('product:okta ada@example.com')).toBe(1);
  expect((await alertsOf('okta.account-locked')).map(({ signals }) => signals)).toEqual([1]);
  // Told once: the first try was answered with 500.
  await eventually(async () => expect(told.length).toBe(2), SEEN_MS_MAX);
  expect(told[1]).toMatchObject({ alert_id: alert?.id });
});

test('a wrong credential, a paused source and no body are refused', async () => {
  const { id, credential } = await addSource('okta-paused', 'okta');
  expect((await deliver('/ingest/v1/events', 'cns_nothing', '{}')).status).toBe(401);
  expect((await deliver('/services/collector/event', 'nothing', '{}')).body).toMatchObject({ code: 4 });
  expect((await deliver('/ingest/v1/events', credential, ' ')).status).toBe(400);
  const params = { path: { id } };
  taken(await cordon.api.PATCH('/api/v1/sources/{id}', { params, body: { status: 'paused' } }));
  expect((await deliver('/ingest/v1/events', credential, '{}')).status).toBe(403);
});

test('what no event can be made of is kept, and becomes an event once the parser is right', async () => {
  const { id, credential } = await addSource('misnamed', 'slack');
  const event = JSON.stringify(lockOf('e2e-misnamed-1', 'eve@example.com'));
  const answer = await deliver('/ingest/v1/events', credential, `${event}\nnot json`);
  expect(answer.status).toBe(200);
  const params = { path: { id } };
  const letters = taken(await cordon.api.GET('/api/v1/sources/{id}/dead-letters', { params })).items;
  expect(letters.map(({ raw }) => raw)).toContain('not json');
  expect(answer.body).toMatchObject({ dead_letters: letters.length });
  taken(await cordon.api.PATCH('/api/v1/sources/{id}', { params, body: { product: 'okta' } }));
  taken(await cordon.api.POST('/api/v1/sources/{id}/dead-letters/replay', { params }));
  await eventually(async () => {
    const left = taken(await cordon.api.GET('/api/v1/sources/{id}/dead-letters', { params })).items;
    expect(left).toMatchObject([{ raw: 'not json', status: 'waiting', attempts: 2 }]);
  }, SEEN_MS_MAX);
  expect(await found('product:okta eve@example.com')).toBe(1);
});

test('syslog and a growing file are collected, and what can not be is said', async () => {
  const port = await freePorts(1);
  const peers = ['127.0.0.0/8'];
  const syslog = { kind: 'syslog' as const, transport: 'tcp' as const, port, peers };
  const body = { name: 'appliances', product: 'syslog', collect: syslog };
  taken(await cordon.api.POST('/api/v1/sources', { body }));
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end('<38>1 2026-11-23T10:00:00Z bastion sshd 411 - - Failed publickey for e2e-syslog-ada\n');
  }, SEEN_MS_MAX);
  await eventually(async () => expect(await found('e2e-syslog-ada')).toBeGreaterThan(0), SEEN_MS_MAX);

  const path = join(logs, 'okta.ndjson');
  await writeFile(path, `${JSON.stringify(signOutOf('e2e-file-1', 'file-ada@example.com'))}\n`);
  const file = { name: 'okta-file', product: 'okta', collect: { kind: 'file' as const, path } };
  taken(await cordon.api.POST('/api/v1/sources', { body: file }));
  await eventually(async () => expect(await found('file-ada@example.com product:okta')).toBe(1), SEEN_MS_MAX);
  await appendFile(path, `${JSON.stringify(signOutOf('e2e-file-2', 'file-ada@example.com'))}\n`);
  await eventually(async () => expect(await found('file-ada@example.com product:okta')).toBe(2), SEEN_MS_MAX);

  const secret = { kind: 'file' as const, path: join(cordon.dataDir, 'kek') };
  taken(await cordon.api.POST('/api/v1/sources', { body: { name: 'thief', product: 'syslog', collect: secret } }));
  await eventually(async () => {
    const { items } = taken(await cordon.api.GET('/api/v1/sources'));
    expect(items.find(({ name }) => name === 'thief')?.collectError).toMatch(/outside the folders/);
  }, SEEN_MS_MAX);
});

test.each([
  ['protobuf', OTLPLogExporter],
  ['JSON', OTLPJsonLogExporter],
] as const)("OpenTelemetry's own exporter delivers logs as %s", async (encoding, Exporter) => {
  const name = `otel-${encoding.toLowerCase()}`;
  const { credential } = await addSource(name, 'okta');
  const exporter = new Exporter({ url: `${cordon.url}/v1/logs`, headers: { authorization: `Bearer ${credential}` } });
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  // A vendor's record as a structured body, and one as text.
  provider.getLogger('e2e').emit({ body: signOutOf(`${name}-1`, `${name}@example.com`) });
  provider.getLogger('e2e').emit({ body: JSON.stringify(signOutOf(`${name}-2`, `${name}@example.com`)) });
  await provider.forceFlush();
  await provider.shutdown();
  await eventually(async () => expect(await found(`${name}@example.com product:okta`)).toBe(2), SEEN_MS_MAX);
});

test('an integration that tries many operations it was not granted raises an alert', async () => {
  const app = await addNotesApp(cordon, vendor, 'probed');
  const many = {
    openapi: '3.1.0',
    info: { title: 'Many', version: '1' },
    paths: Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [
        `/things/${index}`,
        { get: { operationId: `things.${index}`, responses: { 200: { description: 'ok' } } } },
      ]),
    ),
  };
  const params = { path: { id: app } };
  const body = { document: JSON.stringify(many) };
  taken(await cordon.api.PUT('/api/v1/apps/{id}/description', { params, body }));
  const integration = await addIntegration(cordon, app, 'prober', ['things.0']);
  const token = await integration.token();
  const call = (index: number): Promise<Response> =>
    fetch(`${cordon.gateway}/probed/things/${index}`, { headers: { authorization: `Bearer ${token}` } });
  await eventually(async () => expect((await call(0)).status).toBe(200), SEEN_MS_MAX);
  for (let index = 1; index < 8; index++) expect((await call(index)).status).toBe(403);
  const [alert] = await eventually(async () => {
    const alerts = await alertsOf('cordon.scope-probing');
    expect(alerts).toHaveLength(1);
    return alerts;
  }, SEEN_MS_MAX);
  expect(alert).toMatchObject({ level: 'high', ruleKind: 'correlation', entity: { id: integration.id } });
  expect(alert?.delayMs).toBeLessThan(DELAY_MS_MAX);
});

test('an alert is worked on, closed, and stays quiet as long as was said', async () => {
  const alert = (await alertsOf('okta.account-locked')).find(({ entity }) => entity.id === 'ada@example.com');
  const params = { path: { id: alert?.id ?? '' } };
  taken(await cordon.api.PATCH('/api/v1/alerts/{id}', { params, body: { status: 'acknowledged', assignee: 'Ada' } }));
  const body = { reason: 'expected' as const, comment: 'she forgot it', quietUntil: Date.now() + 3_600_000 };
  taken(await cordon.api.POST('/api/v1/alerts/{id}/close', { params, body }));
  const { credential } = await addSource('okta-after', 'okta');
  for (const [uuid, login] of [
    ['after-1', 'ada@example.com'],
    ['after-2', 'bob@example.com'],
  ] as const) {
    await deliver('/ingest/v1/events', credential, JSON.stringify(lockOf(uuid, login)));
  }
  const after = await alertsOf('okta.account-locked');
  const open = after.filter(({ status }) => status === 'open').map(({ entity }) => entity.id);
  expect(open.toSorted()).toEqual(['bob@example.com', 'eve@example.com']);
  const shown = taken(await cordon.api.GET('/api/v1/alerts/{id}', { params }));
  expect(shown).toMatchObject({ status: 'closed', statusReason: 'expected', comments: [{ text: 'she forgot it' }] });
  expect(shown.timeline).toHaveLength(1);
});

test('kill -9 of the worker in the middle of ingest: every acknowledged event is there, once', async () => {
  const { credential } = await addSource('okta-killed', 'okta');
  const acknowledged: string[] = [];
  let sent = 0;
  const stop = new AbortController();
  const send = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const number = sent++;
      const ids = Array.from({ length: 20 }, (_, index) => `killed-${number}-${index}`);
      const body = ids.map((id) =>
        JSON.stringify({ ...lockOf(id, 'killed@example.com'), eventType: 'user.session.end' }),
      );
      // A sender keeps what was not acknowledged and sends it again.
      for (let done = false; !done;) {
        done = await deliver('/ingest/v1/events', credential, body.join('\n')).then(
          ({ status }) => status === 200,
          () => false,
        );
        if (stop.signal.aborted && !done) return;
      }
      acknowledged.push(...ids);
    }
  };
  const senders = [send(), send(), send()];
  try {
    for (let round = 0; round < 3; round++) {
      const goal = acknowledged.length + 100;
      await eventually(async () => expect(acknowledged.length).toBeGreaterThan(goal), RECOVERY_MS_MAX);
      const [pid] = await cordon.pids('worker');
      process.kill(pid ?? 0, 'SIGKILL');
    }
    const goal = acknowledged.length + 100;
    await eventually(async () => expect(acknowledged.length).toBeGreaterThan(goal), RECOVERY_MS_MAX);
  } finally {
    stop.abort();
    await Promise.all(senders);
  }
  const counts = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const query = {
      query: 'product:okta killed@example.com',
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const page = taken(await cordon.api.GET('/api/v1/events', { params: { query } }));
    for (const { event } of page.items) {
      const id = (event['metadata'] as { original_event_uid: string }).original_event_uid;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  const wrong = acknowledged.filter((id) => counts.get(id) !== 1);
  expect(wrong.slice(0, 5), `${wrong.length} of ${acknowledged.length}`).toEqual([]);
  expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
});

test('a restart doubles no alert, and correlations go on', async () => {
  const before = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { limit: 200 } } })).items;
  cordon = await cordon.restart();
  await eventually(async () => expect(cordon.log()).toContain('"msg":"detection runs"'), RECOVERY_MS_MAX);
  const after = taken(await cordon.api.GET('/api/v1/alerts', { params: { query: { limit: 200 } } })).items;
  const counted = (alerts: typeof after): string[] => alerts.map(({ id, signals }) => `${id} ${signals}`).toSorted();
  expect(counted(after)).toEqual(counted(before));
});
