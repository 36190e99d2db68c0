import { execFile } from 'node:child_process';
import { generateKeyPairSync, hash, type KeyObject, randomUUID, sign, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  createAuthority,
  issueClientCertificate,
  issueServerCertificate,
  makeCertificateRequest,
  type PemPair,
} from '@cordon/kernel';
import { sampleEntry } from '@cordon/policy/testing';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCK_FAILURES } from './source-locks.ts';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  tokenHash,
  type UpstreamStub,
} from './testing.ts';

const run = promisify(execFile);
const BOUND = 'cordon_at_bound_to_a_certificate_0001';
const SENDER = 'cordon_at_bound_to_a_dpop_key_0000001';
const APPROVED = 'cordon_at_approved_by_somebody_000001';
const PARTLY = 'cordon_at_approved_by_somebody_000002';
const BODY = '{"amount":100,"to":{"account":"DE1"}}';
const ISSUER = 'https://cordon.example';

let upstream: UpstreamStub;
let harness: TestGateway;
let authority: PemPair;
let mine: { cert: string; key: string };
let other: { cert: string; key: string };
let folder: string;
const dpop = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function jwkOf(key: KeyObject): Record<string, unknown> {
  const { crv, kty, x, y } = key.export({ format: 'jwk' });
  return { crv, kty, x, y };
}

async function certificate(name: string): Promise<{ cert: string; key: string }> {
  const { key, request: csr } = await makeCertificateRequest(name);
  const uri = `spiffe://cordon.example/${name}`;
  const input = { request: csr, commonName: name, uri, now: Date.now(), lifeMs: 3_600_000 };
  return { cert: (await issueClientCertificate(authority, input)).cert, key };
}

const thumbprint = (pem: string): string => hash('sha256', new X509Certificate(pem).raw, 'base64url');

const CALL = {
  type: 'cordon_call' as const,
  app: 'github',
  operation: 'unknown:POST',
  method: 'POST',
  path: '/payouts',
  body_sha256: hash('sha256', BODY, 'hex'),
};
/** An approval of one member of the body. */
const PART = {
  type: CALL.type,
  app: CALL.app,
  operation: 'unknown:PATCH',
  method: 'PATCH',
  path: CALL.path,
  arguments: { '/amount': 100 },
};

