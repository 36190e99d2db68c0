import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { gunzipSync } from 'node:zlib';
import {
  createForwardCommands,
  detectionMigrations,
  type ForwardCommands,
  type ForwardInput,
  forwardInput,
  listForwards,
} from '@cordon/detection';
import { signAws } from '@cordon/gateway';
import { type Actor, createSecretEnvelope, kernelMigrations, migrate, systemClock } from '@cordon/kernel';
import { createTestDatabase, createTestLogger, type TestDatabase } from '@cordon/kernel/testing';
import { checkQuery } from '@cordon/lake';
import { createTestLake, sampleCall, type TestLake } from '@cordon/lake/testing';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startForwarding } from './forward-duties.ts';

const KEY = Buffer.alloc(32, 5);
const EVENTS = 60;
const WAIT = { timeout: 60_000, interval: 50 };
const ada: Actor = { kind: 'person', id: 'p1', name: 'Ada', roles: ['security'] };
const envelope = createSecretEnvelope({ keys: [KEY] });
const logger = createTestLogger();
const private4 = { privateAddresses: ['127.0.0.1'], from: 0 };
const ids = Array.from({ length: EVENTS }, (_, index) => `01930000-0000-7000-8000-${String(index).padStart(12, '0')}`);

let data: TestDatabase;
let lake: TestLake;
let commands: ForwardCommands;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  data = await createTestDatabase();
  await migrate(data.db, [kernelMigrations, detectionMigrations]);
  const check = (query: string): void => checkQuery({ query }, 0);
  commands = createForwardCommands({ db: data.db, clock: systemClock, envelope, checkQuery: check });
  lake = await createTestLake();
  const now = systemClock.now();
  const events = ids.map((id, index) =>
    sampleCall({
      id,
      time: now - index * 60_000,
      app: index % 3 === 0 ? { id: 'app-slack', name: 'Slack' } : { id: 'app-github', name: 'GitHub' },
    }),
  );
  // Three inserts, so that ingest times differ and pages end within one.
  for (let at = 0; at < EVENTS; at += 20) await lake.lake.ingest({ id: `b${at}`, events: events.slice(at, at + 20) });
}, 120_000);
afterAll(async () => {
  await lake.close();
  await data.drop();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  for (const { id } of await listForwards(data.db)) await commands.remove(ada, id);
});

const add = (input: unknown) => commands.add(ada, forwardInput.parse(input) satisfies ForwardInput);
const onlyTarget = async () => (await listForwards(data.db))[0];

function start(): void {
  const duties = startForwarding({
    db: data.db,
    lake: lake.lake,
    envelope,
    clock: systemClock,
    logger,
    settleMs: 0,
    batchEvents: 7,
  });
  closing.push(() => duties.stop());
}

