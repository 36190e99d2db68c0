import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleEntry } from '@cordon/policy/testing';
import { answer, description } from './test-saas.ts';
import { startTestGateway, startUpstream, TEST_TOKEN, type TestGateway, type UpstreamStub } from './testing.ts';

let upstream: UpstreamStub;
let refusing: TestGateway;
let detecting: TestGateway;

const EXCEPTIONS = [
  { in: 'body', pointer: '/rules/*/expression', kind: 'sql', expiresAt: 4_000_000_000_000 },
  { in: 'query', pointer: '/ended', kind: null, expiresAt: 1 },
] as const;

beforeAll(async () => {
  upstream = await startUpstream(answer);
  refusing = await startTestGateway({
    upstream: upstream.url,
    app: { injection: 'refuse', injectionExceptions: [...EXCEPTIONS] },
    entries: {
      'app:app-2': sampleEntry('app', {
        id: 'app-2',
        name: 'described',
        upstream: upstream.url,
        plaintext: 'allow',
        privateAddresses: ['127.0.0.1'],
        injection: 'refuse',
        description: { sha256: description.sha256, bytes: description.blob.length },
      }),
      'grant:grant-2': sampleEntry('grant', {
        id: 'grant-2',
        appId: 'app-2',
        select: [{ kind: 'access', access: 'any' }],
      }),
    },
    blobs: new Map([[description.sha256, description.blob]]),
  });
  detecting = await startTestGateway({ upstream: upstream.url });
});

afterAll(async () => {
  await refusing.stop();
  await detecting.stop();
  await upstream.close();
});

function call(gw: TestGateway, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${TEST_TOKEN}`);
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  return fetch(gw.url + path, { redirect: 'manual', ...init, headers });
}

const post = (value: unknown, type = 'application/json'): RequestInit => ({
  method: 'POST',
  body: typeof value === 'string' ? value : JSON.stringify(value),
  headers: { 'content-type': type },
});

test.each([
  ['a query parameter', '/github/items?id=1%20or%201%3D1', {}, 'sql', 'query', '/id'],
  ['an operator in a query', '/github/items?name[$ne]=x', {}, 'nosql', 'query', '/name[$ne]'],
  ['a path segment', '/github/items/1%27%20or%20%271%27=%271', {}, 'sql', 'path', '/1'],
  [
    'a header',
    '/github/items',
    { headers: { 'x-user': '${jndi:ldap://a.example/x}' } },
    'template',
    'header',
    '/x-user',
  ],
  ['a nested member', '/github/items', post({ a: { b: ['; cat /etc/passwd'] } }), 'command', 'body', '/a/b/0'],
  [
    'a form',
    '/github/items',
    post('a=1&file=..%252f..%252fetc%252fpasswd', 'application/x-www-form-urlencoded'),
    'path-traversal',
    'body',
    '/file',
  ],
  [
    'XML',
    '/github/items',
    post('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///x">]><a>&b;</a>', 'application/xml'),
    'xxe',
    'body',
    '',
  ],
  [
    'a webhook URL',
    '/github/items',
    post({ config: { url: 'http://169.254.169.254/latest' } }),
    'ssrf',
    'body',
    '/config/url',
  ],
] as const)('an attack in %s is refused and never forwarded', async (_name, path, init, kind, place, pointer) => {
  const before = upstream.requests.length;
  const response = await call(refusing, path, init);
  expect(response.status).toBe(400);
  const problem = (await response.json()) as Record<string, unknown>; // a problem document is an object
  expect(problem).toMatchObject({ code: 'gateway.injection_refused', findings: [{ in: place, pointer, kind }] });
  expect(upstream.requests.length).toBe(before);
});

test('an exception lets its field pass until it expires, and only its kind', async () => {
  const excepted = await call(refusing, '/github/items', post({ rules: [{ expression: '1 or 1=1' }] }));
  expect(excepted.status).not.toBe(400);
  const otherKind = await call(refusing, '/github/items', post({ rules: [{ expression: '<svg onload=alert(1)>' }] }));
  expect(otherKind.status).toBe(400);
  const ended = await call(refusing, '/github/items?ended=1%20or%201%3D1');
  expect(ended.status).toBe(400);
});

test('free text passes where it may quote anything', async () => {
  const body = { title: "Can't drop", body: "`'; DROP TABLE x;--` and <script>alert(1)</script> and ../../etc/passwd" };
  const response = await call(refusing, '/github/items', post(body));
  expect(response.status).not.toBe(400);
  expect(upstream.requests.at(-1)?.body.toString()).toBe(JSON.stringify(body));
});

test('an app that only detects lets the call pass and records masked evidence', async () => {
  const response = await call(detecting, '/github/items?id=1%27%20union%20select%20secretcolumn,2%20from%20users--');
  expect(response.status).not.toBe(400);
  const events = JSON.stringify(await detecting.events());
  expect(events).toContain('"class":"injection.sql"');
  expect(events).toContain('"place":"query/id"');
  expect(events).toContain('union-select');
  expect(events).not.toContain('secretcolumn');
});