beforeAll(async () => {
  authority = await createAuthority('Test', Date.now());
  const server = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
  [mine, other] = [await certificate('mine'), await certificate('other')];
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cordon-strong-'));
  for (const [name, text] of Object.entries({ ...mine, ca: authority.cert })) {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  }
  upstream = await startUpstream((_request, _body, response) => response.end('{"done":true}'));
  const token = (overrides: Parameters<typeof sampleEntry<'token'>>[1]) =>
    sampleEntry('token', { expiresAt: 4_000_000_000_000, ...overrides });
  harness = await startTestGateway({
    upstream: upstream.url,
    config: {
      issuer: ISSUER,
      trustedProxies: ['127.0.0.9'],
      listeners: [
        { kind: 'api', host: '127.0.0.1', port: 0 },
        { kind: 'api', host: '127.0.0.1', port: 0, tls: { ...server, clientCertificates: true } },
      ],
    },
    limits: { failuresPerSource: 10_000 },
    entries: {
      [`token:${tokenHash(BOUND)}`]: token({ cnf: { 'x5t#S256': thumbprint(mine.cert) }, assurance: 'm1' }),
      [`token:${tokenHash(SENDER)}`]: token({
        cnf: { jkt: hash('sha256', JSON.stringify(jwkOf(dpop.publicKey)), 'base64url') },
        assurance: 'm2',
      }),
      [`token:${tokenHash(APPROVED)}`]: token({ assurance: 'm1', approval: { id: 'approval-1', call: CALL } }),
      [`token:${tokenHash(PARTLY)}`]: token({
        assurance: 'm1',
        approval: { id: 'approval-2', call: PART },
      }),
      'requirement:r-3': {
        id: 'r-3',
        name: 'Amounts need a second person',
        select: [{ kind: 'operations', ids: ['unknown:PATCH'] }],
        approval: { bind: 'arguments', arguments: ['/amount'] },
      },
      'requirement:r-1': {
        id: 'r-1',
        name: 'Payouts need a second person',
        select: [{ kind: 'operations', ids: ['unknown:POST'] }],
        approval: {},
      },
      'requirement:r-2': {
        id: 'r-2',
        name: 'Deletions need two keys and a nonce',
        select: [{ kind: 'operations', ids: ['unknown:DELETE'] }],
        assurance: 'm2',
        dpopNonce: true,
      },
    },
  });
});
afterAll(async () => {
  await harness.stop();
  await upstream.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const secureUrl = (): string => `https://localhost:${harness.gateway.addresses[1]?.port}`;

async function secure(pair: { cert: string; key: string } | undefined, headers: Record<string, string> = {}) {
  const dispatcher = new Agent({ connect: { ca: authority.cert, ...pair } });
  const answer = await request(`${secureUrl()}/github/user`, {
    dispatcher,
    headers: { authorization: `Bearer ${BOUND}`, ...headers },
  });
  const body = (await answer.body.json()) as Record<string, unknown>; // every answer is an object
  await dispatcher.close();
  return { status: answer.statusCode, body, headers: answer.headers };
}

describe('a token that is bound to a certificate', () => {
  test('passes with it: undici, node:https and curl', async () => {
    expect((await secure(mine)).status).toBe(200);
    const agent = new https.Agent({ ca: authority.cert, ...mine, keepAlive: true });
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        const headers = { authorization: `Bearer ${BOUND}` };
        https
          .get(`${secureUrl()}/github/user`, { agent, headers }, (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode ?? 0));
          })
          .on('error', reject);
      });
    expect([await ask(), await ask()]).toEqual([200, 200]);
    agent.destroy();
    const files = ['--cert', `${folder}/cert`, '--key', `${folder}/key`, '--cacert', `${folder}/ca`];
    const { stdout } = await run('curl', [
      '-sS',
      ...files,
      '-H',
      `Authorization: Bearer ${BOUND}`,
      `${secureUrl()}/github/user`,
    ]);
    expect(JSON.parse(stdout)).toEqual({ done: true });
  });

  const field = (pem: string): string => `:${new X509Certificate(pem).raw.toString('base64')}:`;
  const attacks: [string, () => Promise<{ status: number; body: Record<string, unknown> }>][] = [
    ['another certificate', () => secure(other)],
    ['no certificate', () => secure(undefined)],
    ['a forged Client-Cert field', () => secure(undefined, { 'client-cert': field(mine.cert) })],
    ['a forged Client-Cert field beside another certificate', () => secure(other, { 'client-cert': field(mine.cert) })],
  ];
  test.each(attacks)('is refused with %s', async (_what, attack) => {
    expect(await attack()).toMatchObject({ status: 401, body: { code: 'gateway.token_invalid' } });
  });

  test('passes behind a trusted proxy that says which, and nothing of it goes upstream', async () => {
    const before = upstream.requests.length;
    const ask = async (localAddress: string, value: string): Promise<number> => {
      const dispatcher = new Agent({ localAddress });
      const headers = { authorization: `Bearer ${BOUND}`, 'client-cert': value };
      const answer = await request(`${harness.url}/github/user`, { dispatcher, headers });
      await answer.body.dump();
      await dispatcher.close();
      return answer.statusCode;
    };
    expect(await ask('127.0.0.9', field(mine.cert))).toBe(200);
    expect(await ask('127.0.0.9', field(other.cert))).toBe(401);
    expect(await ask('127.0.0.9', mine.cert.replaceAll('\n', ''))).toBe(401);
    expect(await ask('127.0.0.8', field(mine.cert))).toBe(401);
    expect(upstream.requests.length).toBe(before + 1);
    expect(upstream.requests.at(-1)?.headers['client-cert']).toBeUndefined();
  });
});

