import { execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { createAuthority, issueServerCertificate, type PemPair } from '@cordon/kernel';
import { sampleEntry } from '@cordon/policy/testing';
import { ProxyAgent, request } from 'undici';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  tokenHash,
  type UpstreamStub,
  VENDOR_SECRET,
} from '../testing.ts';
import { AUTHORITY_CONTEXT } from './leaf-certificates.ts';

const run = promisify(execFile);
const CLIENT = { id: 'client-1', secret: 's3cret-of-client' };
let upstream: UpstreamStub;
let plain: UpstreamStub;
let tokens: UpstreamStub;
let ca: PemPair;
let gw: TestGateway;
let proxyPort = 0;
let caFile = '';

const app = (id: string, extra: Record<string, unknown>) =>
  sampleEntry('app', {
    id,
    name: id,
    upstream: upstream.url,
    privateAddresses: ['127.0.0.1'],
    unknownOperations: 'allow',
    ...extra,
  });

beforeAll(async () => {
  ca = await createAuthority('Test authority', Date.now());
  caFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-proxy-')), 'ca.pem');
  fs.writeFileSync(caFile, ca.cert);
  const server = await issueServerCertificate(ca, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
  const echo = (incoming: http.IncomingMessage, body: Buffer, response: http.ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ path: incoming.url, bytes: body.length }));
  };
  upstream = await startUpstream(echo, server);
  plain = await startUpstream(echo);
  tokens = await startUpstream((incoming, _body, response) => {
    const basic = Buffer.from(incoming.headers.authorization?.slice(6) ?? '', 'base64').toString();
    const good = basic === `${CLIENT.id}:${CLIENT.secret}`;
    response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        good ? { access_token: TEST_TOKEN, token_type: 'Bearer', expires_in: 600 } : { error: 'invalid_client' },
      ),
    );
  });
  gw = await startTestGateway({
    upstream: `https://127.0.0.1:${upstream.port}`,
    app: { forwardProxy: 'inspect', injection: 'refuse', caCertificates: [ca.cert] },
    entries: {
      'app:app-2': app('tunnelled', {
        id: 'app-2',
        name: 'tunnelled',
        upstream: `https://localhost:${upstream.port}`,
        privateAddresses: ['127.0.0.1', '::1'],
        forwardProxy: 'tunnel',
      }),
      'grant:grant-2': sampleEntry('grant', {
        id: 'grant-2',
        appId: 'app-2',
        select: [{ kind: 'access', access: 'any' }],
      }),
      'app:app-3': app('plain', {
        id: 'app-3',
        name: 'plain',
        upstream: `http://127.0.0.1:${plain.port}`,
        plaintext: 'allow',
        forwardProxy: 'inspect',
      }),
      'grant:grant-3': sampleEntry('grant', {
        id: 'grant-3',
        appId: 'app-3',
        select: [{ kind: 'access', access: 'any' }],
      }),
      'app:app-4': app('closed', { id: 'app-4', name: 'closed', upstream: 'https://closed.example' }),
      'app:app-5': app('ungranted', {
        id: 'app-5',
        name: 'ungranted',
        upstream: 'https://ungranted.example',
        forwardProxy: 'tunnel',
      }),
      'integration:int-9': sampleEntry('integration', {
        id: 'int-9',
        name: 'Gone',
        clientId: 'client-9',
        status: 'suspended',
      }),
      [`token:${tokenHash('token-of-int-9')}`]: sampleEntry('token', { integrationId: 'int-9', expiresAt: 4e12 }),
    },
    config: { proxy: { host: '127.0.0.1', port: 0, tokenUrl: `${tokens.url}/oauth/token` } },
    limits: { failuresPerSource: 1_000 },
  });
  await publish({ unknown: 'refuse' });
  proxyPort = gw.gateway.proxyAddress!.port; // the configuration above asks for one
});

afterAll(async () => {
  await gw.stop();
  await Promise.all([upstream.close(), plain.close(), tokens.close()]);
});

/** Puts the proxy's settings in force, beside the entries that the gateway began with. */
async function publish(settings: Record<string, unknown>): Promise<void> {
  const authority = { certificate: ca.cert, sealed: gw.envelope.seal(ca.key, AUTHORITY_CONTEXT) };
  const { version } = gw.control.publish({
    set: { 'proxy:settings': sampleEntry('proxy', { authority, ...settings }) },
  });
  await vi.waitFor(() => expect(gw.gateway.health().version).toBe(version), { timeout: 10_000 });
}

