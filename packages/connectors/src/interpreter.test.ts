import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthenticator } from './authenticate.ts';
import { entity } from './entity.ts';
import { MappingFailed, ToolFailed, ToolRefused, WriteForbidden } from './errors.ts';
import { compileExpression } from './expression.ts';
import type { HttpPort, ToolAnswer, ToolRequest } from './http-port.ts';
import { parseManifest } from './load-manifest.ts';
import type { AuthSpec, CredentialSecret } from './manifest-auth.ts';
import { buildRequest, requestTemplate } from './request-template.ts';
import { readStream } from './read-stream.ts';
import { assembleSettings, coverage } from './settings.ts';
import { createTestTool, TOOL_MANIFEST, toolManifest } from './testing.ts';
import { createToolClient } from './tool-client.ts';

const clock = { now: () => Date.UTC(2026, 0, 1) };
const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}): ToolAnswer => ({
  status,
  headers,
  body: Buffer.from(JSON.stringify(body)),
});

test.each([
  ['a loop without end', '( $f := function($n) { $f($n + 1) }; $f(0) )'],
  ['a deep recursion', '( $f := function($n) { 1 + $f($n + 1) }; $f(0) )'],
  ['a million members', '[1..1000000]'],
])('%s ends with an error', async (_title, text) => {
  await expect(compileExpression(text).evaluate({})).rejects.toThrow(MappingFailed);
});

test.each(['$match("aaa", /(a+)+$/)', '$eval("1+1")', '{ "a": '])('%s is no mapping', (text) => {
  expect(() => compileExpression(text)).toThrow(MappingFailed);
});

test.each([
  ['seconds', 1_700_000_000, '2023-11-14T22:13:20.000Z'],
  ['milliseconds', 1_700_000_000_000, '2023-11-14T22:13:20.000Z'],
  ['text of seconds', '1392163201', '2014-02-12T00:00:01.000Z'],
  ['a zone', '2017-05-17T08:30:35.000-07:00', '2017-05-17T15:30:35.000Z'],
])('a moment in %s comes out in UTC', (_title, createdAt, expected) => {
  expect(entity.parse({ type: 'account', id: 7, kind: 'person', status: 'active', createdAt })).toMatchObject({
    id: '7',
    createdAt: expected,
  });
});

test.each([
  ['an unknown member', { type: 'account', id: 'a', kind: 'person', status: 'active', password: 'x' }],
  ['a moment that is none', { type: 'credential', id: 'a', kind: 'api_key', createdAt: 'soon' }],
  ['a path into a prototype', { type: 'setting', id: 'a', path: 'a..b', value: 1 }],
])('%s is refused', (_title, value) => {
  expect(entity.safeParse(value).success).toBe(false);
});

test.each([
  ['a slash in a value', '/users/{input.user}', { user: 'a/../b' }, 'https://t.example/v1/users/a%2F..%2Fb'],
  ['a query in a value', '/users/{input.user}', { user: 'a?x=1#y' }, 'https://t.example/v1/users/a%3Fx%3D1%23y'],
])('%s stays in its segment', (_title, path, input, expected) => {
  const built = buildRequest(requestTemplate.parse({ path }), { input }, { url: 'https://t.example/v1' });
  expect(built?.url).toBe(expected);
});

test.each(['.', '..'])('%s is no segment', (user) => {
  const template = requestTemplate.parse({ path: '/users/{input.user}' });
  expect(() => buildRequest(template, { input: { user } }, { url: 'https://t.example' })).toThrow(TypeError);
});

test('what has no value is left out, and a template alone keeps its type', () => {
  const template = requestTemplate.parse({
    method: 'POST',
    path: '/x',
    query: { since: '{since}', limit: 5 },
    json: { list: '{input.list}', none: '{input.none}', text: 'n={input.n}' },
  });
  const built = buildRequest(template, { input: { list: [1, 2], n: 3 } }, { url: 'https://t.example' });
  expect(built?.url).toBe('https://t.example/x?limit=5');
  expect(JSON.parse(String(built?.body))).toEqual({ list: [1, 2], text: 'n=3' });
});

const client = (http: HttpPort, mode: 'read' | 'write' = 'read', waits: number[] = []) =>
  createToolClient(
    toolManifest(),
    { config: { site: 'acme' }, secret: { kind: 'bearer', token: 's' } },
    {
      http,
      clock,
      pause: async (ms) => void waits.push(ms),
    },
    mode,
  );
const get = requestTemplate.parse({ path: '/users' });
const post = requestTemplate.parse({ method: 'POST', path: '/users/a/suspend' });

test('a client that was made to read sends nothing that could write', async () => {
  const tool = createTestTool();
  await expect(client(tool).call(post, {})).rejects.toThrow(WriteForbidden);
  expect(tool.asked).toEqual([]);
  expect((await client(tool, 'write').call(post, {}))?.status).toBe(200);
});