interface Received {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function startSink(answer: (got: Received, count: number) => { status: number; body?: string } | null) {
  const got: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        method: request.method ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      got.push(one);
      const said = answer(one, got.length);
      if (said) response.writeHead(said.status).end(said.body ?? '');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { got, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }; // listening on TCP
}

const uidsOf = (text: string): string[] =>
  [...text.matchAll(/"uid":"(01930000-[0-9a-f-]+)"/g)].map(([, uid]) => uid ?? '');

test('Splunk gets every event of the search, with its token, and a busy answer is tried again', async () => {
  const sink = await startSink((_got, count) => ({ status: count === 2 ? 503 : 200, body: '{"code":0}' }));
  await add({
    name: 'hec',
    kind: 'splunk',
    query: 'app:slack',
    secret: 'hec-token',
    settings: { url: `${sink.origin}/services/collector/event` },
    ...private4,
  });
  start();
  await vi.waitFor(async () => expect(await onlyTarget()).toMatchObject({ sent: 20, failures: 0 }), WAIT);
  const uids = sink.got.flatMap(({ body }) => uidsOf(body.toString()));
  expect(new Set(uids)).toEqual(new Set(ids.filter((_id, index) => index % 3 === 0)));
  expect(sink.got.map(({ headers }) => headers.authorization)).toEqual(sink.got.map(() => 'Splunk hec-token'));
  const row = await data.db
    .tables<{ forward_target: { sealed: string } }>()
    .selectFrom('forward_target')
    .selectAll()
    .executeTakeFirstOrThrow();
  expect(JSON.stringify(row)).not.toContain('hec-token');
});

test('Elastic: one document that never fits is counted and the rest goes on', async () => {
  const sink = await startSink(({ body }) => {
    const items = uidsOf(body.toString()).map((_id) => _id);
    const answers = items.map((id) => ({
      create: {
        _id: id,
        status: id === ids[4] ? 400 : 201,
        ...(id === ids[4] && { error: { type: 'mapper', reason: 'no' } }),
      },
    }));
    return { status: 200, body: JSON.stringify({ errors: true, items: answers }) };
  });
  await add({
    name: 'es',
    kind: 'elastic',
    secret: 'a2V5',
    settings: { url: sink.origin, index: 'cordon' },
    ...private4,
  });
  start();
  await vi.waitFor(async () => expect(await onlyTarget()).toMatchObject({ sent: EVENTS - 1, refused: 1 }), WAIT);
  expect((await onlyTarget())?.lastRefusal).toContain(ids[4]);
  expect(new Set(sink.got.flatMap(({ body }) => uidsOf(body.toString())))).toEqual(new Set(ids));
});

test('S3 gets signed objects that hold every event', async () => {
  const sink = await startSink(() => ({ status: 200 }));
  await add({
    name: 's3',
    kind: 's3',
    secret: 'sk',
    settings: { endpoint: sink.origin, region: 'eu-1', bucket: 'bucket', prefix: 'cordon', accessKeyId: 'ak' },
    ...private4,
  });
  start();
  await vi.waitFor(async () => expect(await onlyTarget()).toMatchObject({ sent: EVENTS, lastError: null }), WAIT);
  expect(new Set(sink.got.flatMap(({ body }) => uidsOf(gunzipSync(body).toString())))).toEqual(new Set(ids));
  const [first] = sink.got;
  const names = ['host', 'x-amz-content-sha256', 'x-amz-date'] as const;
  const date = String(first?.headers['x-amz-date']);
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const expected = signAws(
    {
      method: 'PUT',
      path: first?.path ?? '',
      headers: names.map((name) => [name, String(first?.headers[name])] as const),
      payloadHash: String(first?.headers['x-amz-content-sha256']),
    },
    { accessKeyId: 'ak', secretAccessKey: 'sk' },
    { region: 'eu-1', service: 's3', now: at, literalPath: true },
  );
  expect(first?.headers.authorization).toBe(expected);
});

test('syslog over TCP: a connection that breaks off before its end loses nothing', async () => {
  let text = '';
  let connections = 0;
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    if (connections === 1) return socket.destroy();
    let mine = '';
    socket.on('data', (chunk) => (mine += chunk.toString()));
    socket.on('end', () => {
      text += mine;
      socket.end();
    });
    return socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo; // listening on TCP
  await add({ name: 'cef', kind: 'syslog', settings: { host: '127.0.0.1', port, transport: 'tcp' }, ...private4 });
  start();
  await vi.waitFor(async () => expect(await onlyTarget()).toMatchObject({ sent: EVENTS, failures: 0 }), WAIT);
  expect(new Set([...text.matchAll(/externalId=(\S+)/g)].map(([, id]) => id))).toEqual(new Set(ids));
});

test('a target that refuses is seen with its error and stands still; a person’s pause holds', async () => {
  const sink = await startSink(() => ({ status: 401, body: 'bad key' }));
  const { id } = await add({ name: 'hook', kind: 'webhook', secret: 'k', settings: { url: sink.origin }, ...private4 });
  start();
  await vi.waitFor(async () => expect((await onlyTarget())?.failures).toBeGreaterThan(1), WAIT);
  expect(await onlyTarget()).toMatchObject({
    status: 'failing',
    sent: 0,
    position: { at: 0, id: '' },
    lastError: 'The target answered 401: bad key',
  });
  await commands.change(ada, id, { status: 'paused' });
  expect(await onlyTarget()).toMatchObject({ status: 'paused' });
});

test.each([
  ['an address that was not listed', { url: 'http://127.0.0.1:9/x' }, []],
  ['plain HTTP to a name', { url: 'http://siem.example.com/x' }, ['10.0.0.1']],
])('%s is refused when the target is made', async (_name, settings, privateAddresses) => {
  const made = add({ name: 'bad', kind: 'webhook', secret: 'k', settings, privateAddresses });
  await expect(made).rejects.toThrow('Without TLS');
});

test('a private address behind HTTPS is refused when it is sent to', async () => {
  await add({ name: 'inner', kind: 'webhook', secret: 'k', settings: { url: 'https://10.1.2.3/x' }, from: 0 });
  start();
  await vi.waitFor(async () => expect((await onlyTarget())?.lastError).toContain('private'), WAIT);
});

test('a worker that is killed in the middle of a batch has forwarded nothing less afterwards', async () => {
  let isHanging = true;
  const sink = await startSink((_got, count) => (isHanging && count >= 3 ? null : { status: 200 }));
  await add({ name: 'hook', kind: 'webhook', secret: 'k', settings: { url: sink.origin }, ...private4 });
  const module = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const script = `
    import { createSecretEnvelope, createLogger, openDatabase, systemClock } from '@cordon/kernel';
    import { openLake } from '@cordon/lake';
    import { startForwarding } from ${module('./forward-duties.ts')};
    const [url, lakeUrl, password] = process.argv.slice(1);
    const logger = createLogger({ role: 'forward-test', level: 'error' });
    const db = openDatabase({ url, logger });
    const lake = await openLake({ url: lakeUrl, password, logger, clock: systemClock });
    startForwarding({ db, lake, envelope: createSecretEnvelope({ keys: [Buffer.alloc(32, 5)] }), clock: systemClock, logger, settleMs: 0, batchEvents: 7 });
  `;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, data.url, lake.process.url, lake.password],
    { stdio: 'inherit', cwd: new URL('../..', import.meta.url).pathname },
  );
  const exited = once(child, 'exit');
  closing.push(async () => void (child.exitCode === null && child.kill('SIGKILL')));
  // The third batch is at the sink, and the worker doesn't know.
  await vi.waitFor(() => expect(sink.got.length).toBe(3), WAIT);
  expect(await onlyTarget()).toMatchObject({ sent: 14 });
  child.kill('SIGKILL');
  await exited;
  isHanging = false;
  start();
  await vi.waitFor(async () => expect(await onlyTarget()).toMatchObject({ sent: EVENTS }), WAIT);
  const uids = sink.got.flatMap(({ body }) => uidsOf(body.toString()));
  expect(new Set(uids)).toEqual(new Set(ids));
  // The batch that was under way came twice, under one id that tells it is the same.
  expect(uids.length).toBe(EVENTS + 7);
  expect(sink.got[3]?.headers['webhook-id']).toBe(sink.got[2]?.headers['webhook-id']);
}, 120_000);
