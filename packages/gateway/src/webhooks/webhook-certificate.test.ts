import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { createAuthority, createSecretEnvelope, issueServerCertificate } from '@cordon/kernel';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing.ts';
import { readScheme } from './test-scheme.ts';

/** Vendors that prove themselves by a TLS client certificate, made by OpenSSL as theirs are. */

const CERTIFIED = '018f0000-0000-7000-8000-000000000001';
const NAMED = '018f0000-0000-7000-8000-000000000002';
const PINNED = '018f0000-0000-7000-8000-000000000003';
const LIMITED = '018f0000-0000-7000-8000-000000000004';
const envelope = createSecretEnvelope({ keys: [Buffer.alloc(32, 9)] });

interface Pair {
  readonly cert: string;
  readonly key: string;
}

let folder: string;
let gateway: TestGateway;
let port: number;
let serverAuthority: string;
const pairs: Record<string, Pair> = {};

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A certificate of the authority `issuer`, or one that vouches for itself. */
function make(name: string, issuer: string | null, ...extensions: string[]): void {
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const signed = issuer === null ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-days', '2', '-out', `${name}.pem`, ...signed, ...added);
  const read = (suffix: string): string => fs.readFileSync(path.join(folder, name + suffix), 'utf8');
  pairs[name] = { cert: read('.pem'), key: read('.key') };
}

const LEAF = 'basicConstraints=critical,CA:FALSE';
const pem = (name: string): string => pairs[name]!.cert; // made below

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-vendor-'));
  make('vendor-ca', null, 'basicConstraints=critical,CA:TRUE');
  make('other-ca', null, 'basicConstraints=critical,CA:TRUE');
  make('hooks', 'vendor-ca', LEAF, 'subjectAltName=DNS:hooks.vendor.example', 'extendedKeyUsage=clientAuth');
  make('nameless', 'vendor-ca', LEAF, 'extendedKeyUsage=clientAuth');
  make('server', 'vendor-ca', LEAF, 'subjectAltName=DNS:hooks.vendor.example', 'extendedKeyUsage=serverAuth');
  make('stranger', 'other-ca', LEAF, 'subjectAltName=DNS:hooks.vendor.example', 'extendedKeyUsage=clientAuth');
  make('below', 'hooks', LEAF, 'subjectAltName=DNS:hooks.vendor.example');
  make('alone', null, LEAF);
  const authority = await createAuthority('Test', Date.now());
  serverAuthority = authority.cert;
  const server = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
  const scheme = readScheme('mutual-tls');
  const endpoint = (id: string, secret: string, overrides = {}) =>
    sampleEntry('webhook', {
      id,
      scheme,
      secrets: [{ id: 'one', sealed: envelope.seal(secret, `webhook:${id}`) }],
      ...overrides,
    });
  const named = { ...scheme, certificate: { names: ['hooks.vendor.example'] } };
  gateway = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    deps: { envelope },
    config: {
      listeners: [
        { kind: 'api', host: '127.0.0.1', port: 0 },
        { kind: 'api', host: '127.0.0.1', port: 0, tls: { ...server, clientCertificates: true } },
      ],
    },
    entries: {
      [`webhook:${CERTIFIED}`]: endpoint(CERTIFIED, pem('vendor-ca')),
      [`webhook:${NAMED}`]: endpoint(NAMED, `${pem('other-ca')}${pem('vendor-ca')}`, { scheme: named }),
      [`webhook:${PINNED}`]: endpoint(PINNED, pem('alone')),
      [`webhook:${LIMITED}`]: endpoint(LIMITED, pem('vendor-ca'), { rate: { count: 2, periodMs: 3_600_000 } }),
    },
  });
  port = gateway.gateway.addresses[1]!.port; // two listeners
});
afterAll(async () => {
  await gateway.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

function send(id: string, client: Pair | undefined, body: string): Promise<{ status: number; retryAfter?: string }> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: '127.0.0.1',
        port,
        path: `/hooks/${id}`,
        method: 'POST',
        ca: serverAuthority,
        servername: 'localhost',
        agent: false,
        headers: { 'content-type': 'application/json' },
        ...client,
      },
      (answer) => {
        answer.resume();
        const retryAfter = answer.headers['retry-after'];
        resolve({ status: answer.statusCode ?? 0, ...(retryAfter === undefined ? {} : { retryAfter }) });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

test.each([
  [CERTIFIED, 'hooks', 200],
  [CERTIFIED, 'nameless', 200],
  [CERTIFIED, 'server', 401],
  [CERTIFIED, 'stranger', 401],
  [CERTIFIED, 'below', 401],
  [CERTIFIED, 'vendor-ca', 200],
  [CERTIFIED, 'alone', 401],
  [NAMED, 'hooks', 200],
  [NAMED, 'stranger', 200],
  [NAMED, 'nameless', 401],
  [PINNED, 'alone', 200],
  [PINNED, 'hooks', 401],
])('%s with the certificate "%s": %i', async (id, name, status) => {
  expect(await send(id, pairs[name], `{"by":"${name}"}`)).toEqual({ status });
});

test('without a certificate, or with a claim of one in a field, nobody is let in', async () => {
  expect(await send(CERTIFIED, undefined, '{}')).toEqual({ status: 401 });
  const raw = pem('hooks').replaceAll(/-----[^-]+-----|\s/g, '');
  const forged = await fetch(`${gateway.url}/hooks/${CERTIFIED}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'client-cert': `:${raw}:` },
    body: '{}',
  });
  expect(forged.status).toBe(401);
});

test('an endpoint takes so many deliveries and no more; what proves nothing uses nothing up', async () => {
  for (let n = 0; n < 5; n++) expect(await send(LIMITED, pairs['stranger'], `{"n":${n}}`)).toEqual({ status: 401 });
  expect(await send(LIMITED, pairs['hooks'], '{"n":1}')).toEqual({ status: 200 });
  expect(await send(LIMITED, pairs['hooks'], '{"n":2}')).toEqual({ status: 200 });
  expect(await send(LIMITED, pairs['hooks'], '{"n":3}')).toMatchObject({
    status: 429,
    retryAfter: expect.stringMatching(/^\d+$/),
  });
});