test('an address elsewhere never gets the credential', async () => {
  const tool = createTestTool();
  await expect(client(tool).call(get, {}, { url: 'https://evil.example/users' })).rejects.toThrow(ToolFailed);
  expect(tool.asked).toEqual([]);
});

test('it waits as long as the tool asks, and gives up when that is too long', async () => {
  const answers = [answer(429, {}, { 'retry-after': '7' }), answer(200, [])];
  const waits: number[] = [];
  await client({ send: async () => answers.shift() ?? answer(500) }, 'read', waits).call(get, {});
  expect(waits).toContain(7_000);
  const slow: HttpPort = { send: async () => answer(429, {}, { 'retry-after': '7200' }) };
  await expect(client(slow).call(get, {})).rejects.toThrow('asks to wait 7200 s');
});

test('a read is tried again, a write that broke is not', async () => {
  let sent = 0;
  const broken: HttpPort = {
    send: async () => {
      sent += 1;
      throw new Error('reset');
    },
  };
  await expect(client(broken).call(get, {})).rejects.toThrow('reset');
  expect(sent).toBe(5);
  sent = 0;
  await expect(client(broken, 'write').call(post, {})).rejects.toThrow('reset');
  expect(sent).toBe(1);
});

const pem = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const t = { title: 'T' };

test.each([
  ['bearer', { kind: 'bearer', ...t, scheme: 'SSWS' }, { kind: 'bearer', token: 's' }, 'SSWS s'],
  ['basic', { kind: 'basic', ...t }, { kind: 'basic', user: 'u', password: 'p' }, 'Basic dTpw'],
  [
    'client credentials',
    {
      kind: 'oauth2_client_credentials',
      ...t,
      tokenUrl: 'https://t.example/token',
      scopes: ['a'],
      clientAuth: 'body',
      grantParameters: {},
    },
    { kind: 'oauth2_client_credentials', clientId: 'c', clientSecret: 's' },
    'Bearer fresh',
  ],
  [
    'a refresh token',
    { kind: 'oauth2_refresh_token', ...t, tokenUrl: 'https://t.example/token', clientAuth: 'basic' },
    { kind: 'oauth2_refresh_token', clientId: 'c', clientSecret: 's', refreshToken: 'r' },
    'Bearer fresh',
  ],
  [
    'a Google service account',
    {
      kind: 'google_service_account',
      ...t,
      tokenUrl: 'https://t.example/token',
      scopes: ['a'],
      subject: '{config.admin}',
    },
    { kind: 'google_service_account', email: 'e', privateKey: pem },
    'Bearer fresh',
  ],
  [
    'a GitHub App',
    { kind: 'github_app', ...t, tokenPath: '/app/installations/1/access_tokens', appId: '7' },
    { kind: 'github_app', privateKey: pem },
    'Bearer fresh',
  ],
] satisfies [string, AuthSpec, CredentialSecret, string][])(
  'signs in with %s',
  async (_title, spec, secret, expected) => {
    const asked: ToolRequest[] = [];
    const http: HttpPort = {
      send: async (request) => {
        asked.push(request);
        return answer(200, { access_token: 'fresh', expires_in: 3_600, refresh_token: 'r2' });
      },
    };
    const config = { admin: 'admin@acme.example' };
    const kept: string[] = [];
    const deps = {
      http,
      clock,
      config,
      baseUrl: 'https://t.example',
      onRefreshToken: async (token: string) => void kept.push(token),
    };
    const authenticator = createAuthenticator(spec, secret, deps);
    const request: ToolRequest = {
      method: 'GET',
      url: 'https://t.example/x',
      headers: {},
      body: undefined,
      timeoutMs: 1,
      bytesMax: 1,
    };
    expect((await authenticator.apply(request)).headers['authorization']).toBe(expected);
    await authenticator.apply(request);
    expect(asked.length).toBe(expected === 'Bearer fresh' ? 1 : 0);
    expect(kept.length).toBe(expected === 'Bearer fresh' ? 1 : 0);
  },
);

test('a token endpoint that refuses is a refused credential', async () => {
  const spec: AuthSpec = {
    kind: 'oauth2_refresh_token',
    ...t,
    tokenUrl: 'https://t.example/token',
    clientAuth: 'basic',
  };
  const secret: CredentialSecret = {
    kind: 'oauth2_refresh_token',
    clientId: 'c',
    clientSecret: 's',
    refreshToken: 'r',
  };
  const deps = { http: { send: async () => answer(400) }, clock, config: {}, baseUrl: 'https://t.example' };
  const request: ToolRequest = {
    method: 'GET',
    url: 'https://t.example/x',
    headers: {},
    body: undefined,
    timeoutMs: 1,
    bytesMax: 1,
  };
  await expect(createAuthenticator(spec, secret, deps).apply(request)).rejects.toThrow(ToolRefused);
});

