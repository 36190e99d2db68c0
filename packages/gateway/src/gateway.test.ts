import { createHash } from 'node:crypto';
import http from 'node:http';
import zlib from 'node:zlib';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, AWS_KEY, BIG_BYTES, CARD, description, PRIVATE_KEY } from './test-saas.ts';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  tokenHash,
  type UpstreamStub,
  VENDOR_SECRET,
} from './testing.ts';

let upstream: UpstreamStub;
let gw: TestGateway;
const bearer = { authorization: `Bearer ${TEST_TOKEN}` };
const jsonBearer = { ...bearer, 'content-type': 'application/json' };

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(gw.url + path, { headers: bearer, redirect: 'manual', ...init });
}

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return (await response.json()) as Record<string, unknown>; // a problem document is an object
}

beforeAll(async () => {
  upstream = await startUpstream(answer);
  gw = await startTestGateway({
    upstream: upstream.url,
    app: {
      unknownOperations: 'refuse',
      description: { sha256: description.sha256, bytes: description.blob.length },
      limits: { requestBytesMax: 4 * 1024 * 1024, responseBytesMax: 4 * 1024 * 1024, timeoutMs: 400 },
      hostNames: ['github.gw.test'],
    },
    grant: {
      select: [
        { kind: 'access', access: 'read' },
        { kind: 'operations', ids: ['issues/create', 'upload', 'empty'] },
      ],
    },
    blobs: new Map([[description.sha256, description.blob]]),
    entries: {
      'integration:int-4': sampleEntry('integration', { id: 'int-4', name: 'Flood', clientId: 'client-4' }),
      'grant:grant-4': sampleEntry('grant', {
        id: 'grant-4',
        integrationId: 'int-4',
        select: [{ kind: 'access', access: 'any' }],
      }),
      [`token:${tokenHash('token-of-int-4')}`]: sampleEntry('token', { integrationId: 'int-4', expiresAt: 4e12 }),
      'limit:limit-4': sampleEntry('limit', {
        id: 'limit-4',
        name: 'Flood guard',
        scope: { integrationId: 'int-4' },
        rate: { count: 2, periodMs: 60_000, burst: 2 },
      }),
      'inspection:block-ssn': sampleEntry('inspection', {
        id: 'block-ssn',
        name: 'No keys out',
        class: 'credential.private-key',
        action: 'block',
      }),
    },
    limits: { failuresPerSource: 1_000 },
  });
});

afterAll(async () => {
  await gw.stop();
  await upstream.close();
});

test('an allowed call reaches the vendor with the vendor’s credential and without the integration’s token', async () => {
  const response = await call('/github/repos/o?page=1');
  expect(response.status).toBe(200);
  const seen = upstream.requests.at(-1)!;
  expect(seen.headers.authorization).toBe(`Bearer ${VENDOR_SECRET}`);
  expect(seen.headers.host).toBe(`127.0.0.1:${upstream.port}`);
  expect(seen.headers.via).toBe('1.1 cordon');
  expect(JSON.stringify(seen.rawHeaders)).not.toContain(TEST_TOKEN);
  expect(seen.url).toBe('/repos/o?page=1');
});

test.each([
  ['*/*', 'application/json; charset=utf-8'],
  ['application/vnd.github.v3+json', 'application/json; charset=utf-8'],
  ['application/problem+json;q=0, application/json', 'application/json; charset=utf-8'],
  ['text/html, application/problem+json;q=0.9', 'application/problem+json'],
])('a refusal for a client that accepts %s is %s', async (accept, type) => {
  const response = await call('/github/no/such', { headers: { ...bearer, accept } });
  expect(response.headers.get('content-type')).toBe(type);
  const body = (await response.json()) as Record<string, unknown>; // a problem document is an object
  expect(body).toMatchObject({ status: 404, code: 'gateway.operation_unknown', message: body['detail'] });
  expect(body['error']).toEqual({ type: 'cordon_refusal', code: body['code'], message: body['detail'] });
});

test('pagination stays behind the gateway, in Link and in bodies, and hop-by-hop fields end here', async () => {
  const response = await call('/github/repos/o');
  expect(response.headers.get('link')).toBe(`<${gw.url}/github/repos/o?page=2>; rel="next"`);
  expect(await response.json()).toMatchObject({ next: `${gw.url}/github/repos/o?page=2` });
  for (const name of ['x-hop', 'set-cookie']) expect(response.headers.has(name)).toBe(false);
  expect(response.headers.get('via')).toBe('1.1 cordon');
});

