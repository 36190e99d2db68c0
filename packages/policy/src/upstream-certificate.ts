import { z } from 'zod';

const name = z.string().max(512);

/** One certificate as it was shown in a handshake. */
export const shownCertificate = z.strictObject({
  subject: name,
  issuer: name,
  /** Milliseconds since the epoch. */
  notBefore: z.int(),
  notAfter: z.int(),
  /** `rsa`, `ec`, `ed25519`. */
  keyType: z.string().max(32),
  /** Bits of the modulus or of the curve's field; null for keys of a fixed size. */
  keyBits: z.int().nonnegative().nullable(),
  /** As OpenSSL names it: `ecdsa-with-SHA256`; null when it can't be told. */
  signature: z.string().max(64).nullable(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ShownCertificate = z.output<typeof shownCertificate>;

/** What a gateway saw when it connected to an upstream. */
export const seenConnection = z.strictObject({
  /** The server's own certificate, then the authorities that it sent, without the root. Empty when it was refused. */
  chain: z.array(shownCertificate).max(8),
  /** `TLSv1.3`; null when no connection came about. */
  protocol: z.string().max(16).nullable(),
  cipher: z.string().max(64).nullable(),
  /** Why the gateway refused the connection: OpenSSL's or the gateway's code. */
  refused: z
    .string()
    .regex(/^[A-Z0-9_]{1,64}$/)
    .nullable(),
});
export type SeenConnection = z.output<typeof seenConnection>;

export type CertificateProblem =
  | 'refused'
  | 'expired'
  | 'expires-within-week'
  | 'expires-within-month'
  | 'weak-key'
  | 'weak-signature'
  | 'no-forward-secrecy';

/** ACME clients renew 30 days ahead; who has not by then may have forgotten it. */
const MONTH_MS = 30 * 86_400_000;
const WEEK_MS = 7 * 86_400_000;
/** Short-lived certificates are renewed in their last third: they are no news before that. */
const LAST_PART = 3;
/** NIST SP 800-57, part 1, table 2: 112 bits of security. */
const RSA_BITS_MIN = 2048;
const CURVE_BITS_MIN = 224;
const WEAK_SIGNATURE = /(?:md2|md4|md5|sha-?1(?!\d))/i;

function isWeakKey({ keyType, keyBits }: ShownCertificate): boolean {
  if (keyBits === null) return false;
  return keyBits < (keyType.startsWith('rsa') || keyType.startsWith('dsa') ? RSA_BITS_MIN : CURVE_BITS_MIN);
}

function endProblem(chain: readonly ShownCertificate[], now: number): CertificateProblem | undefined {
  const first = chain.toSorted((a, b) => a.notAfter - b.notAfter)[0];
  if (!first) return undefined;
  const left = first.notAfter - now;
  if (left <= 0) return 'expired';
  if (left > Math.min(MONTH_MS, (first.notAfter - first.notBefore) / LAST_PART)) return undefined;
  return left <= WEEK_MS ? 'expires-within-week' : 'expires-within-month';
}

/** What is wrong with a connection now. RFC 9325 on ciphers; TLS below 1.2 never comes about. */
export function certificateProblems({ chain, protocol, cipher, refused }: SeenConnection, now: number) {
  const problems: CertificateProblem[] = [];
  if (refused !== null) problems.push('refused');
  const end = endProblem(chain, now);
  if (end) problems.push(end);
  if (chain.some(isWeakKey) || refused === 'CERT_KEY_TOO_WEAK') problems.push('weak-key');
  const hasWeakSignature = chain.some(({ signature }) => signature !== null && WEAK_SIGNATURE.test(signature));
  if (hasWeakSignature || refused === 'CERT_SIGNATURE_TOO_WEAK') problems.push('weak-signature');
  const isEphemeral = protocol === 'TLSv1.3' || /^(?:ECDHE|DHE|TLS)[-_]/.test(cipher ?? '');
  if (protocol !== null && !isEphemeral) problems.push('no-forward-secrecy');
  return problems;
}
