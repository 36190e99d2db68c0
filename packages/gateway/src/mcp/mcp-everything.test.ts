import { createHash } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { definitionHash } from '@cordon/policy';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, TEST_TOKEN, type TestGateway, tokenHash } from '../testing.ts';
import { type EverythingServer, startEverythingServer } from './mcp-test-server.ts';

/** The official client against the official reference server, through the gateway. */

const SECRET = createHash('sha256').update('not a real secret').digest('base64');
const AWS_KEY = ['AKIA', 'Q3EGRIZ7WQJPOQ2A'].join('');
const OTHER_TOKEN = 'cordon_at_zyxwvutsrqponmlkjihgfedcba';
const SAMPLER_TOKEN = 'cordon_at_samplersamplersamplersample';
const GRANTED = ['echo', 'get-sum', 'get-structured-content', 'get-resource-links', 'trigger-long-running-operation'];

let server: EverythingServer;
let gateway: TestGateway;
let definitions: Record<string, unknown>[];

interface Connected {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
}

async function connect(url: string, token: string, capabilities = {}): Promise<Connected> {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { capabilities });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return { client, transport };
}

function itemEntry(definition: Record<string, unknown>, overrides = {}): [string, unknown] {
  const id = `item-${String(definition['name'])}`;
  const entry = sampleEntry('mcp-item', {
    id,
    kind: 'tool',
    name: String(definition['name']),
    sha256: definitionHash(definition),
    inputSchema: definition['inputSchema'] as Record<string, unknown>,
    ...overrides,
  });
  return [`mcp-item:${id}`, entry];
}

beforeAll(async () => {
  server = await startEverythingServer({ APP_API_TOKEN: SECRET, AWS_ACCESS_KEY_ID: AWS_KEY, HARMLESS: 'visible' });
  const direct = await connect(server.url, 'none');
  definitions = (await direct.client.listTools()).tools;
  const prompts = (await direct.client.listPrompts()).prompts;
  const { resources } = await direct.client.listResources();
  await direct.client.close();
  gateway = await startTestGateway({
    upstream: server.url,
    app: { name: 'everything', mcp: {}, unknownOperations: 'refuse' },
    grant: {
      select: [
        { kind: 'operations', ids: GRANTED },
        { kind: 'path', method: 'READ', path: '/resources/demo://resource/static/**' },
        { kind: 'path', method: 'GET', path: '/prompts/simple-*' },
      ],
    },
    entries: {
      ...Object.fromEntries(definitions.map((definition) => itemEntry(definition))),
      ...Object.fromEntries(
        prompts.map((prompt) => [
          `mcp-item:prompt-${prompt.name}`,
          sampleEntry('mcp-item', {
            id: `prompt-${prompt.name}`,
            kind: 'prompt',
            name: prompt.name,
            sha256: definitionHash(prompt),
          }),
        ]),
      ),
      ...Object.fromEntries(
        resources.map((resource, index) => [
          `mcp-item:resource-${index}`,
          sampleEntry('mcp-item', {
            id: `resource-${index}`,
            kind: 'resource',
            name: resource.uri,
            sha256: definitionHash(resource),
          }),
        ]),
      ),
      'integration:int-2': sampleEntry('integration', { id: 'int-2', clientId: 'client-2', name: 'Operator' }),
      'grant:grant-2': sampleEntry('grant', {
        id: 'grant-2',
        integrationId: 'int-2',
        select: [{ kind: 'path', method: 'CALL', path: '/tools/get-*' }],
      }),
      [`token:${tokenHash(OTHER_TOKEN)}`]: sampleEntry('token', {
        integrationId: 'int-2',
        clientId: 'client-2',
        expiresAt: 4_000_000_000_000,
      }),
    },
  });
}, 40_000);

afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

async function through<T>(token: string, work: (connected: Connected) => Promise<T>): Promise<T> {
  const connected = await connect(`${gateway.url}/mcp/everything`, token);
  try {
    return await work(connected);
  } finally {
    await connected.transport.terminateSession();
    await connected.client.close();
  }
}

const names = (items: readonly { name: string }[]): string[] => items.map(({ name }) => name).sort();

test('a list shows what is granted and nothing else', async () => {
  await through(TEST_TOKEN, async ({ client }) => {
    expect(names((await client.listTools()).tools)).toEqual([...GRANTED].sort());
    expect(names((await client.listPrompts()).prompts)).toEqual(['simple-prompt']);
    const { resources } = await client.listResources();
    expect(resources.length).toBeGreaterThan(0);
    expect(resources.every(({ uri }) => uri.startsWith('demo://resource/static/'))).toBe(true);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    // Nobody has accepted the server's instructions.
    expect(client.getInstructions()).toBeUndefined();
  });
});

test('a granted tool works, and its arguments are held to its schema', async () => {
  await through(TEST_TOKEN, async ({ client }) => {
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    expect((await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } })).content).toMatchObject([
      { text: expect.stringContaining('5') },
    ]);
    await expect(client.callTool({ name: 'get-sum', arguments: { a: 2, b: 'three' } })).rejects.toThrow(
      /arguments do not fit get-sum: b must be number/,
    );
    const structured = await client.callTool({ name: 'get-structured-content', arguments: { location: 'New York' } });
    expect(structured.structuredContent).toMatchObject({ conditions: 'Cloudy' });
  });
});