test('an app’s own host name serves it without a prefix', async () => {
  const { port } = gw;
  const body = await new Promise<string>((resolve, reject) => {
    const request = http.get(
      { port, host: '127.0.0.1', path: '/repos/o', headers: { ...bearer, host: `github.gw.test:${port}` } },
      (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
      },
    );
    request.on('error', reject);
  });
  expect(JSON.parse(body)).toMatchObject({ next: `http://github.gw.test:${port}/repos/o?page=2` });
});

test('fields that mislead a vendor, or concern this hop only, are not passed on', async () => {
  const misleading = {
    'x-http-method-override': 'DELETE',
    'x-forwarded-for': '1.2.3.4',
    forwarded: 'for=1.2.3.4',
    cookie: 'session=1',
    'x-original-url': '/admin',
    range: 'bytes=0-1',
    'proxy-authorization': 'Basic abc',
  };
  await call('/github/repos/o', { headers: { ...bearer, ...misleading, 'x-kept': 'yes' } });
  const seen = upstream.requests.at(-1)!;
  expect(Object.keys(misleading).filter((name) => name in seen.headers)).toEqual([]);
  expect(seen.headers['x-kept']).toBe('yes');
});

test('redirects are not followed but rewritten', async () => {
  const response = await call('/github/redirect');
  expect(response.status).toBe(302);
  expect(response.headers.get('location')).toBe(`${gw.url}/github/repos/moved`);
});

const refusals: [name: string, path: string, init: RequestInit, status: number, code: string][] = [
  ['an app that is not there', '/nothing/x', {}, 404, 'gateway.app_unknown'],
  ['an operation that is not described', '/github/nowhere', {}, 404, 'gateway.operation_unknown'],
  ['a method that is not described', '/github/issues', { method: 'PUT' }, 404, 'gateway.operation_unknown'],
  ['an operation that was not granted', '/github/repos/o', { method: 'DELETE' }, 403, 'gateway.not_authorized'],
  ['a path with encoded dots', '/github/repos/%2e%2e%2fuser', {}, 400, 'gateway.path_ambiguous'],
  ['a parameter of the wrong type', '/github/repos/o?page=x', {}, 400, 'gateway.request_invalid'],
  [
    'a body with a wrong field',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: '{"title":"a","count":"many"}' },
    400,
    'gateway.request_invalid',
  ],
  [
    'a body that lacks a field',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: '{}' },
    400,
    'gateway.request_invalid',
  ],
  [
    'a body with an extra field',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: '{"title":"a","admin":true}' },
    400,
    'gateway.request_invalid',
  ],
  [
    'a duplicate key',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: '{"title":"a","title":"b"}' },
    400,
    'gateway.request_invalid',
  ],
  [
    'broken JSON',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: '{"title":' },
    400,
    'gateway.request_invalid',
  ],
  [
    'a type that is not described',
    '/github/issues',
    { method: 'POST', headers: { ...bearer, 'content-type': 'image/png' }, body: 'x' },
    400,
    'gateway.request_invalid',
  ],
  [
    'an unreadable coding',
    '/github/issues',
    { method: 'POST', headers: { ...jsonBearer, 'content-encoding': 'gzip, gzip' }, body: 'x' },
    415,
    'gateway.encoding_unsupported',
  ],
  [
    'a body that is no gzip',
    '/github/issues',
    { method: 'POST', headers: { ...jsonBearer, 'content-encoding': 'gzip' }, body: 'nope' },
    400,
    'gateway.body_undecodable',
  ],
  [
    'a body beyond the limit',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: 'x'.repeat(4 * 1024 * 1024 + 1) },
    413,
    'gateway.body_too_large',
  ],
  [
    'a gzip bomb',
    '/github/issues',
    {
      method: 'POST',
      headers: { ...jsonBearer, 'content-encoding': 'gzip' },
      body: zlib.gzipSync(Buffer.alloc(50 * 1024 * 1024)),
    },
    413,
    'gateway.body_too_large',
  ],
  ['the token in the query', `/github/repos/o?access_token=${TEST_TOKEN}`, {}, 400, 'gateway.token_leaked'],
  [
    'the token in the body',
    '/github/issues',
    { method: 'POST', headers: jsonBearer, body: JSON.stringify({ title: TEST_TOKEN }) },
    400,
    'gateway.token_leaked',
  ],
  [
    'the token in another field',
    '/github/repos/o',
    { headers: { ...bearer, 'x-api-key': TEST_TOKEN } },
    400,
    'gateway.token_leaked',
  ],
  [
    'a private key in the body',
    '/github/issues',
    {
      method: 'POST',
      headers: jsonBearer,
      body: JSON.stringify({
        title: 'k',
        body: PRIVATE_KEY,
      }),
    },
    403,
    'gateway.request_blocked',
  ],
  ['a private key in the answer', '/github/key', {}, 403, 'gateway.response_blocked'],
  ['an upstream that does not answer', '/github/slow', {}, 504, 'gateway.upstream_timeout'],
  ['an answer that inflates too much', '/github/bomb', {}, 502, 'gateway.response_undecodable'],
];

