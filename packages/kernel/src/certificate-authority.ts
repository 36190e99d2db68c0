import { createPrivateKey, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import type * as X509 from '@peculiar/x509';

export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3_650;
/** Apple and Chromium refuse server certificates that are valid for longer than this. */
const LEAF_DAYS = 397;
/** Clocks differ: a certificate is valid from a little before it was made. */
export const CLOCK_SKEW_MS = 300_000;

/** Loaded on first use: most processes never issue a certificate, and the library needs a global polyfill. */
export async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

export interface PemPair {
  readonly cert: string;
  /** PKCS#8. */
  readonly key: string;
}

function newKeyPair(): { pem: string; keys: () => Promise<webcrypto.CryptoKeyPair> } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return {
    pem,
    keys: async () => ({
      privateKey: await importPrivate(pem),
      publicKey: await webcrypto.subtle.importKey(
        'spki',
        publicKey.export({ type: 'spki', format: 'der' }),
        ALGORITHM,
        true,
        ['verify'],
      ),
    }),
  };
}

export function importPrivate(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
}

/** 159 random bits, positive: RFC 5280 section 4.1.2.2. */
export function serialNumber(): string {
  const bytes = randomBytes(20);
  bytes[0]! &= 0x7f;
  return bytes.toString('hex');
}

/** A self-signed CA for names that no public CA issues for (RFC 5280). */
export async function createAuthority(name: string, now: number): Promise<PemPair> {
  const x509 = await loadX509();
  const pair = newKeyPair();
  const keys = await pair.keys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: certificate.toString('pem'), key: pair.pem };
}

/** A server certificate for the given DNS names and IP addresses. */
export async function issueServerCertificate(
  authority: PemPair,
  names: { readonly dns: readonly string[]; readonly ip: readonly string[] },
  now: number,
): Promise<PemPair> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.cert);
  const pair = newKeyPair();
  const { publicKey } = await pair.keys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${names.dns[0] ?? names.ip[0] ?? 'cordon'}`,
    issuer: issuer.subject,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(Math.min(now + LEAF_DAYS * DAY_MS, issuer.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: await importPrivate(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ip.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { cert: certificate.toString('pem'), key: pair.pem };
}

/** When a certificate ends, milliseconds since the epoch. */
export function certificateEnd(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}
