import { createHash, X509Certificate } from 'node:crypto';
import type { WebhookScheme } from '@cordon/policy';
import type { DeliveryParts } from './delivery-parts.ts';
import type { OpenSecret, Verdict } from './signature-check.ts';

const CERTIFICATES_MAX = 8;
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,16000}-----END CERTIFICATE-----/g;
/** Extended key usage of TLS clients (RFC 5280, section 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** The certificates of a PEM text; null when it holds none, too many, or what is none. */
export function readCertificates(text: string): X509Certificate[] | null {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0 || blocks.length > CERTIFICATES_MAX) return null;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return null;
  }
}

/**
 * Verifies that a delivery came over a connection whose client holds the key of the vendor's certificate: one that is
 * listed itself, or one that a listed authority issued, with one of the scheme's names.
 */
export class CertificateCheck {
  readonly #scheme: WebhookScheme;
  readonly #names: readonly string[];
  readonly #trusted = new WeakMap<Buffer, readonly X509Certificate[]>();

  constructor(scheme: WebhookScheme) {
    this.#scheme = scheme;
    this.#names = scheme.certificate?.names ?? [];
  }

  check(presented: X509Certificate | null, parts: DeliveryParts, secrets: readonly OpenSecret[], now: number): Verdict {
    if (!presented) return { verdict: 'missing' };
    if (!this.#isUsable(presented, now)) return { verdict: 'invalid' };
    for (const secret of secrets) {
      if (secret.notAfter !== null && secret.notAfter <= now) continue;
      if (!this.#trustedBy(secret).some((trusted) => isVouchedFor(presented, trusted, now))) continue;
      const id = this.#scheme.id ? parts.first(this.#scheme.id.places, NO_FIELDS) : undefined;
      // The connection vouches for every part of the request, its id included.
      const hash = createHash('sha256').update(JSON.stringify([id ?? null, parts.delivery.urls[0] ?? '']));
      return {
        verdict: 'verified',
        secretId: secret.id,
        secret: secret.bytes,
        contentHash: hash.update(parts.delivery.body).digest('hex'),
        timestamp: null,
        fields: NO_FIELDS,
      };
    }
    return { verdict: 'invalid' };
  }

  #isUsable(presented: X509Certificate, now: number): boolean {
    if (!isCurrent(presented, now)) return false;
    // Named differently by node's types than by node: a list of object identifiers, or nothing.
    const usages: readonly string[] | undefined = presented.keyUsage;
    if (usages && usages.length > 0 && !usages.includes(CLIENT_AUTH)) return false;
    return this.#names.length === 0 || this.#names.some((name) => presented.checkHost(name, { subject: 'never' }));
  }

  #trustedBy(secret: OpenSecret): readonly X509Certificate[] {
    let known = this.#trusted.get(secret.bytes);
    if (!known) this.#trusted.set(secret.bytes, (known = readCertificates(secret.bytes.toString('utf8')) ?? []));
    return known;
  }
}

function isVouchedFor(presented: X509Certificate, trusted: X509Certificate, now: number): boolean {
  if (presented.fingerprint256 === trusted.fingerprint256) return true;
  return (
    trusted.ca &&
    isCurrent(trusted, now) &&
    presented.checkIssued(trusted) &&
    presented.verify(trusted.publicKey) &&
    !presented.ca
  );
}

function isCurrent(certificate: X509Certificate, now: number): boolean {
  return now >= certificate.validFromDate.getTime() && now < certificate.validToDate.getTime();
}