test.each(refusals)('refuses %s', async (_name, path, init, status, code) => {
  const response = await call(path, init);
  const details = await problem(response);
  expect([details.code, response.status, details.status]).toEqual([code, status, status]);
  expect(details.request_id).toBe(response.headers.get('x-cordon-request-id'));
});

test('a refusal for lack of a grant names operation, integration and policy', async () => {
  const details = await problem(await call('/github/repos/o', { method: 'DELETE' }));
  expect(details).toMatchObject({
    operation: 'repos/delete',
    app: 'github',
    integration: 'Nightly sync',
    policy: ['default-deny'],
  });
  expect(details.detail).toContain('repos/delete');
});

test('a refusal by the schema names the field', async () => {
  const details = await problem(
    await call('/github/issues', { method: 'POST', headers: jsonBearer, body: '{"title":"a","count":"many"}' }),
  );
  expect(details.errors).toEqual([expect.objectContaining({ in: 'body', pointer: '/count', field: 'count' })]);
});

test('a flood gets 429 with Retry-After and RateLimit fields', async () => {
  const headers = { authorization: 'Bearer token-of-int-4' };
  const first = await call('/github/repos/o', { headers });
  expect(first.headers.get('ratelimit')).toBe('"Flood guard";r=1;t=30');
  expect(first.headers.get('ratelimit-policy')).toBe('"Flood guard";q=2;w=60');
  await call('/github/repos/o', { headers });
  const refused = await call('/github/repos/o', { headers });
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('30');
  expect(refused.headers.get('ratelimit')).toMatch(/^"Flood guard";r=0;t=\d+$/);
  expect((await problem(refused)).code).toBe('gateway.rate_limited');
});

test('a card and a key are taken out on the way to the vendor, and the client is told', async () => {
  const body = JSON.stringify({ title: 'pay', body: `card ${CARD} key ${AWS_KEY}` });
  const response = await call('/github/issues', { method: 'POST', headers: jsonBearer, body });
  expect(response.status).toBe(200);
  const sent = upstream.requests.at(-1)!.body.toString();
  expect(sent).not.toContain(CARD);
  expect(sent).not.toContain(AWS_KEY);
  expect(JSON.parse(sent)).toMatchObject({ title: 'pay' });
  expect(response.headers.get('cordon-redacted')).toMatch(/payment\.card;count=1/);
  expect(response.headers.get('cordon-redacted')).toMatch(/credential\.aws;count=1/);
});

test('a card in the query is taken out', async () => {
  await call(`/github/repos/o?page=1&card=${CARD.replaceAll(' ', '')}`);
  expect(upstream.requests.at(-1)!.url).not.toContain('4111111111111111');
});

test('a card and a key are taken out on the way back', async () => {
  const text = await (await call('/github/leak')).text();
  expect(text).not.toContain(CARD);
  expect(text).not.toContain(AWS_KEY);
});

test('a compressed answer is read, changed and sent plain, and no longer described by its old validators', async () => {
  const response = await call('/github/zipped', { headers: { ...bearer, 'accept-encoding': 'gzip' } });
  const body = (await response.json()) as { card: string; next: string }; // as the upstream stub writes it
  expect(body.card).not.toBe(CARD);
  expect(body.next).toBe(`${gw.url}/github/repos/o?page=2`);
  expect(response.headers.get('content-encoding')).toBeNull();
  expect(response.headers.get('etag')).toBe('W/"abc"');
  expect(response.headers.get('digest')).toBeNull();
});

