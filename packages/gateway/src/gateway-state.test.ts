import { createHash, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { createAuthority, issueServerCertificate } from '@cordon/kernel';
import { sampleEntry } from '@cordon/policy/testing';
import { afterEach, expect, test, vi } from 'vitest';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  type TestGatewayOptions,
  tokenHash,
  type UpstreamStub,
  VENDOR_SECRET,
} from './testing.ts';

let open: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of open.reverse()) await (thing.stop?.() ?? thing.close?.());
  open = [];
});

async function upstreamStub(tls?: { key: string; cert: string }): Promise<UpstreamStub> {
  const stub = await startUpstream((request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ path: request.url }));
  }, tls);
  open.push(stub);
  return stub;
}

async function gatewayFor(options: TestGatewayOptions): Promise<TestGateway> {
  const gw = await startTestGateway(options);
  open.push(gw);
  return gw;
}

const bearer = { authorization: `Bearer ${TEST_TOKEN}` };

async function codeOf(response: Response): Promise<[number, unknown]> {
  const body = (await response.json()) as { code?: unknown }; // a problem document or the stub's answer
  return [response.status, body.code];
}

test('a revoked token is refused within a second, its rightful sibling goes on', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({
    upstream: upstream.url,
    entries: { [`token:${tokenHash('sibling-token')}`]: sampleEntry('token', { expiresAt: 4e12 }) },
  });
  const call = (token: string): Promise<Response> =>
    fetch(`${gw.url}/github/x`, { headers: { authorization: `Bearer ${token}` } });
  expect((await call(TEST_TOKEN)).status).toBe(200);
  const before = performance.now();
  gw.control.publish({
    set: { [`revoked:${tokenHash(TEST_TOKEN)}`]: { expiresAt: 4e12 } },
    revoke: true,
    notify: false,
  });
  await vi.waitFor(async () => expect(await codeOf(await call(TEST_TOKEN))).toEqual([401, 'gateway.token_revoked']), {
    timeout: 3_000,
    interval: 20,
  });
  expect(performance.now() - before).toBeLessThan(1_000);
  expect((await call('sibling-token')).status).toBe(200);
});

test('suspending an integration refuses its calls', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url });
  gw.control.publish({
    set: { 'integration:int-1': sampleEntry('integration', { status: 'suspended' }) },
    revoke: true,
  });
  await vi.waitFor(async () =>
    expect(await codeOf(await fetch(`${gw.url}/github/x`, { headers: bearer }))).toEqual([
      403,
      'gateway.integration_suspended',
    ]),
  );
});

test('a token that the snapshot does not know is asked about once, also by many calls', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url });
  gw.control.tokens.set(tokenHash('fresh-token'), sampleEntry('token', { expiresAt: 4e12 }));
  const call = (token: string): Promise<Response> =>
    fetch(`${gw.url}/github/x`, { headers: { authorization: `Bearer ${token}` } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => call('fresh-token')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(gw.control.introspected).toHaveLength(1);
  await call('no-such-token');
  await call('no-such-token');
  expect(gw.control.introspected).toHaveLength(2);
  gw.control.mode = 'down';
  expect(await codeOf(await call('another-token'))).toEqual([503, 'gateway.introspection_unavailable']);
  expect((await call('fresh-token')).status).toBe(200);
});

test('a source that guesses tokens is slowed, a good token from the same address is not', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url, limits: { failuresPerSource: 5 } });
  const codes: unknown[] = [];
  for (let index = 0; index < 8; index++) {
    codes.push(
      (
        await codeOf(await fetch(`${gw.url}/github/x`, { headers: { authorization: `Bearer guess-number-${index}` } }))
      )[1],
    );
  }
  expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'gateway.token_unknown'));
  expect(codes.at(-1)).toBe('gateway.source_slowed');
  expect((await fetch(`${gw.url}/github/x`, { headers: bearer })).status).toBe(200);
});

