import { generateKeyPairSync, sign } from 'node:crypto';
import { sampleEntry } from '@cordon/policy/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  tokenHash,
  type UpstreamStub,
} from './testing.ts';

let upstream: UpstreamStub;
let gw: TestGateway;
const bearer = { authorization: `Bearer ${TEST_TOKEN}` };

function call(path: string, init: RequestInit): Promise<Response> {
  return fetch(gw.url + path, init);
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = publicKey.export({ format: 'jwk' });

function jwt(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encode({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', ...header });
  const seconds = Math.floor(Date.now() / 1000);
  const body = encode({ iss: 'https://cordon.example', exp: seconds + 300, client_id: 'client-1', ...claims });
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${head}.${body}.${signature.toString('base64url')}`;
}

beforeAll(async () => {
  upstream = await startUpstream((_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  gw = await startTestGateway({
    upstream: upstream.url,
    entries: {
      'integration:int-2': sampleEntry('integration', {
        id: 'int-2',
        name: 'Paused',
        clientId: 'client-2',
        status: 'suspended',
      }),
      'integration:int-3': sampleEntry('integration', {
        id: 'int-3',
        name: 'Over',
        clientId: 'client-3',
        expiresAt: 1,
      }),
      [`token:${tokenHash('token-of-int-2')}`]: sampleEntry('token', { integrationId: 'int-2', expiresAt: 4e12 }),
      [`token:${tokenHash('token-of-int-3')}`]: sampleEntry('token', { integrationId: 'int-3', expiresAt: 4e12 }),
      [`token:${tokenHash('token-expired')}`]: sampleEntry('token', { expiresAt: 1 }),
      [`token:${tokenHash('token-revoked')}`]: sampleEntry('token', { expiresAt: 4e12 }),
      [`revoked:${tokenHash('token-revoked')}`]: { expiresAt: 4e12 },
      [`token:${tokenHash('token-elsewhere')}`]: sampleEntry('token', {
        expiresAt: 4e12,
        audience: ['https://other.example'],
      }),
      [`token:${tokenHash('token-dpop-bound')}`]: sampleEntry('token', { expiresAt: 4e12, cnf: { jkt: 'thumbprint' } }),
      [`token:${tokenHash('token-mtls-bound')}`]: sampleEntry('token', {
        expiresAt: 4e12,
        cnf: { 'x5t#S256': 'thumbprint' },
      }),
      'jwk:key-1': {
        kid: 'key-1',
        issuer: 'https://cordon.example',
        jwk: { kty: 'EC', alg: 'ES256', crv: 'P-256', x: signer.x, y: signer.y },
      },
    },
    limits: { failuresPerSource: 1_000 },
  });
});

afterAll(async () => {
  await gw.stop();
  await upstream.close();
});

const accepted: [name: string, headers: Record<string, string>][] = [
  ['Bearer', bearer],
  ['token', { authorization: `token ${TEST_TOKEN}` }],
  ['Basic password', { authorization: `Basic ${btoa(`AC123:${TEST_TOKEN}`)}` }],
  ['Basic user name', { authorization: `Basic ${btoa(`${TEST_TOKEN}:`)}` }],
  ['X-Cordon-Token', { 'x-cordon-token': TEST_TOKEN, authorization: 'Bearer of-the-sdk' }],
  ['a good JWT', { authorization: `Bearer ${jwt({})}` }],
];

test.each(accepted)('identify: accepts %s', async (_name, headers) => {
  const before = upstream.requests.length;
  expect((await call('/github/repos/o', { headers })).status).toBe(200);
  expect(upstream.requests.length).toBe(before + 1);
});

const unidentified: [name: string, headers: Record<string, string>, status: number, code: string][] = [
  ['nothing', {}, 401, 'gateway.token_missing'],
  ['an unknown token', { authorization: 'Bearer nobody-knows-this' }, 401, 'gateway.token_unknown'],
  ['an expired token', { authorization: 'Bearer token-expired' }, 401, 'gateway.token_expired'],
  ['a revoked token', { authorization: 'Bearer token-revoked' }, 401, 'gateway.token_revoked'],
  ['a token for another app', { authorization: 'Bearer token-elsewhere' }, 401, 'gateway.token_audience'],
  ['a DPoP-bound token as bearer', { authorization: 'Bearer token-dpop-bound' }, 401, 'gateway.token_invalid'],
  [
    'a certificate-bound token without certificate',
    { authorization: 'Bearer token-mtls-bound' },
    401,
    'gateway.token_invalid',
  ],
  ['a suspended integration', { authorization: 'Bearer token-of-int-2' }, 403, 'gateway.integration_suspended'],
  ['an integration past its date', { authorization: 'Bearer token-of-int-3' }, 403, 'gateway.integration_expired'],
  ['a scheme nobody reads', { authorization: 'Negotiate abcdefgh' }, 400, 'gateway.token_ambiguous'],
  ['an expired JWT', { authorization: `Bearer ${jwt({ exp: 1 })}` }, 401, 'gateway.token_expired'],
  ['a JWT that lives too long', { authorization: `Bearer ${jwt({ exp: 4e9 })}` }, 401, 'gateway.token_invalid'],
  [
    'a JWT of another issuer',
    { authorization: `Bearer ${jwt({ iss: 'https://evil.example' })}` },
    401,
    'gateway.token_invalid',
  ],
  ['an ID token', { authorization: `Bearer ${jwt({}, { typ: 'JWT' })}` }, 401, 'gateway.token_invalid'],
  ['alg none', { authorization: `Bearer ${jwt({}, { alg: 'none' })}` }, 401, 'gateway.token_invalid'],
  ['an unknown key', { authorization: `Bearer ${jwt({}, { kid: 'other' })}` }, 401, 'gateway.token_invalid'],
  ['a forged signature', { authorization: `Bearer ${jwt({}).slice(0, -4)}AAAA` }, 401, 'gateway.token_invalid'],
  [
    'a JWT of an unknown client',
    { authorization: `Bearer ${jwt({ client_id: 'nobody' })}` },
    401,
    'gateway.token_unknown',
  ],
];

test.each(unidentified)('identify: refuses %s', async (_name, headers, status, code) => {
  const before = upstream.requests.length;
  const response = await call('/github/repos/o', { headers });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ code, status });
  expect(upstream.requests.length).toBe(before);
  expect(response.headers.get('www-authenticate')?.includes(' realm="cordon"') ?? false).toBe(status !== 403);
});
