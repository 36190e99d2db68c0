import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthority, issueServerCertificate } from './certificate-authority.ts';
import { CertificateRequestInvalid } from './errors.ts';
import {
  certificateUris,
  issueClientCertificate,
  makeCertificateRequest,
  thumbprintOfCertificate,
  verifyClientCertificate,
} from './client-certificate.ts';

const NOW = Date.UTC(2027, 0, 1);
const HOUR_MS = 3_600_000;
const URI = 'spiffe://cordon.example/integration/one';

async function enrol(authority: { cert: string; key: string }) {
  const { key, request } = await makeCertificateRequest('one');
  const issued = await issueClientCertificate(authority, {
    request,
    commonName: 'one',
    uri: URI,
    now: NOW,
    lifeMs: HOUR_MS,
  });
  return { key, issued, certificate: new X509Certificate(issued.cert) };
}

test('a request becomes a certificate of its own key, named by the authority', async () => {
  const authority = await createAuthority('Clients', NOW);
  const { key, issued, certificate } = await enrol(authority);
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(certificateUris(certificate)).toEqual([URI]);
  expect(issued.notAfter).toBe(NOW + HOUR_MS);
  expect(issued.thumbprint).toBe(thumbprintOfCertificate(certificate));
  expect(issued.thumbprint).toMatch(/^[\w-]{43}$/);
});

test('only certificates of a listed authority, for clients, in their time are believed', async () => {
  const authority = await createAuthority('Clients', NOW);
  const impostor = await createAuthority('Clients', NOW);
  const trust = [new X509Certificate(authority.cert)];
  const { certificate } = await enrol(authority);
  expect(verifyClientCertificate(certificate, trust, NOW)).toBe(true);
  expect(verifyClientCertificate(certificate, trust, NOW + HOUR_MS)).toBe(false);
  expect(verifyClientCertificate(certificate, trust, NOW - HOUR_MS)).toBe(false);
  expect(verifyClientCertificate(certificate, [], NOW)).toBe(false);
  expect(verifyClientCertificate((await enrol(impostor)).certificate, trust, NOW)).toBe(false);
  expect(verifyClientCertificate(trust[0]!, trust, NOW)).toBe(false);
  const server = await issueServerCertificate(authority, { dns: ['localhost'], ip: [] }, NOW);
  expect(verifyClientCertificate(new X509Certificate(server.cert), trust, NOW)).toBe(false);
  // A certificate of a leaf is no certificate of the authority.
  const { key, issued } = await enrol(authority);
  const child = await enrol({ cert: issued.cert, key });
  expect(verifyClientCertificate(child.certificate, [...trust, new X509Certificate(issued.cert)], NOW)).toBe(false);
});

test('what is no request, or is signed by another key, gets nothing', async () => {
  const authority = await createAuthority('Clients', NOW);
  const { request } = await makeCertificateRequest('one');
  const der = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 5]! ^= 1;
  const spoiled = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' });
  for (const bad of ['', 'hello', spoiled, weak, 'x'.repeat(20_000)]) {
    const input = { request: bad, commonName: 'one', uri: URI, now: NOW, lifeMs: HOUR_MS };
    await expect(issueClientCertificate(authority, input)).rejects.toBeInstanceOf(CertificateRequestInvalid);
  }
});
