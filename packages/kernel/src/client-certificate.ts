import { CertificateRequestInvalid } from './errors.ts';
import { createHash, createPublicKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import {
  ALGORITHM,
  CLOCK_SKEW_MS,
  importPrivate,
  loadX509,
  type PemPair,
  serialNumber,
} from './certificate-authority.ts';

const REQUEST_CHARS_MAX = 16_384;
const RSA_BITS_MIN = 2_048;
const RSA_BITS_MAX = 8_192;
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

export interface IssuedCertificate {
  readonly cert: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** RFC 8705, section 3.1: base64url of the SHA-256 of the DER. */
  readonly thumbprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** RFC 8705, section 3.1 (`x5t#S256`). */
export function thumbprintOfCertificate(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url');
}

function isStrongKey(spki: Buffer): boolean {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return true;
  if (type === 'ec') return CURVES.has(details?.namedCurve ?? '');
  const bits = details?.modulusLength ?? 0;
  return type === 'rsa' && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

/** A fresh P-256 key and a request for a certificate of it (RFC 2986). The key never leaves the caller. */
export async function makeCertificateRequest(
  name: string,
): Promise<{ readonly key: string; readonly request: string }> {
  const x509 = await loadX509();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const publicKey = await webcrypto.subtle.importKey(
    'spki',
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    ALGORITHM,
    true,
    ['verify'],
  );
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys: { privateKey: await importPrivate(key), publicKey },
    signingAlgorithm: ALGORITHM,
  });
  return { key, request: request.toString('pem') };
}

/**
 * A client certificate for the key of a request. Only the key is taken from it: who the certificate names is the
 * authority's to say.
 *
 * @throws {CertificateRequestInvalid} for what is no request, isn't signed by its own key, or has a weak key.
 */
export async function issueClientCertificate(
  authority: PemPair,
  input: {
    readonly request: string;
    readonly commonName: string;
    /** URI names (RFC 5280, section 4.2.1.6): a SPIFFE id. */
    readonly uri: string;
    readonly now: number;
    readonly lifeMs: number;
  },
): Promise<IssuedCertificate> {
  const x509 = await loadX509();
  if (input.request.length > REQUEST_CHARS_MAX) throw new CertificateRequestInvalid('The request is too large.');
  let request: InstanceType<typeof x509.Pkcs10CertificateRequest>;
  try {
    request = new x509.Pkcs10CertificateRequest(input.request);
  } catch {
    throw new CertificateRequestInvalid('This is no PKCS #10 certificate signing request.');
  }
  const signed = await request.verify().catch(() => false);
  if (!signed) throw new CertificateRequestInvalid('The request is not signed with the key that it names.');
  if (!isStrongKey(Buffer.from(request.publicKey.rawData))) {
    throw new CertificateRequestInvalid(
      'The key is neither EC P-256, P-384, P-521, Ed25519 nor RSA of 2048 bits or more.',
    );
  }
  const issuer = new x509.X509Certificate(authority.cert);
  const notAfter = Math.min(input.now + input.lifeMs, issuer.notAfter.getTime());
  const serial = serialNumber();
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ CN: [input.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(input.now - CLOCK_SKEW_MS),
    notAfter: new Date(notAfter),
    signingAlgorithm: ALGORITHM,
    publicKey: request.publicKey,
    signingKey: await importPrivate(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: input.uri }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
    ],
  });
  const cert = made.toString('pem');
  const parsed = new X509Certificate(cert);
  return {
    cert,
    serial: parsed.serialNumber.toLowerCase(),
    thumbprint: thumbprintOfCertificate(parsed),
    notBefore: Date.parse(parsed.validFrom),
    notAfter: Date.parse(parsed.validTo),
  };
}

/** Authorities whose certificates are believed, PEM each. An issuing intermediate is listed itself. */
export type CertificateTrust = readonly X509Certificate[];

/**
 * Whether one of the authorities issued a client certificate that is valid now. The issuer must be listed itself, so
 * that no path has to be built from certificates that the client brought (RFC 5280, section 6 is not needed).
 */
export function verifyClientCertificate(certificate: X509Certificate, trust: CertificateTrust, now: number): boolean {
  if (certificate.ca) return false;
  if (Date.parse(certificate.validFrom) > now || Date.parse(certificate.validTo) <= now) return false;
  // Undefined at run time where there is no such extension, whatever its type says: any use then.
  const usage = certificate.keyUsage as readonly string[] | undefined;
  if (usage !== undefined && !usage.includes(CLIENT_AUTH) && !usage.includes(ANY_USAGE)) return false;
  return trust.some(
    (authority) =>
      authority.ca &&
      Date.parse(authority.validFrom) <= now &&
      Date.parse(authority.validTo) > now &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey),
  );
}

/** The URI names of a certificate. Null when a name is written such that it could be read in two ways. */
export function certificateUris(certificate: X509Certificate): readonly string[] | null {
  const names = certificate.subjectAltName;
  if (names === undefined) return [];
  // Node quotes values that hold separators (CVE-2021-44532); no honest URI name needs that.
  if (names.includes('"')) return null;
  return names
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length));
}
