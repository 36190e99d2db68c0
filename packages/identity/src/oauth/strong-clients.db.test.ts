import { execFile } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server as HttpServer, createServer as createHttp } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createAuthority,
  IntegrationId,
  issueClientCertificate,
  issueServerCertificate,
  makeCertificateRequest,
  type PemPair,
  readAudit,
  systemClock,
  thumbprintOfCertificate,
} from '@cordon/kernel';
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Enrolled } from '../certificates/certificates.ts';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { hashSecret } from '../token-secret.ts';
import type { IdentityTables } from '../tables.ts';
import type { NewClient } from './clients.ts';
import type { OauthServer } from './oauth-server.ts';

const OWNER = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const GATEWAY = 'https://gateway.example';
const HOUR_MS = 3_600_000;
const run = promisify(execFile);

let fake: FakeIdentity;
let https: Server;
let http: HttpServer;
let oauth: OauthServer;
let authority: PemPair;
let workloads: PemPair;
let issuer: string;
let mtls: string;
let folder: string;

beforeAll(async () => {
  const now = Date.now();
  [authority, workloads] = [await createAuthority('Server', now), await createAuthority('Workloads', now)];
  const server = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, now);
  const tls = { ...server, requestCert: true, rejectUnauthorized: false };
  https = createServer(tls, (request, response) => void oauth.handle(request, response, 'mtls'));
  http = createHttp((request, response) => void oauth.handle(request, response));
  await new Promise<void>((resolve) => {
    https.listen(0, '127.0.0.1', resolve);
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  mtls = `https://localhost:${(https.address() as AddressInfo).port}`; // listening on TCP
  issuer = `http://localhost:${(http.address() as AddressInfo).port}`; // as above
  fake = await createFakeIdentity({
    clock: systemClock,
    findIntegration: async () => ({ name: 'sync', ownerId: OWNER.id, active: true }),
    hasApp: async (name) => name === 'bank' || name === 'github',
    config: {
      publicUrl: issuer,
      mtlsUrl: mtls,
      gatewayUrl: GATEWAY,
      clients: { spiffe: { 'workloads.example': workloads.cert }, trustedProxies: ['127.0.0.9'] },
    },
  });
  oauth = await fake.identity.startOauthServer();
  folder = await mkdtemp(join(tmpdir(), 'cordon-mtls-'));
});
afterAll(async () => {
  https.closeAllConnections();
  http.closeAllConnections();
  https.close();
  http.close();
  await oauth.stop();
  await fake.test.drop();
  await rm(folder, { recursive: true, force: true });
});
// Attacks of one test shall not lock the address out of the next.
beforeEach(async () => {
  await fake.db.tables<IdentityTables>().deleteFrom('client_locks').execute();
});

const live = (token: unknown) => fake.identity.tokens.find(hashSecret(String(token)).toString('hex'));

/** undici as an integration uses it: trusts the server's authority, shows the certificate it is given. */
function agentOf(pair?: { readonly cert: string; readonly key: string }): Agent {
  return new Agent({ connect: { ca: authority.cert, ...pair } });
}

async function post(
  path: string,
  body: URLSearchParams | Record<string, unknown>,
  pair?: { cert: string; key: string },
): Promise<{ status: number; body: Record<string, unknown> }> {
  const form = body instanceof URLSearchParams;
  const dispatcher = agentOf(pair);
  const response = await undiciFetch(mtls + path, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json' },
    body: form ? body.toString() : JSON.stringify(body),
  });
  const parsed = (await response.json()) as Record<string, unknown>; // every answer is an object
  await dispatcher.close();
  return { status: response.status, body: parsed };
}

async function enrol(): Promise<
  Enrolled & { key: string; pair: { cert: string; key: string }; integrationId: string }
> {
  const integrationId = IntegrationId.create();
  const { code } = await fake.identity.certificates.createEnrolment(OWNER, { integrationId, name: 'worker' });
  const { key, request } = await makeCertificateRequest('worker');
  const { status, body } = await post('/oauth/certificate/enrol', { code, request });
  expect(status).toBe(200);
  const enrolled = body as unknown as Enrolled; // checked by what follows
  return { ...enrolled, key, integrationId, pair: { cert: enrolled.certificate, key } };
}