const ITEMS = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id }));
const pageOf = (start: number, size: number) => ITEMS.slice(start, start + size);

test.each([
  [
    'link',
    '{ kind: link }',
    (url: URL) => {
      const start = Number(url.searchParams.get('start') ?? 0);
      const more = `<https://acme.tool.example/users?start=${start + 2}>; rel="next"`;
      return answer(200, pageOf(start, 2), start + 2 < ITEMS.length ? { link: more } : {});
    },
  ],
  [
    'next address',
    '{ kind: next-url, from: next }',
    (url: URL) => {
      const start = Number(url.searchParams.get('start') ?? 0);
      return answer(200, {
        items: pageOf(start, 2),
        ...(start + 2 < ITEMS.length ? { next: `/users?start=${start + 2}` } : {}),
      });
    },
  ],
  [
    'offset',
    '{ kind: offset, parameter: offset, limitParameter: limit, limit: 2 }',
    (url: URL) => answer(200, pageOf(Number(url.searchParams.get('offset')), Number(url.searchParams.get('limit')))),
  ],
  [
    'offset from one',
    '{ kind: offset, parameter: startIndex, limitParameter: count, limit: 2, start: 1, total: total }',
    (url: URL) => answer(200, { items: pageOf(Number(url.searchParams.get('startIndex')) - 1, 2), total: 5 }),
  ],
  [
    'page',
    '{ kind: page, parameter: page, size: 2 }',
    (url: URL) => answer(200, pageOf((Number(url.searchParams.get('page')) - 1) * 2, 2)),
  ],
  [
    'GraphQL',
    '{ kind: graphql, pageInfo: pageInfo }',
    (_url: URL, body: string) => {
      const { variables } = JSON.parse(body) as { variables: { after: string | null } }; // the manifest's own body
      const start = Number(variables.after ?? 0);
      return answer(200, {
        items: pageOf(start, 2),
        pageInfo: { hasNextPage: start + 2 < 5, endCursor: String(start + 2) },
      });
    },
  ],
] as const)('pages by %s are read to the end', async (kind, paging, respond) => {
  const isGraphql = kind === 'GraphQL';
  const request = isGraphql
    ? '{ method: POST, path: /users, safe: true, graphql: { query: "query { x }" } }'
    : '{ path: /users }';
  const text = TOOL_MANIFEST.replace(
    '{ path: /users }\n    paging: { kind: cursor, from: next, parameter: cursor }\n    items: users',
    () => `${request}\n    paging: ${paging}\n    items: '$exists(items) ? items : $'`,
  ).replace('"status": status, "name": name', '"status": "active"');
  const loaded = parseManifest(text, 'tool');
  const http: HttpPort = { send: async ({ url, body }) => respond(new URL(url), String(body ?? '')) };
  const connection = { config: { site: 'acme' }, secret: { kind: 'bearer' as const, token: 's' } };
  const reader = createToolClient(loaded, connection, { http, clock, pause: async () => undefined }, 'read');
  const ids: string[] = [];
  const options = { config: connection.config, baseUrl: 'https://acme.tool.example', now: clock.now() };
  for await (const page of readStream(loaded, 'users', reader, options)) ids.push(...page.entities.map(({ id }) => id));
  expect(ids).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('settings are put together, and what could not be read is named', () => {
  const base = { type: 'setting' as const, list: false };
  expect(
    assembleSettings([
      { ...base, id: '1', path: 'actions', value: { a: 1 } },
      { ...base, id: '2', path: 'actions.workflow', value: { b: 2 } },
      { ...base, id: '3', path: 'hooks', value: { n: 1 }, list: true },
      { ...base, id: '4', path: 'hooks', value: { n: 2 }, list: true },
      { ...base, id: '5', path: '__proto__.polluted', value: true },
      { ...base, id: '6', path: 'policies', value: { 'Sales EMEA': { mail: { imap: false } } } },
      { ...base, id: '7', path: 'policies', value: { 'Sales EMEA': { chat: { history: true } }, Board: {} } },
    ]),
  ).toMatchObject({
    actions: { a: 1, workflow: { b: 2 } },
    hooks: [{ n: 1 }, { n: 2 }],
    policies: { 'Sales EMEA': { mail: { imap: false }, chat: { history: true } }, Board: {} },
  });
  expect({}).not.toHaveProperty('polluted');
  const { manifest } = parseManifest(
    TOOL_MANIFEST.replace('emits: [audit_event]', 'emits: [audit_event]\n    covers: [log]'),
    'tool',
  );
  expect(coverage(manifest, new Map([['log', 'not_visible']]))).toEqual({
    unread: ['log'],
    emptyLists: [],
  });
});
