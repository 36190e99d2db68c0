import http from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createFakeClock } from '@cordon/kernel/testing';
import { definitionHash, getEntry } from '@cordon/policy';
import { sampleEntry } from '@cordon/policy/testing';
import { afterEach, beforeAll, afterAll, expect, test } from 'vitest';
import { startTestGateway, TEST_TOKEN, type TestGateway } from '../testing.ts';
import { type EverythingServer, startEverythingServer } from './mcp-test-server.ts';

/** The official client and reference server, with a front between gateway and server that fails as it is told. */

const breaker = { mode: 'on', callsMin: 4, failurePercent: 50, windowMs: 10_000, openMs: 5_000 } as const;
const clock = createFakeClock();
let server: EverythingServer;
let definitions: Record<string, unknown>[];
let front: http.Server;
let gateway: TestGateway;
let client: Client;
/** What the front answers next to messages with these methods; 0 breaks the connection. */
let faults: { method: string; status: number }[] = [];
/** Methods and tokens of the messages that came to the front. */
let seen: { method: string; authorization: string | undefined }[] = [];

async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding was set
  return Buffer.concat(chunks);
}

async function onward(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = await readBody(request);
  const method =
    body.length === 0 ? request.method! : String((JSON.parse(body.toString('utf8')) as { method?: string }).method); // a server request has one
  seen.push({ method, authorization: request.headers.authorization });
  const at = faults.findIndex((fault) => fault.method === method);
  if (at !== -1) {
    const status = faults.splice(at, 1)[0]?.status ?? 0;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end();
    return;
  }
  const next = http.request(server.url, { method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  next.on('error', () => response.destroy());
  response.on('close', () => next.destroy());
  next.end(body);
}

beforeAll(async () => {
  server = await startEverythingServer({});
  const direct = new Client({ name: 'agent', version: '1.0.0' });
  await direct.connect(new StreamableHTTPClientTransport(new URL(server.url)));
  definitions = (await direct.listTools()).tools;
  await direct.close();
}, 40_000);
afterAll(() => server?.stop());

async function start(resilience: object, app: object = {}): Promise<void> {
  faults = [];
  front = http.createServer((request, response) => void onward(request, response));
  await new Promise<void>((resolve) => {
    front.listen(0, '127.0.0.1', resolve);
  });
  const address = front.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const entries = definitions
    .filter(({ name }) => name === 'echo' || name === 'get-sum')
    .map((definition) => {
      const name = String(definition['name']);
      const entry = sampleEntry('mcp-item', {
        id: name,
        name,
        sha256: definitionHash(definition),
        access: name === 'echo' ? 'read' : 'write',
      });
      return [`mcp-item:${name}`, entry];
    });
  gateway = await startTestGateway({
    upstream: `http://127.0.0.1:${port}/mcp`,
    app: { name: 'everything', mcp: {}, resilience, ...app },
    entries: Object.fromEntries(entries) as Record<string, unknown>,
    deps: { clock },
    limits: { drainMs: 200 },
    config: { stalenessMsMax: 600_000 },
  });
  client = new Client({ name: 'agent', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/everything`), {
    requestInit: { headers: { authorization: `Bearer ${TEST_TOKEN}` } },
  });
  await client.connect(transport);
  // The gateway has asked for the tools by now, so that calls below are calls alone.
  await client.callTool({ name: 'echo', arguments: { message: 'first' } });
  await expect.poll(() => seen.some(({ method }) => method === 'DELETE')).toBe(true);
  seen = [];
}

afterEach(async () => {
  await client?.close();
  await gateway?.stop();
  front?.closeAllConnections();
  front?.close();
});

const echo = () => client.callTool({ name: 'echo', arguments: { message: 'hello' } });
const sum = () => client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } });
const times = (method: string): number => seen.filter((one) => one.method === method).length;

test.each([
  ['a tool that reads', 'tools/call', [503, 0], 3, () => echo(), 'fulfilled'],
  ['a list', 'tools/list', [502], 2, () => client.listTools(), 'fulfilled'],
  ['a tool that writes', 'tools/call', [503], 1, () => sum(), 'rejected'],
  ['a tool that writes, on a broken connection', 'tools/call', [0], 1, () => sum(), 'rejected'],
  ['more failures than may be repeated', 'tools/call', [503, 503, 503, 503], 3, () => echo(), 'rejected'],
])('%s: %s after %j is sent %i times', async (_what, method, statuses, sent, work, expected) => {
  await start({});
  faults = statuses.map((status) => ({ method, status }));
  const [outcome] = await Promise.allSettled([work()]);
  expect(outcome.status).toBe(expected);
  expect(times(method)).toBe(sent);
});

test('repeats end with their budget', async () => {
  await start({ breaker: { mode: 'off' }, retryPercent: 0 });
  faults = Array.from({ length: 500 }, () => ({ method: 'tools/call', status: 503 }));
  for (let count = 0; count < 20; count++) await expect(echo()).rejects.toThrow(/answered 503/);
  expect(times('tools/call')).toBe(20 + 10);
});

test('a failing server is left alone, asked once more, and serves again', async () => {
  await start({ retriesMax: 0, breaker });
  faults = Array.from({ length: 4 }, () => ({ method: 'tools/call', status: 500 }));
  for (let count = 0; count < 4; count++) await expect(sum()).rejects.toThrow(/answered 500/);
  seen = [];
  await expect(sum()).rejects.toThrow(/upstream_suspended|left alone/);
  expect(seen).toEqual([]);
  clock.advance(5_000);
  expect((await sum()).content).toMatchObject([{ text: expect.stringContaining('3') }]);
});

test('a message that goes to the server twice has one place there, and gives it back', async () => {
  await start({ concurrencyMax: 2 });
  // The stream on which the server speaks of itself has the other place.
  clock.advance(120_000);
  for (let count = 0; count < 3; count++) expect((await echo()).content).toMatchObject([{ text: 'Echo: hello' }]);
  expect(times('tools/list')).toBe(1);
});

const renewable = (generation: number) => ({
  kind: 'bearer' as const,
  sealed: gateway.envelope.seal(`token-${generation}`, 'credential:app-1'),
  renewal: { id: 'cred-1', generation },
});

test('a token that the server refuses is renewed, and the call that reads is repeated with the new one', async () => {
  await start({});
  const app = getEntry(gateway.control.snapshot.entries, 'app', 'app-1');
  const give = async (generation: number): Promise<void> => {
    gateway.control.publish({ set: { 'app:app-1': { ...app, credential: renewable(generation) } } });
    await expect.poll(() => gateway.gateway.health().version).toBe(gateway.control.snapshot.version);
  };
  await give(1);
  gateway.control.onRenew = () => {
    void give(2);
    return 'renewed';
  };
  seen = [];
  faults = [{ method: 'tools/call', status: 401 }];
  expect((await echo()).content).toMatchObject([{ text: 'Echo: hello' }]);
  const calls = seen.filter(({ method }) => method === 'tools/call').map(({ authorization }) => authorization);
  expect(calls).toEqual(['Bearer token-1', 'Bearer token-2']);
  const events = await gateway.events();
  expect(JSON.stringify(events)).toContain('credential-renewed');
});

test('a server that resolves to a private address is not reached', async () => {
  await start({});
  const app = getEntry(gateway.control.snapshot.entries, 'app', 'app-1');
  gateway.control.publish({
    set: { 'app:app-1': { ...app, upstream: 'http://localhost:9/mcp', privateAddresses: [] } },
  });
  await expect.poll(() => gateway.gateway.health().version).toBe(gateway.control.snapshot.version);
  await expect(echo()).rejects.toThrow(/private, loopback/);
});