test('a flood without tokens becomes few events whose counts add up', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url });
  const calls = 120;
  for (let index = 0; index < calls; index++) expect((await fetch(`${gw.url}/github/x`)).status).toBe(401);
  await gw.gateway.stop();
  const counts = gw.control.events.map((event) => (typeof event['count'] === 'number' ? event['count'] : 1));
  expect(counts.length).toBeLessThan(calls);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(calls);
});

test('past the staleness limit calls are refused, and served again when control is back', async () => {
  const upstream = await upstreamStub();
  let skew = 0;
  const gw = await gatewayFor({
    upstream: upstream.url,
    deps: { clock: { now: () => Date.now() + skew } },
    token: { expiresAt: 9e15 },
  });
  gw.control.mode = 'down';
  skew = 3_600_000;
  expect(await codeOf(await fetch(`${gw.url}/github/x`, { headers: bearer }))).toEqual([503, 'gateway.snapshot_stale']);
  expect(gw.gateway.health()).toMatchObject({ ready: false, reason: 'snapshot is stale' });
  gw.control.mode = 'up';
  await vi.waitFor(async () => expect((await fetch(`${gw.url}/github/x`, { headers: bearer })).status).toBe(200));
});

test.each<['refuse' | 'serve-and-count', number]>([
  ['refuse', 503],
  ['serve-and-count', 200],
])('with a full spool and back-pressure %s a call gets %d', async (backPressure, status) => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url, app: { backPressure }, config: { spool: { bytesMax: 100 } } });
  const response = await fetch(`${gw.url}/github/x`, { headers: bearer });
  expect(response.status).toBe(status);
  expect(gw.gateway.metrics.value('cordon_gateway_events_lost_total')).toBe(1);
});

const credentials: [
  name: string,
  app: (seal: (text: string) => string) => TestGatewayOptions['app'],
  path: string,
  header: [string, string] | undefined,
][] = [
  [
    'bearer with another word',
    (seal) => ({ credential: { kind: 'bearer', sealed: seal(VENDOR_SECRET), scheme: 'SSWS' } }),
    '/x',
    ['authorization', `SSWS ${VENDOR_SECRET}`],
  ],
  [
    'basic',
    (seal) => ({ credential: { kind: 'basic', sealed: seal(`me:${VENDOR_SECRET}`) } }),
    '/x',
    ['authorization', `Basic ${btoa(`me:${VENDOR_SECRET}`)}`],
  ],
  [
    'key in a header',
    (seal) => ({ credential: { kind: 'api-key-header', sealed: seal(VENDOR_SECRET), header: 'X-Shop-Key' } }),
    '/x',
    ['x-shop-key', VENDOR_SECRET],
  ],
  [
    'key in the query',
    (seal) => ({ credential: { kind: 'api-key-query', sealed: seal(VENDOR_SECRET), parameter: 'key' } }),
    `/x?a=1&key=${VENDOR_SECRET}`,
    undefined,
  ],
];

test.each(credentials)('attaches a credential: %s', async (_name, app, expectedPath, header) => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url });
  const sealed = app((text) => gw.envelope.seal(text, 'credential:app-1'));
  gw.control.publish({
    set: {
      'app:app-1': sampleEntry('app', {
        upstream: upstream.url,
        plaintext: 'allow',
        privateAddresses: ['127.0.0.1'],
        unknownOperations: 'allow',
        ...sealed,
      }),
    },
  });
  const version = gw.control.snapshot.version;
  await vi.waitFor(() => expect(gw.gateway.health().version).toBe(version));
  const query = expectedPath.includes('?') ? '?a=1&key=of-the-sdk' : '';
  expect((await fetch(`${gw.url}/github/x${query}`, { headers: bearer })).status).toBe(200);
  const seen = upstream.requests.at(-1)!;
  expect(seen.url).toBe(expectedPath);
  expect(header === undefined || seen.headers[header[0]] === header[1]).toBe(true);
  expect(JSON.stringify(seen.rawHeaders)).not.toContain(TEST_TOKEN);
});