const proxyAgent = (user = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`): ProxyAgent =>
  new ProxyAgent({ uri: `http://127.0.0.1:${proxyPort}`, token: user, requestTls: { ca: ca.cert } });

/** Sends CONNECT by hand and gives the answer's status line. */
async function connect(target: string, headers: readonly string[]): Promise<string> {
  const socket = net.connect(proxyPort, '127.0.0.1');
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${headers.map((field) => `${field}\r\n`).join('')}\r\n`,
  );
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString('latin1');
}

const bearer = `Proxy-Authorization: Bearer ${TEST_TOKEN}`;

async function proxyEvents(): Promise<Record<string, unknown>[]> {
  const events = await gw.events();
  return events.filter((event) => event['class_uid'] === 4002);
}

test('undici opens a connection to an app that opted in, and the whole pipeline runs', async () => {
  const agent = proxyAgent();
  const answer = await request(`https://127.0.0.1:${upstream.port}/items?x=1`, {
    dispatcher: agent,
    headers: { authorization: 'token whatever-the-sdk-holds' },
  });
  expect(answer.statusCode).toBe(200);
  expect(await answer.body.json()).toEqual({ path: '/items?x=1', bytes: 0 });
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${VENDOR_SECRET}`);
  const attack = await request(`https://127.0.0.1:${upstream.port}/items?id=1%20or%201=1`, { dispatcher: agent });
  expect(attack.statusCode).toBe(400);
  expect(await attack.body.json()).toMatchObject({ code: 'gateway.injection_refused' });
  await agent.close();
});

test('curl goes through with HTTPS_PROXY', async () => {
  const { stdout } = await run(
    'curl',
    ['-sS', '--max-time', '15', '--cacert', caFile, `https://127.0.0.1:${upstream.port}/from-curl`],
    {
      env: { HTTPS_PROXY: `http://${CLIENT.id}:${CLIENT.secret}@127.0.0.1:${proxyPort}`, PATH: '/usr/bin:/bin' },
    },
  );
  expect(JSON.parse(stdout)).toEqual({ path: '/from-curl', bytes: 0 });
});

test('a tunnelled app keeps its own TLS, and host, handshake and volume are recorded', async () => {
  const agent = proxyAgent(`Bearer ${TEST_TOKEN}`);
  const answer = await request(`https://localhost:${upstream.port}/through`, {
    dispatcher: agent,
    headers: { authorization: 'Bearer own' },
  });
  expect(answer.statusCode).toBe(200);
  await answer.body.text();
  expect(upstream.requests.at(-1)?.headers.authorization).toBe('Bearer own');
  await agent.close();
  await expect
    .poll(async () => (await proxyEvents()).find((event) => JSON.stringify(event).includes('"way":"tunnel"')), {
      timeout: 10_000,
    })
    .toMatchObject({
      dst_endpoint: { hostname: 'localhost', port: upstream.port },
      unmapped: { cordon: { decision: 'allow', proxy: { way: 'tunnel', known: true, sni: 'localhost' } } },
      traffic: { bytes_in: expect.any(Number), bytes_out: expect.any(Number) },
    });
});