function proofOf(token: string, method: string, url: string, nonce?: string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: jwkOf(dpop.publicKey) });
  const claims = { htm: method, htu: url, jti: randomUUID(), iat: Math.floor(Date.now() / 1000) };
  const body = encode({
    ...claims,
    ath: hash('sha256', token, 'base64url'),
    ...(nonce === undefined ? {} : { nonce }),
  });
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: dpop.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${head}.${body}.${signature.toString('base64url')}`;
}

describe('a requirement', () => {
  const remove = (headers: Record<string, string>) =>
    fetch(`${harness.url}/github/things/1`, { method: 'DELETE', headers });
  const withProof = (nonce?: string) =>
    remove({
      authorization: `DPoP ${SENDER}`,
      dpop: proofOf(SENDER, 'DELETE', `${harness.url}/github/things/1`, nonce),
    });

  test('of two keys is told by its RFC (9470)', async () => {
    const response = await remove({ authorization: `Bearer ${TEST_TOKEN}` });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer .*error="insufficient_user_authentication".*acr_values="urn:cordon:acr:m2"$/,
    );
    expect(await response.json()).toMatchObject({ code: 'gateway.assurance_insufficient', needed: 'm2' });
  });

  test('of a nonce: asked for, accepted, refused when it isn’t ours (RFC 9449, section 9)', async () => {
    const first = await withProof();
    expect(first.status).toBe(401);
    expect(first.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"');
    const nonce = first.headers.get('dpop-nonce') ?? '';
    expect((await withProof(nonce)).status).toBe(200);
    const forged = await withProof('bm90LW91cnM');
    expect(forged.status).toBe(401);
    expect(forged.headers.get('dpop-nonce')).toBe(nonce);
  });
});

describe('a call that a second person must approve', () => {
  const pay = (token: string, body = BODY, target = '/github/payouts', method = 'POST') =>
    fetch(harness.url + target, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body }),
    });

  test('is refused with a challenge, what to ask for and where', async () => {
    const before = upstream.requests.length;
    const response = await pay(TEST_TOKEN);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('acr_values="urn:cordon:acr:approved"');
    expect(await response.json()).toMatchObject({
      code: 'gateway.approval_required',
      authorization_details: [{ ...CALL, arguments: { '/amount': 100, '/to/account': 'DE1' } }],
      backchannel_authentication_endpoint: `${ISSUER}/oauth/bc-authorize`,
    });
    expect(upstream.requests.length).toBe(before);
  });

  test('passes once with the token of the approval, whoever else holds it', async () => {
    harness.control.uses.set(tokenHash(APPROVED), 1);
    const answers = await Promise.all([1, 2, 3].map(() => pay(APPROVED)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    const refused = answers.find(({ status }) => status === 401);
    expect(await refused?.json()).toMatchObject({ code: 'gateway.approval_used' });
  });

  const others: [string, () => Promise<Response>][] = [
    ['another body', () => pay(APPROVED, BODY.replace('100', '1000'))],
    ['the same values in other bytes', () => pay(APPROVED, `${BODY} `)],
    ['another path', () => pay(APPROVED, BODY, '/github/payouts/2')],
    ['another query', () => pay(APPROVED, BODY, '/github/payouts?twice=1')],
    ['another method', () => pay(APPROVED, BODY, '/github/payouts', 'PUT')],
    ['a read that needs no approval', () => pay(APPROVED, BODY, '/github/payouts', 'GET')],
  ];
  test.each(others)('the approval’s token doesn’t open %s, and keeps its use', async (_what, call) => {
    harness.control.uses.set(tokenHash(APPROVED), 1);
    const response = await call();
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'gateway.approval_mismatch' });
    expect(harness.control.uses.get(tokenHash(APPROVED))).toBe(1);
  });

  test('passes with the members that were approved, whatever else is sent', async () => {
    harness.control.uses.set(tokenHash(PARTLY), 1);
    const response = await pay(PARTLY, '{"amount":100,"note":"thanks"}', '/github/payouts', 'PATCH');
    expect(response.status).toBe(200);
  });

  test.each([
    ['with another amount', '{"amount":1000}'],
    ['with two amounts, of which a parser may take either', '{"amount":1000,"amount":100}'],
    ['with two amounts, one of them escaped', '{"amount":1000,"am\\u006funt":100}'],
    ['as a form, whose amount nobody was shown', 'amount=1000'],
  ])('doesn’t pass %s', async (_what, body) => {
    harness.control.uses.set(tokenHash(PARTLY), 1);
    const before = upstream.requests.length;
    const response = await pay(PARTLY, body, '/github/payouts', 'PATCH');
    expect([response.status, await response.json()]).toMatchObject([403, { code: 'gateway.approval_mismatch' }]);
    expect(upstream.requests.length).toBe(before);
  });

  test('isn’t made while control is away', async () => {
    harness.control.uses.set(tokenHash(APPROVED), 1);
    const before = upstream.requests.length;
    harness.control.mode = 'down';
    const response = await pay(APPROVED);
    harness.control.mode = 'up';
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'gateway.approval_unavailable' });
    expect(upstream.requests.length).toBe(before);
  });
});

test('an address that guesses is locked after a while, told of, and unlocked by a person; good tokens pass all along', async () => {
  const guess = async (): Promise<{ status: number; code: unknown }> => {
    const headers = { authorization: `Bearer ${BOUND}` };
    const response = await fetch(`${harness.url}/github/user`, { headers });
    return { status: response.status, code: ((await response.json()) as Record<string, unknown>)['code'] }; // a problem
  };
  const unknown = async () => {
    const headers = { authorization: 'Bearer cordon_at_nobody_issued_this_one_1' };
    const response = await fetch(`${harness.url}/github/user`, { headers });
    return ((await response.json()) as Record<string, unknown>)['code']; // a problem
  };
  for (let count = 0; count < LOCK_FAILURES; count++) await guess();
  expect(await unknown()).toBe('gateway.source_locked');
  const good = await fetch(`${harness.url}/github/user`, { headers: { authorization: `Bearer ${TEST_TOKEN}` } });
  expect(good.status).toBe(200);
  await expect.poll(() => harness.control.locks.length).toBe(1);
  expect(harness.control.locks[0]).toMatchObject({ address: '127.0.0.1', failures: LOCK_FAILURES });
  const at = Date.now() + 1;
  const set = { [`unlock:${hash('sha256', '127.0.0.1', 'hex')}`]: { at, expiresAt: at + 60_000 } };
  const { version } = harness.control.publish({ set });
  await expect.poll(() => harness.gateway.health().version).toBe(version);
  expect(await unknown()).toBe('gateway.token_unknown');
});