test('a credential sealed for another app does not open', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({
    upstream: upstream.url,
    app: { credential: { kind: 'bearer', sealed: 'cse1.x.y.z' } },
  });
  expect(await codeOf(await fetch(`${gw.url}/github/x`, { headers: bearer }))).toEqual([
    503,
    'gateway.credential_unavailable',
  ]);
  expect(upstream.requests).toEqual([]);
});

test.each<[string, TestGatewayOptions['app']]>([
  ['a private address', { privateAddresses: [] }],
  ['plain HTTP', { plaintext: 'refuse' }],
])('an upstream with %s that is not allowed is refused before anything is sent', async (_name, app) => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: upstream.url, app: app ?? {} });
  expect(await codeOf(await fetch(`${gw.url}/github/x`, { headers: bearer }))).toEqual([
    502,
    'gateway.upstream_forbidden',
  ]);
  expect(upstream.requests).toEqual([]);
});

test('a name that resolves to a private address is refused, by its address', async () => {
  const upstream = await upstreamStub();
  const gw = await gatewayFor({ upstream: `http://localhost:${upstream.port}`, app: { privateAddresses: [] } });
  expect(await codeOf(await fetch(`${gw.url}/github/x`, { headers: bearer }))).toEqual([
    502,
    'gateway.upstream_forbidden',
  ]);
  expect(upstream.requests).toEqual([]);
});

test('an upstream’s certificate has to verify, and to be a pinned one where keys are pinned', async () => {
  const authority = await createAuthority('test', Date.now());
  const leaf = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
  const upstream = await upstreamStub(leaf);
  const key = new X509Certificate(leaf.cert).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(key).digest('base64');
  const rows: [TestGatewayOptions['app'], number, unknown][] = [
    [{}, 502, 'gateway.upstream_untrusted'],
    [{ caCertificates: [authority.cert] }, 200, undefined],
    [{ caCertificates: [authority.cert], publicKeyPins: [pin] }, 200, undefined],
    [
      { caCertificates: [authority.cert], publicKeyPins: [createHash('sha256').digest('base64')] },
      502,
      'gateway.upstream_untrusted',
    ],
  ];
  for (const [app, status, code] of rows) {
    const gw = await gatewayFor({
      upstream: `https://localhost:${upstream.port}`,
      app: { ...app, privateAddresses: ['127.0.0.1', '::1'] },
    });
    expect(await codeOf(await fetch(`${gw.url}/github/x`, { headers: bearer }))).toEqual([status, code]);
  }
});

test('a listener speaks TLS, and a certificate-bound token works only with its certificate', async () => {
  const authority = await createAuthority('test', Date.now());
  const server = await issueServerCertificate(authority, { dns: ['localhost'], ip: [] }, Date.now());
  const client = await issueServerCertificate(authority, { dns: ['client'], ip: [] }, Date.now());
  const thumbprint = createHash('sha256').update(new X509Certificate(client.cert).raw).digest('base64url');
  const upstream = await upstreamStub();
  const gw = await gatewayFor({
    upstream: upstream.url,
    token: { cnf: { 'x5t#S256': thumbprint } },
    config: { listeners: [{ kind: 'api', host: '127.0.0.1', port: 0, tls: { ...server, clientCertificates: true } }] },
  });
  const call = (tls: https.RequestOptions): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = https.get(
        {
          port: gw.port,
          host: '127.0.0.1',
          servername: 'localhost',
          ca: authority.cert,
          path: '/github/x',
          headers: { ...bearer, host: 'localhost' },
          agent: false,
          ...tls,
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', reject);
    });
  expect(await call({ cert: client.cert, key: client.key })).toBe(200);
  expect(await call({})).toBe(401);
  expect(await call({ cert: server.cert, key: server.key })).toBe(401);
});

