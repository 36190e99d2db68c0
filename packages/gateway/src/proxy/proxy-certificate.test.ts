import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
  makeCertificateRequest,
  type PemPair,
  thumbprintOfCertificate,
} from '@cordon/kernel';
import { sampleEntry } from '@cordon/policy/testing';
import { Octokit } from '@octokit/rest';
import { fetch as undiciFetch, ProxyAgent, request, type RequestInit } from 'undici';
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
/** Of the integration's client, bound to `own`'s certificate. */
const BOUND_TOKEN = 'cordon_at_bound-to-a-certificate-0123';
const SCRIPT = fileURLToPath(new URL('../test-octokit-process.ts', import.meta.url));
let upstream: UpstreamStub;
let ca: PemPair;
let own: PemPair;
let other: PemPair;
let gw: TestGateway;
let folder = '';
let vendor = '';
const der = ({ cert }: PemPair): string => new X509Certificate(cert).raw.toString('base64');

async function certificate(from: PemPair, name: string): Promise<PemPair> {
  const { key, request: csr } = await makeCertificateRequest(name);
  const uri = `spiffe://cordon.example/${name}`;
  const input = { request: csr, commonName: name, uri, now: Date.now(), lifeMs: 3_600_000 };
  return { cert: (await issueClientCertificate(from, input)).cert, key };
}

beforeAll(async () => {
  ca = await createAuthority('Test authority', Date.now());
  const server = await issueServerCertificate(ca, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
  [own, other] = [await certificate(ca, 'own'), await certificate(ca, 'other')];
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-proxy-tls-'));
  for (const [name, text] of [
    ['ca.pem', ca.cert],
    ['own.pem', own.cert],
    ['own.key', own.key],
  ] as const)
    fs.writeFileSync(path.join(folder, name), text);
  const answer = (incoming: http.IncomingMessage, _body: Buffer, response: http.ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify([{ number: 7, title: 'through the proxy', path: incoming.url }]));
  };
  upstream = await startUpstream(answer, server);
  vendor = `https://localhost:${upstream.port}`;
  const thumbprint = thumbprintOfCertificate(new X509Certificate(own.cert));
  gw = await startTestGateway({
    upstream: vendor,
    app: { forwardProxy: 'inspect', privateAddresses: ['127.0.0.1', '::1'], caCertificates: [ca.cert] },
    entries: {
      [`token:${tokenHash(BOUND_TOKEN)}`]: sampleEntry('token', {
        expiresAt: 4e12,
        cnf: { 'x5t#S256': thumbprint },
        assurance: 'm1',
      }),
    },
    config: {
      proxy: { host: '127.0.0.1', port: 0 },
      secureProxy: { host: '127.0.0.1', port: 0, tls: { ...server, clientCertificates: true } },
    },
    limits: { failuresPerSource: 1_000 },
  });
  gw.control.certificates.set(der(own), BOUND_TOKEN);
  const authority = { certificate: ca.cert, sealed: gw.envelope.seal(ca.key, AUTHORITY_CONTEXT) };
  const { version } = gw.control.publish({ set: { 'proxy:settings': sampleEntry('proxy', { authority }) } });
  await vi.waitUntil(() => gw.gateway.health().version === version, { timeout: 10_000 });
});

afterAll(async () => {
  await gw.stop();
  await upstream.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const proxyUrl = (): string => `https://localhost:${gw.gateway.secureProxyAddress?.port}`;

function agentOf(pair: PemPair | undefined, token?: string): ProxyAgent {
  const proxyTls = { ca: ca.cert, ...pair };
  return new ProxyAgent({ uri: proxyUrl(), proxyTls, requestTls: { ca: ca.cert }, ...(token ? { token } : {}) });
}

/** The status of a call through the proxy, or of the proxy's refusal to connect. */
async function through(pair: PemPair | undefined, token?: string): Promise<number> {
  const dispatcher = agentOf(pair, token);
  try {
    const answer = await request(`${vendor}/items`, { dispatcher });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    return Number(/\((\d{3})\)/.exec(String(error))?.[1] ?? 0);
  } finally {
    await dispatcher.close();
  }
}

test('a certificate alone is enough, and the calls of the opened connection are the integration’s', async () => {
  expect(await through(own)).toBe(200);
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${VENDOR_SECRET}`);
  await expect
    .poll(async () => (await gw.events()).filter((event) => event['class_uid'] === 6003).at(-1), { timeout: 10_000 })
    .toMatchObject({ actor: { app_uid: 'int-1' } });
});

test('control is asked once for the connections of one certificate', async () => {
  const before = gw.control.certificatesAsked.filter((asked) => asked === der(own)).length;
  expect(await Promise.all([through(own), through(own), through(own)])).toEqual([200, 200, 200]);
  expect(gw.control.certificatesAsked.filter((asked) => asked === der(own)).length - before).toBeLessThanOrEqual(1);
});

test.each<[string, () => Promise<number>, number]>([
  ['no certificate', () => through(undefined), 407],
  ['a certificate that is no integration’s', () => through(other), 407],
  ['the bound token with another certificate', () => through(other, `Bearer ${BOUND_TOKEN}`), 407],
  ['the bound token without its certificate', () => through(undefined, `Bearer ${BOUND_TOKEN}`), 407],
  ['the bound token with its certificate', () => through(own, `Bearer ${BOUND_TOKEN}`), 200],
  ['wrong credentials beside a good certificate', () => through(own, 'Bearer cordon_at_nobody-knows-this-one'), 407],
])('%s: %#', async (_what, call, status) => {
  expect(await call()).toBe(status);
});

test('curl shows its certificate to the proxy', async () => {
  const file = (name: string): string => path.join(folder, name);
  const tls = ['--proxy-cert', file('own.pem'), '--proxy-key', file('own.key'), '--proxy-cacert', file('ca.pem')];
  const args = ['-sS', '--max-time', '15', ...tls, '--cacert', file('ca.pem'), `${vendor}/from-curl`];
  const { stdout } = await run('curl', args, { env: { HTTPS_PROXY: proxyUrl(), PATH: '/usr/bin:/bin' } });
  expect(JSON.parse(stdout)).toMatchObject([{ path: '/from-curl' }]);
});

test('octokit with a certificate lists issues, its own key replaced by the vendor’s', async () => {
  const dispatcher = agentOf(own);
  const fetch = (url: string, init: RequestInit) => undiciFetch(url, { ...init, dispatcher });
  const octokit = new Octokit({ baseUrl: vendor, auth: 'ghp_the-key-that-the-script-had', request: { fetch } });
  const { data } = await octokit.rest.issues.listForRepo({ owner: 'octo', repo: 'demo', state: 'open' });
  expect(data).toMatchObject([{ number: 7, path: '/repos/octo/demo/issues?state=open' }]);
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${VENDOR_SECRET}`);
  await dispatcher.close();
});

test('octokit, unchanged, goes through HTTPS_PROXY alone', async () => {
  const { stdout } = await run(process.execPath, [SCRIPT, vendor], {
    env: {
      HTTPS_PROXY: `http://token:${TEST_TOKEN}@127.0.0.1:${gw.gateway.proxyAddress?.port}`,
      NODE_USE_ENV_PROXY: '1',
      NODE_EXTRA_CA_CERTS: path.join(folder, 'ca.pem'),
      PATH: '/usr/bin:/bin',
    },
  });
  expect(JSON.parse(stdout)).toMatchObject([{ number: 7, title: 'through the proxy' }]);
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${VENDOR_SECRET}`);
});