test('get-env is refused where it is not granted', async () => {
  await through(TEST_TOKEN, async ({ client }) => {
    const refused = client.callTool({ name: 'get-env', arguments: {} });
    await expect(refused).rejects.toMatchObject({ code: -32001, data: { code: 'gateway.not_authorized' } });
  });
});

test('get-env gets through where it is granted, without the secrets in its result', async () => {
  await through(OTHER_TOKEN, async ({ client }) => {
    const { content } = await client.callTool({ name: 'get-env', arguments: {} });
    const text = JSON.stringify(content);
    expect(text).toContain('visible');
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(AWS_KEY);
    expect(text).toContain('removed]');
  });
});

test('progress reaches the client while a tool runs', async () => {
  await through(TEST_TOKEN, async ({ client }) => {
    const progress: number[] = [];
    await client.callTool({ name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } }, undefined, {
      onprogress: (one) => progress.push(one.progress),
    });
    expect(progress.length).toBeGreaterThan(1);
  });
});

test('resources and prompts are read where they are granted', async () => {
  await through(TEST_TOKEN, async ({ client }) => {
    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: resources[0]!.uri });
    expect(contents).toHaveLength(1);
    await expect(client.readResource({ uri: 'demo://resource/dynamic/text/1' })).rejects.toMatchObject({
      code: -32001,
    });
    expect((await client.getPrompt({ name: 'simple-prompt' })).messages).toHaveLength(1);
    await expect(client.getPrompt({ name: 'args-prompt', arguments: { city: 'Paris' } })).rejects.toMatchObject({
      code: -32001,
    });
  });
});

test('what the server would ask of the client is refused unless the app allows it', async () => {
  let asked = 0;
  const connected = await connect(`${gateway.url}/everything`, TEST_TOKEN, {
    sampling: {},
    roots: {},
    elicitation: {},
  });
  connected.client.setRequestHandler(CreateMessageRequestSchema, () => {
    asked += 1;
    return { model: 'none', role: 'assistant', content: { type: 'text', text: 'no' } };
  });
  // The server offers these tools only to clients that say what they can do, which it is not told.
  expect(names((await connected.client.listTools()).tools)).not.toContain('trigger-sampling-request');
  await connected.client.close();
  expect(asked).toBe(0);
});

test('sampling passes where the app allows it, and its answer finds back to the server', async () => {
  const direct = await connect(server.url, 'none', { sampling: {} });
  const sampling = (await direct.client.listTools()).tools.find(({ name }) => name === 'trigger-sampling-request');
  await direct.client.close();
  gateway.control.publish({
    set: {
      'app:app-2': {
        ...sampleEntry('app', { id: 'app-2', name: 'sampler', upstream: server.url }),
        plaintext: 'allow',
        privateAddresses: ['127.0.0.1'],
        mcp: { sampling: 'allow' },
      },
      'mcp-item:sampling': itemEntry(sampling as Record<string, unknown>, { id: 'sampling', appId: 'app-2' })[1],
      'grant:grant-3': sampleEntry('grant', {
        id: 'grant-3',
        appId: 'app-2',
        select: [{ kind: 'access', access: 'any' }],
      }),
      [`token:${tokenHash(SAMPLER_TOKEN)}`]: sampleEntry('token', { expiresAt: 4_000_000_000_000 }),
    },
  });
  await expect.poll(() => gateway.gateway.health().version).toBe(gateway.control.snapshot.version);
  const connected = await connect(`${gateway.url}/mcp/sampler`, SAMPLER_TOKEN, { sampling: {} });
  connected.client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'test-model',
    role: 'assistant',
    content: { type: 'text', text: 'sampled answer' },
  }));
  const { content } = await connected.client.callTool({
    name: 'trigger-sampling-request',
    arguments: { prompt: 'Say something', maxTokens: 10 },
  });
  expect(JSON.stringify(content)).toContain('sampled answer');
  await connected.client.close();
});

test('a session belongs to the integration that opened it', async () => {
  await through(TEST_TOKEN, async ({ transport }) => {
    const session = transport.sessionId ?? '';
    const call = (token: string, id: string): Promise<Response> =>
      fetch(`${gateway.url}/mcp/everything`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': id,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    expect((await call(TEST_TOKEN, session)).status).toBe(200);
    const stolen = await call(OTHER_TOKEN, session);
    expect([stolen.status, await stolen.json()]).toMatchObject([
      403,
      { error: { data: { code: 'gateway.mcp_session_foreign' } } },
    ]);
    expect((await call(TEST_TOKEN, `${session.slice(0, -4)}AAAA`)).status).toBe(404);
  });
});

test('each call of a tool is one event that names it', async () => {
  const before = (await gateway.events()).length;
  await through(OTHER_TOKEN, async ({ client }) => {
    await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 1 } });
    await client.callTool({ name: 'echo', arguments: { message: 'no' } }).catch(() => undefined);
  });
  const events = (await gateway.events()).slice(before);
  const operations = events.map((event) => (event['api'] as { operation: string }).operation);
  expect(operations.filter((name) => name === 'get-sum')).toHaveLength(1);
  expect(operations.filter((name) => name === 'echo')).toHaveLength(1);
  expect(events.filter((event) => JSON.stringify(event).includes('"echo"'))).toMatchObject([
    { status_detail: expect.stringContaining('no grant of integration') },
  ]);
});