test('plain HTTP on an address that others can reach is a mistake of configuration', async () => {
  const config = { listeners: [{ kind: 'api' as const, host: '0.0.0.0', port: 0 }] };
  await expect(startTestGateway({ upstream: 'http://127.0.0.1:1', config })).rejects.toThrow('has no TLS');
});

test('an app with a port of its own gets a listener, which follows the snapshot', async () => {
  const upstream = await upstreamStub();
  const spare = await upstreamStub();
  await spare.close();
  const gw = await gatewayFor({
    upstream: upstream.url,
    app: { port: spare.port },
    config: { appPorts: { host: '127.0.0.1' } },
  });
  const answer = await fetch(`http://127.0.0.1:${spare.port}/v1/things`, { headers: bearer });
  expect(await answer.json()).toEqual({ path: '/v1/things' });
  gw.control.publish({ remove: ['app:app-1'] });
  await vi.waitFor(async () => {
    await expect(fetch(`http://127.0.0.1:${spare.port}/v1/things`, { headers: bearer })).rejects.toThrow(
      'fetch failed',
    );
  });
});

test('concurrency and daily quotas hold', async () => {
  const finish: (() => void)[] = [];
  const upstream = await startUpstream((_request, _body, response) =>
    finish.push(() => void response.writeHead(204).end()),
  );
  open.push(upstream);
  const gw = await gatewayFor({
    upstream: upstream.url,
    entries: {
      'limit:a': sampleEntry('limit', { id: 'a', name: 'Two at a time', rate: null, concurrency: 2 }),
      'limit:b': sampleEntry('limit', { id: 'b', name: 'Five a day', rate: null, quota: { callsPerDay: 5 } }),
    },
  });
  const call = (): Promise<Response> => fetch(`${gw.url}/github/x`, { headers: bearer });
  const running = [call(), call()];
  await vi.waitFor(() => expect(finish).toHaveLength(2));
  expect(await codeOf(await call())).toEqual([429, 'gateway.concurrency_limited']);
  for (const end of finish) end();
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual([204, 204]);
  for (let index = 0; index < 3; index++) {
    const next = call();
    await vi.waitFor(() => expect(finish.length).toBe(3 + index));
    finish.at(-1)!();
    expect((await next).status).toBe(204);
  }
  expect(await codeOf(await call())).toEqual([429, 'gateway.quota_exceeded']);
});

test('draining finishes what is in flight and leaves nothing in the spool', async () => {
  let finish: (() => void) | undefined;
  const upstream = await startUpstream((_request, _body, response) => {
    finish = () => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  open.push(upstream);
  const gw = await gatewayFor({ upstream: upstream.url });
  const running = fetch(`${gw.url}/github/x`, { headers: bearer });
  await vi.waitFor(() => expect(finish).toBeDefined());
  const stopping = gw.gateway.stop();
  finish?.();
  expect((await running).status).toBe(200);
  await stopping;
  expect(gw.control.events).toHaveLength(1);
  expect(fs.readdirSync(path.join(gw.dataDir, 'spool'))).toEqual([]);
  await expect(fetch(`${gw.url}/github/x`, { headers: bearer })).rejects.toThrow('fetch failed');
});

test('a client that goes away ends the call upstream, and is recorded', async () => {
  const closed: boolean[] = [];
  const upstream = await startUpstream((_request, _body, response) => response.on('close', () => closed.push(true)));
  open.push(upstream);
  const gw = await gatewayFor({ upstream: upstream.url });
  const aborter = new AbortController();
  const call = fetch(`${gw.url}/github/x`, { headers: bearer, signal: aborter.signal });
  await vi.waitFor(() => expect(upstream.requests).toHaveLength(1));
  aborter.abort();
  await expect(call).rejects.toThrow('aborted');
  await vi.waitFor(() => expect(closed).toEqual([true]));
  await vi.waitFor(async () => expect(await gw.events()).toHaveLength(1));
  expect(gw.control.events[0]).toMatchObject({ status_code: 'gateway.client_gone' });
});