const grant = (clientId: string): URLSearchParams =>
  new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });

describe('the built-in authority', () => {
  test('a workload enrols with a one-time code, gets bound tokens and renews', async () => {
    const worker = await enrol();
    const { status, body } = await post('/oauth/token', grant(worker.clientId), worker.pair);
    expect(status).toBe(200);
    expect(await live(body['access_token'])).toMatchObject({
      integrationId: worker.integrationId,
      cnf: { 'x5t#S256': thumbprintOfCertificate(new X509Certificate(worker.certificate)) },
      assurance: 'm1',
    });
    const next = await makeCertificateRequest('worker');
    const renewed = await post('/oauth/certificate/renew', { request: next.request }, worker.pair);
    expect(renewed.status).toBe(200);
    const pair = { cert: String(renewed.body['certificate']), key: next.key };
    expect((await post('/oauth/token', grant(worker.clientId), pair)).status).toBe(200);
    const listed = await fake.identity.certificates.list(OWNER, worker.integrationId);
    expect(listed.map(({ issuedBy }) => issuedBy)).toEqual(['renewal', 'enrolment']);
    const audited = await readAudit(fake.db, { after: 0, limit: 500 });
    expect(audited.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['certificate.enrolment_allowed', 'certificate.issued', 'certificate.renewed']),
    );
  });

  test('a code works once, and another certificate of the authority is nobody else’s', async () => {
    const integrationId = IntegrationId.create();
    const { code } = await fake.identity.certificates.createEnrolment(OWNER, { integrationId, name: 'worker' });
    const { request } = await makeCertificateRequest('worker');
    const answers = await Promise.all([1, 2, 3].map(() => post('/oauth/certificate/enrol', { code, request })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    const [one, other] = [await enrol(), await enrol()];
    expect((await post('/oauth/token', grant(one.clientId), other.pair)).body['error']).toBe('invalid_client');
    expect((await post('/oauth/token', grant(one.clientId))).body['error']).toBe('invalid_client');
  });

  test('revoked, or of an integration that was cut off, it is worth nothing at once', async () => {
    const worker = await enrol();
    const [certificate] = await fake.identity.certificates.list(OWNER, worker.integrationId);
    await fake.identity.certificates.revoke(OWNER, certificate?.id ?? '', 'the laptop was lost');
    expect((await post('/oauth/token', grant(worker.clientId), worker.pair)).status).toBe(401);
    const { request } = await makeCertificateRequest('worker');
    const renewal = await post('/oauth/certificate/renew', { request }, worker.pair);
    expect(renewal).toMatchObject({ status: 401, body: { code: 'identity.certificate_invalid' } });
    const cut = await enrol();
    const { integrationId } = cut;
    await fake.db.transaction((tx) =>
      fake.identity.oauthClients.endAccess(tx, { integrationId, actor: OWNER, reason: 'cut off' }),
    );
    expect((await post('/oauth/token', grant(cut.clientId), cut.pair)).status).toBe(401);
    await fake.db.transaction((tx) => fake.identity.oauthClients.restoreAccess(tx, { integrationId, actor: OWNER }));
    expect((await post('/oauth/token', grant(cut.clientId), cut.pair)).status).toBe(401);
  });
});

/** A certificate as SPIRE would issue it. */
async function svid(from: PemPair, uri: string): Promise<{ cert: string; key: string }> {
  const { key, request } = await makeCertificateRequest('workload');
  const input = { request, commonName: 'workload', uri, now: Date.now(), lifeMs: HOUR_MS };
  return { cert: (await issueClientCertificate(from, input)).cert, key };
}

async function makeClient(input: Omit<NewClient, 'integrationId' | 'name'>) {
  const integrationId = IntegrationId.create();
  const made = await fake.identity.oauthClients.create(OWNER, { integrationId, name: 'sync', ...input });
  return { id: made.client.id, secret: made.secret ?? '', integrationId };
}

const SPIFFE_ID = 'spiffe://workloads.example/ns/prod/sync';

describe('SPIFFE ids', () => {
  test('identify a workload of a configured trust domain, and curl can do it', async () => {
    const { id } = await makeClient({ auth: { method: 'tls_client_auth', uri: SPIFFE_ID }, binding: 'mtls' });
    const pair = await svid(workloads, SPIFFE_ID);
    expect((await post('/oauth/token', grant(id), pair)).status).toBe(200);
    const [cert, key, ca] = ['cert', 'key', 'ca'].map((name) => join(folder, `${name}.pem`));
    await Promise.all([writeFile(cert!, pair.cert), writeFile(key!, pair.key), writeFile(ca!, authority.cert)]);
    const args = ['-sS', '--cert', cert!, '--key', key!, '--cacert', ca!, '-d', grant(id).toString()];
    const { stdout } = await run('curl', [...args, `${mtls}/oauth/token`]);
    expect(JSON.parse(stdout)).toMatchObject({ token_type: 'Bearer' });
  });

  const refused: [string, () => Promise<{ cert: string; key: string }>][] = [
    ['another workload of the domain', () => svid(workloads, 'spiffe://workloads.example/ns/prod/other')],
    [
      'the id, by an authority nobody knows',
      async () => svid(await createAuthority('Workloads', Date.now()), SPIFFE_ID),
    ],
    ['a longer id', () => svid(workloads, `${SPIFFE_ID}/more`)],
    ['the id in other letters', () => svid(workloads, SPIFFE_ID.replace('/sync', '/Sync'))],
  ];
  test.each(refused)('refused: %s', async (_what, make) => {
    const { id } = await makeClient({ auth: { method: 'tls_client_auth', uri: SPIFFE_ID }, binding: 'mtls' });
    expect((await post('/oauth/token', grant(id), await make())).status).toBe(401);
  });
});

describe('a certificate that was shown to a gateway', () => {
  const der = (pem: string): Buffer => new X509Certificate(pem).raw;

  test('of the built-in authority gives a token that is bound to it, until it is revoked', async () => {
    const worker = await enrol();
    const token = await oauth.tokenForCertificate(der(worker.pair.cert));
    expect(await live(token)).toMatchObject({
      clientId: worker.clientId,
      integrationId: worker.integrationId,
      cnf: { 'x5t#S256': thumbprintOfCertificate(new X509Certificate(worker.pair.cert)) },
      assurance: 'm1',
    });
    const [certificate] = await fake.identity.certificates.list(OWNER, worker.integrationId);
    await fake.identity.certificates.revoke(OWNER, certificate?.id ?? '', 'the laptop was lost');
    expect(await oauth.tokenForCertificate(der(worker.pair.cert))).toBeNull();
    expect(await live(token)).toBeNull();
  });

  test('of a trust domain names the one client that is registered with it; of two, none', async () => {
    const uri = 'spiffe://workloads.example/ns/prod/proxied';
    const { id } = await makeClient({ auth: { method: 'tls_client_auth', uri }, binding: 'mtls' });
    const pair = await svid(workloads, uri);
    expect(await live(await oauth.tokenForCertificate(der(pair.cert)))).toMatchObject({ clientId: id });
    await makeClient({ auth: { method: 'tls_client_auth', uri }, binding: 'mtls' });
    expect(await oauth.tokenForCertificate(der(pair.cert))).toBeNull();
  });

  const foreign: [string, () => Promise<Buffer>][] = [
    ['what is no certificate', async () => Buffer.from('0500', 'hex')],
    ['the id, by an authority nobody knows', async () => der((await svid(authority, SPIFFE_ID)).cert)],
    [
      'an id that no client has',
      async () => der((await svid(workloads, 'spiffe://workloads.example/ns/prod/none')).cert),
    ],
  ];
  test.each(foreign)('%s gives none', async (_what, make) => {
    expect(await oauth.tokenForCertificate(await make())).toBeNull();
  });
});

describe('behind a TLS proxy (RFC 9440)', () => {
  const field = (pem: string): string => `:${new X509Certificate(pem).raw.toString('base64')}:`;
  const ask = async (id: string, value: string, localAddress?: string) => {
    const dispatcher = new Agent(localAddress === undefined ? {} : { localAddress });
    const url = `http://127.0.0.1:${new URL(issuer).port}/oauth/token`;
    const headers = { 'client-cert': value, 'content-type': 'application/x-www-form-urlencoded' };
    const response = await undiciFetch(url, { method: 'POST', dispatcher, headers, body: grant(id).toString() });
    await response.text();
    await dispatcher.close();
    return response.status;
  };
  test('the field counts from a configured address alone, and only as the RFC writes it', async () => {
    const { id } = await makeClient({ auth: { method: 'tls_client_auth', uri: SPIFFE_ID }, binding: 'mtls' });
    const { cert } = await svid(workloads, SPIFFE_ID);
    expect(await ask(id, field(cert), '127.0.0.9')).toBe(200);
    expect(await ask(id, field(cert))).toBe(401);
    expect(await ask(id, encodeURIComponent(cert), '127.0.0.9')).toBe(401);
    expect(await ask(id, `${field(cert)}, ${field(cert)}`, '127.0.0.9')).toBe(401);
  });
});

async function configure(id: string, auth: client.ClientAuth, options: object = {}): Promise<client.Configuration> {
  const execute = [client.allowInsecureRequests];
  return client.discovery(new URL(issuer), id, options, auth, { execute });
}

describe('openid-client', () => {
  test('finds the addresses that ask for certificates (RFC 8705, section 5)', async () => {
    const { id } = await makeClient({ auth: { method: 'tls_client_auth', uri: SPIFFE_ID }, binding: 'mtls' });
    const pair = await svid(workloads, SPIFFE_ID);
    const config = await configure(id, client.TlsClientAuth(), { use_mtls_endpoint_aliases: true });
    const dispatcher = agentOf(pair);
    // The library's own fetch knows no client certificates.
    config[client.customFetch] = (url, options) =>
      undiciFetch(url, { ...options, dispatcher } as Parameters<typeof undiciFetch>[1]); // the same shapes by another name
    const tokens = await client.clientCredentialsGrant(config);
    expect(await live(tokens.access_token)).toMatchObject({ cnf: { 'x5t#S256': expect.any(String) } });
    await dispatcher.close();
  });

  test('is told to use a nonce, does, and is m2 with a key of its own', async () => {
    const { publicKey, privateKey } = await client.randomDPoPKeyPair('ES256');
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jwks = { keys: [await exportJWK(pair.publicKey)] };
    const { id } = await makeClient({
      auth: { method: 'private_key_jwt', jwks },
      binding: 'dpop',
      dpopNonce: true,
    });
    const config = await configure(id, client.PrivateKeyJwt(pair.privateKey));
    const seen: (string | null)[] = [];
    config[client.customFetch] = async (url, options) => {
      const response = await fetch(url, options as RequestInit);
      seen.push(response.headers.get('dpop-nonce'));
      return response;
    };
    const DPoP = client.getDPoPHandle(config, { publicKey, privateKey });
    const tokens = await client.clientCredentialsGrant(config, {}, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeTruthy();
    expect(await live(tokens.access_token)).toMatchObject({ assurance: 'm2', cnf: { jkt: expect.any(String) } });
  });

  test('names the app that a token is meant for (RFC 8707), and no other', async () => {
    const { id, secret } = await makeClient({ auth: { method: 'client_secret_basic' } });
    const config = await configure(id, client.ClientSecretBasic(secret));
    const tokens = await client.clientCredentialsGrant(config, { resource: `${GATEWAY}/github` });
    expect(await live(tokens.access_token)).toMatchObject({ audience: [`${GATEWAY}/github`] });
    await expect(client.clientCredentialsGrant(config, { resource: `${GATEWAY}/unknown` })).rejects.toMatchObject({
      error: 'invalid_target',
    });
    await expect(
      client.clientCredentialsGrant(config, { resource: 'https://elsewhere.example/github' }),
    ).rejects.toMatchObject({ error: 'invalid_target' });
  });
});

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

describe('token exchange (RFC 8693)', () => {
  const setUp = async () => {
    const first = await makeClient({ auth: { method: 'client_secret_basic' } });
    const pair = await generateKeyPair('ES256', { extractable: true });
    const second = await fake.identity.oauthClients.create(OWNER, {
      integrationId: first.integrationId,
      name: 'worker',
      auth: { method: 'private_key_jwt', jwks: { keys: [await exportJWK(pair.publicKey)] } },
      binding: 'dpop',
    });
    const from = await configure(first.id, client.ClientSecretBasic(first.secret));
    const to = await configure(second.client.id, client.PrivateKeyJwt(pair.privateKey));
    const keys = await client.randomDPoPKeyPair('ES256');
    const exchange = (parameters: Record<string, string>) =>
      client.genericGrantRequest(to, EXCHANGE, parameters, { DPoP: client.getDPoPHandle(to, keys) });
    return { from, exchange, second: second.client.id, first };
  };

  test('binds the token to the new holder’s key, says who acts, and lives no longer', async () => {
    const { from, exchange, second, first } = await setUp();
    const subject = await client.clientCredentialsGrant(from, { resource: `${GATEWAY}/github` });
    const before = await live(subject.access_token);
    const made = await exchange({ subject_token: subject.access_token, subject_token_type: ACCESS_TOKEN });
    expect(made['issued_token_type']).toBe(ACCESS_TOKEN);
    const after = await live(made.access_token);
    expect(after).toMatchObject({
      integrationId: first.integrationId,
      audience: [`${GATEWAY}/github`],
      cnf: { jkt: expect.any(String) },
    });
    expect(after?.expiresAt).toBeLessThanOrEqual(before?.expiresAt ?? 0);
    const records = await readAudit(fake.db, { after: 0, limit: 500 });
    expect(records.at(-1)).toMatchObject({
      action: 'token.exchanged',
      detail: { act: { sub: second, act: { sub: first.id } } },
    });
  });

  const refusals: [string, (subject: string) => Record<string, string>, string][] = [
    ['another app', (subject) => ({ subject_token: subject, resource: `${GATEWAY}/bank` }), 'invalid_target'],
    ['a wider scope', (subject) => ({ subject_token: subject, scope: 'openid' }), 'invalid_scope'],
    ['a token nobody issued', () => ({ subject_token: randomBytes(32).toString('hex') }), 'invalid_request'],
    ['an actor token', (subject) => ({ subject_token: subject, actor_token: subject }), 'invalid_request'],
    [
      'another kind of token',
      (subject) => ({ subject_token: subject, requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' }),
      'invalid_request',
    ],
  ];
  test.each(refusals)('refused: %s', async (_what, parameters, error) => {
    const { from, exchange } = await setUp();
    const subject = await client.clientCredentialsGrant(from, { resource: `${GATEWAY}/github` });
    const sent = { subject_token_type: ACCESS_TOKEN, ...parameters(subject.access_token) };
    await expect(exchange(sent)).rejects.toMatchObject({ error });
  });

  test('refused: the token of another integration', async () => {
    const [mine, theirs] = [await setUp(), await setUp()];
    const subject = await client.clientCredentialsGrant(theirs.from);
    const sent = { subject_token: subject.access_token, subject_token_type: ACCESS_TOKEN };
    await expect(mine.exchange(sent)).rejects.toMatchObject({ error: 'invalid_request' });
  });
});

describe('failures', () => {
  test('lock a client that has a secret, then its person unlocks it', async () => {
    const { id, secret } = await makeClient({ auth: { method: 'client_secret_basic' } });
    const attempt = async (value: string): Promise<{ status: number; retryAfter: string | null }> => {
      const headers = { authorization: `Basic ${Buffer.from(`${id}:${value}`).toString('base64')}` };
      const body = new URLSearchParams({ grant_type: 'client_credentials' });
      const response = await fetch(`${issuer}/oauth/token`, { method: 'POST', headers, body });
      await response.text();
      return { status: response.status, retryAfter: response.headers.get('retry-after') };
    };
    for (let count = 0; count < 11; count++) expect((await attempt('wrong')).status).toBe(401);
    await expect.poll(async () => (await attempt(secret)).status).toBe(429);
    expect(Number((await attempt(secret)).retryAfter)).toBeGreaterThan(0);
    expect(fake.events.filter((event) => event['activity_name'] === 'Locked')).not.toHaveLength(0);
    const locks = await fake.identity.guard.list(OWNER);
    expect(locks).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'client', value: id })]));
    await fake.identity.guard.unlock(OWNER, 'client', id, 'the secret was fixed');
    expect((await attempt(secret)).status).toBe(200);
  });
});