test.each([
  ['no credentials', 'localhost:443', [], '407'],
  [
    'a wrong secret',
    'localhost:443',
    [`Proxy-Authorization: Basic ${Buffer.from('client-1:wrong-secret').toString('base64')}`],
    '407',
  ],
  ['a suspended integration', 'localhost:443', ['Proxy-Authorization: Bearer token-of-int-9'], '403'],
  ['an unknown destination', 'unknown.example:443', [bearer], '403'],
  ['an app that the proxy leaves closed', 'closed.example:443', [bearer], '403'],
  ['an app without a grant', 'ungranted.example:443', [bearer], '403'],
  ['no port', 'localhost', [bearer], '400'],
  ['a target that is no host', 'user@localhost:443', [bearer], '400'],
])('CONNECT with %s is refused', async (_name, target, headers, status) => {
  expect(await connect(target, headers)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

test('asks for credentials in a way that clients answer', async () => {
  expect(await connect('localhost:443', [])).toContain('Proxy-Authenticate: Basic realm="cordon"');
});

test('every refused destination becomes an event that names host and integration', async () => {
  await connect('shadow-it.example:443', [bearer]);
  await expect
    .poll(async () => (await proxyEvents()).find((event) => JSON.stringify(event).includes('shadow-it.example')), {
      timeout: 10_000,
    })
    .toMatchObject({
      status_code: 'gateway.proxy_refused',
      dst_endpoint: { hostname: 'shadow-it.example', port: 443 },
      actor: { app_uid: 'int-1' },
    });
});

test('a handshake for another host than the tunnel’s is cut', async () => {
  const before = upstream.requests.length;
  const socket = net.connect(proxyPort, '127.0.0.1');
  socket.write(`CONNECT localhost:${upstream.port} HTTP/1.1\r\nHost: localhost:${upstream.port}\r\n${bearer}\r\n\r\n`);
  await once(socket, 'data');
  const secure = tls.connect({ socket, servername: 'elsewhere.example', rejectUnauthorized: false });
  secure.on('error', () => undefined);
  // `once` would take the error that comes first for a failure.
  await new Promise((resolve) => secure.once('close', resolve));
  expect(upstream.requests.length).toBe(before);
});

test('what is no TLS does not go through a tunnel', async () => {
  const socket = net.connect(proxyPort, '127.0.0.1');
  socket.write(`CONNECT localhost:${upstream.port} HTTP/1.1\r\nHost: localhost:${upstream.port}\r\n${bearer}\r\n\r\n`);
  await once(socket, 'data');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  expect(socket.bytesRead).toBeLessThan(100);
});

test('a plain call in absolute form to an app takes the pipeline', async () => {
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http
      .request(
        {
          host: '127.0.0.1',
          port: proxyPort,
          path: `http://127.0.0.1:${plain.port}/plain`,
          headers: { host: `127.0.0.1:${plain.port}`, 'proxy-authorization': `Bearer ${TEST_TOKEN}` },
        },
        resolve,
      )
      .on('error', reject)
      .end();
  });
  expect(answer.statusCode).toBe(200);
  answer.resume();
  expect(plain.requests.at(-1)?.url).toBe('/plain');
  expect(plain.requests.at(-1)?.headers['proxy-authorization']).toBeUndefined();
});

test('observed destinations still meet the guard of addresses', async () => {
  await publish({ unknown: 'observe', ports: [443, plain.port] });
  expect(await connect('127.0.0.1:443', [bearer])).toMatch(/^HTTP\/1\.1 502 /);
  expect(await connect('169.254.169.254:443', [bearer])).toMatch(/^HTTP\/1\.1 502 /);
  expect(await connect(`localhost:${plain.port}`, [bearer])).toMatch(/^HTTP\/1\.1 502 /);
  expect(await connect('anything.example:22', [bearer])).toMatch(/^HTTP\/1\.1 403 /);
});

test('a forbidden host and what lies beneath it are refused, whatever else is let through; others are not', async () => {
  await publish({ unknown: 'observe', ports: [443], blocked: ['forbidden.invalid', 'localhost.example'] });
  for (const host of ['forbidden.invalid', 'api.forbidden.invalid', 'FORBIDDEN.invalid', 'forbidden.invalid.']) {
    expect(await connect(`${host}:443`, [bearer])).toMatch(/^HTTP\/1\.1 403 /);
  }
  expect(await connect('notforbidden.invalid:443', [bearer])).not.toMatch(/^HTTP\/1\.1 403 /);
});

test('a tunnel ends when its integration is cut off', async () => {
  const socket = net.connect(proxyPort, '127.0.0.1');
  socket.write(`CONNECT localhost:${upstream.port} HTTP/1.1\r\nHost: localhost:${upstream.port}\r\n${bearer}\r\n\r\n`);
  await once(socket, 'data');
  const secure = tls.connect({ socket, servername: 'localhost', ca: ca.cert });
  secure.on('error', () => undefined);
  await once(secure, 'secureConnect');
  gw.control.publish({ set: { 'integration:int-1': sampleEntry('integration', { status: 'revoked' }) }, revoke: true });
  await new Promise((resolve) => secure.once('close', resolve));
  expect(await connect(`localhost:${upstream.port}`, [bearer])).toMatch(/^HTTP\/1\.1 403 /);
});
