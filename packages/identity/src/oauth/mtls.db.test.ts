import { webcrypto, X509Certificate } from 'node:crypto';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createAuthority, IntegrationId, issueServerCertificate, type PemPair, systemClock } from '@cordon/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFakeIdentity, type FakeIdentity } from '../testing.ts';
import { hashSecret } from '../token-secret.ts';
import type { ClientAuthInput } from './clients.ts';
import type { OauthServer } from './oauth-server.ts';

const OWNER = { kind: 'person', id: '01890000-0000-7000-8000-000000000001', name: 'Ada', roles: ['owner'] } as const;
const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

let fake: FakeIdentity;
let https: Server;
let oauth: OauthServer;
let authority: PemPair;
let port: number;

/** A client's certificate, subject in the order of its encoding: of the authority that the server trusts, or of itself. */
async function makeCertificate(
  subject: string,
  issuer?: PemPair,
): Promise<PemPair & { readonly jwk: webcrypto.JsonWebKey }> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const common = {
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + DAY_MS),
    signingAlgorithm: ALGORITHM,
    serialNumber: '01',
  };
  const extensions = [
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ];
  const signingKey = async (): Promise<webcrypto.CryptoKey> => {
    const der = x509.PemConverter.decodeFirst(issuer?.key ?? '');
    return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  };
  const made = issuer
    ? await x509.X509CertificateGenerator.create({
        ...common,
        subject,
        issuer: new x509.X509Certificate(issuer.cert).subject,
        publicKey: keys.publicKey,
        signingKey: await signingKey(),
        extensions,
      })
    : await x509.X509CertificateGenerator.createSelfSigned({ ...common, name: subject, keys, extensions });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: made.toString('pem'), key, jwk: await webcrypto.subtle.exportKey('jwk', keys.publicKey) };
}

beforeAll(async () => {
  authority = await createAuthority('Test', Date.now());
  const server = await issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] }, Date.now());
  // The certificate is asked for and not insisted on: most clients have none.
  const tls = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: false };
  https = createServer(tls, (incoming, response) => void oauth.handle(incoming, response));
  const { promise, resolve } = Promise.withResolvers<void>();
  https.listen(0, '127.0.0.1', resolve);
  await promise;
  ({ port } = https.address() as AddressInfo); // listening on TCP
  fake = await createFakeIdentity({
    clock: systemClock,
    config: { publicUrl: `https://localhost:${port}`, clients: { authorities: authority.cert } },
  });
  oauth = await fake.identity.startOauthServer();
});
afterAll(async () => {
  https.closeAllConnections();
  https.close();
  await oauth.stop();
  await fake.test.drop();
});

async function obtain(
  clientId: string,
  certificate: PemPair | null,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const agent = new Agent({ ca: authority.cert, ...certificate });
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Record<string, unknown> }>();
  const options = { host: 'localhost', port, path: '/oauth/token', method: 'POST', agent, headers };
  const outgoing = request(options, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
    );
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise.finally(() => agent.destroy());
}

async function makeClient(auth: ClientAuthInput, binding: 'none' | 'mtls' = 'mtls'): Promise<string> {
  const integrationId = IntegrationId.create();
  const made = await fake.identity.oauthClients.create(OWNER, { integrationId, name: 'mTLS', auth, binding });
  return made.client.id;
}

function thumbprintOf(certificate: PemPair): string {
  return Buffer.from(new X509Certificate(certificate.cert).fingerprint256.replaceAll(':', ''), 'hex').toString(
    'base64url',
  );
}

test('a certificate of the trusted authority with the registered subject gets a token tied to it', async () => {
  // A certificate names the widest part first, the text of RFC 4514 the narrowest.
  const certificate = await makeCertificate('O=Example,CN=nightly sync', authority);
  const client = await makeClient({ method: 'tls_client_auth', subject: 'CN=nightly sync,O=Example' });
  const { status, body } = await obtain(client, certificate);
  expect(status).toBe(200);
  expect(await fake.identity.tokens.find(hashSecret(String(body['access_token'])).toString('hex'))).toMatchObject({
    cnf: { 'x5t#S256': thumbprintOf(certificate) },
    assurance: 'm1',
  });
});

test('a self-signed certificate gets one when its key was registered', async () => {
  const certificate = await makeCertificate('CN=own');
  const x5c = [new X509Certificate(certificate.cert).raw.toString('base64')];
  const { kty, crv, x, y } = certificate.jwk;
  const client = await makeClient({ method: 'self_signed_tls_client_auth', jwks: { keys: [{ kty, crv, x, y, x5c }] } });
  expect((await obtain(client, certificate)).status).toBe(200);
  expect((await obtain(client, await makeCertificate('CN=own'))).status).toBe(401);
});

const refused: [string, () => Promise<PemPair | null>][] = [
  ['no certificate', async () => null],
  ['another subject', () => makeCertificate('O=Example,CN=other', authority)],
  ['the right subject, signed by itself', () => makeCertificate('O=Example,CN=nightly sync')],
  ['the subject as a part of another', () => makeCertificate('OU=x,O=Example,CN=nightly sync', authority)],
];
test.each(refused)('refused: %s', async (_what, make) => {
  const client = await makeClient({ method: 'tls_client_auth', subject: 'CN=nightly sync,O=Example' });
  expect((await obtain(client, await make())).status).toBe(401);
});