test('a vendor that echoes its credential does not hand it to the integration', async () => {
  const response = await call('/github/echo');
  expect(await response.text()).not.toContain(VENDOR_SECRET);
  expect(response.headers.get('x-echo')).not.toContain(VENDOR_SECRET);
});

test.each(['gzip', 'br', 'deflate', 'zstd'] as const)(
  'a request in %s is judged and forwarded decoded',
  async (coding) => {
    const encode = {
      gzip: zlib.gzipSync,
      br: zlib.brotliCompressSync,
      deflate: zlib.deflateSync,
      zstd: zlib.zstdCompressSync,
    }[coding];
    const body = encode(Buffer.from(JSON.stringify({ title: coding })));
    const response = await call('/github/issues', {
      method: 'POST',
      headers: { ...jsonBearer, 'content-encoding': coding },
      body,
    });
    expect(response.status).toBe(200);
    const seen = upstream.requests.at(-1)!;
    expect(seen.body.toString()).toBe(JSON.stringify({ title: coding }));
    expect(seen.headers['content-encoding']).toBeUndefined();
  },
);

test('a large download streams through whole', async () => {
  const response = await call('/github/big');
  expect(response.headers.get('content-length')).toBe(String(BIG_BYTES));
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(
    createHash('sha256').update(Buffer.alloc(BIG_BYTES, 7)).digest('hex'),
  );
});

test('a large upload streams through whole', async () => {
  const body = Buffer.alloc(BIG_BYTES, 'a');
  const response = await call('/github/upload', {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/octet-stream' },
    body,
  });
  expect(response.status).toBe(200);
  expect(upstream.requests.at(-1)!.body.equals(body)).toBe(true);
});

test('an answer that breaks off is cut off, not ended', async () => {
  await expect(call('/github/broken').then((response) => response.arrayBuffer())).rejects.toThrow('terminated');
});

test('events of a stream are inspected and rewritten one by one', async () => {
  const text = await (await call('/github/events')).text();
  expect(text).not.toContain(CARD);
  expect(text).toContain('"n":1');
  expect(text).toContain(`"next":"${gw.url}/github/repos/o"`);
});

test.each([
  ['HEAD', '/github/repos/o', 200],
  ['DELETE', '/github/empty', 204],
])('%s answers keep their framing', async (method, path, status) => {
  const response = await call(path, { method });
  expect(response.status).toBe(status);
  expect(await response.text()).toBe('');
  expect((await call('/github/repos/o')).status).toBe(200);
});

describe('events', () => {
  test('every answered call has exactly one event, which holds neither query, body nor token', async () => {
    const ids: (string | null)[] = [];
    for (let index = 0; index < 20; index++) {
      ids.push((await call(`/github/repos/o?page=${index}`)).headers.get('x-cordon-request-id'));
    }
    const events = await gw.events();
    const uids = events.map((event) => (event.metadata as { uid: string }).uid); // as the builder makes it
    for (const id of ids) expect(uids.filter((uid) => uid === id)).toHaveLength(1);
    expect(new Set(uids).size).toBe(uids.length);
    const text = JSON.stringify(events);
    for (const secret of [TEST_TOKEN, VENDOR_SECRET, CARD, AWS_KEY, 'page=']) expect(text).not.toContain(secret);
  });

  test('a refused call is recorded with operation, reason and policy', async () => {
    const response = await call('/github/repos/o', { method: 'DELETE' });
    const id = response.headers.get('x-cordon-request-id');
    const event = (await gw.events()).find(({ metadata }) => (metadata as { uid: string }).uid === id); // as above
    expect(event).toMatchObject({
      class_uid: 6003,
      api: { operation: 'repos/delete' },
      status_code: 'gateway.not_authorized',
      policy: { uid: 'default-deny' },
      http_response: { code: 403 },
      unmapped: { cordon: { decision: 'deny', path_template: '/repos/{owner}' } },
    });
  });
});

test('metrics tell requests, refusals, spool and snapshot', () => {
  const text = gw.gateway.metrics.render();
  expect(text).toMatch(/cordon_gateway_requests_total\{app="github",status="200"\} [1-9]/);
  expect(text).toMatch(/cordon_gateway_refusals_total\{code="gateway.not_authorized"\} [1-9]/);
  expect(text).toContain('cordon_gateway_spool_bytes');
  expect(text).toContain('cordon_gateway_snapshot_version 1');
});
