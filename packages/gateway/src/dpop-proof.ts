import { createPublicKey, hash, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** RFC 9449, section 11.1: how far a proof's time may lie from ours. */
export const PROOF_AGE_MS_MAX = 60_000;
const PROOF_CHARS_MAX = 4096;
const JTI_CHARS_MAX = 256;
export const DPOP_ALGORITHMS = 'ES256 EdDSA RS256';

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export interface ProofRules {
  readonly now: number;
  readonly method: string;
  /** The address the client called, without query. */
  readonly url: string;
  readonly token: string;
  /** Thumbprint that the token is bound to (`cnf.jkt`). */
  readonly thumbprint: string;
}

type Members = Readonly<Record<string, unknown>>;

function parsePart(part: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined; // any JSON object is one
  } catch {
    return undefined;
  }
}

/** The public members of a key by type, in the order that RFC 7638, section 3.2 hashes them. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function readKey(jwk: Members): { key: KeyObject; thumbprint: string } | undefined {
  const names = MEMBERS[String(jwk['kty'])];
  if (!names || PRIVATE_MEMBERS.some((name) => name in jwk)) return undefined;
  const parts: Record<string, string> = {};
  for (const name of names) {
    const value = jwk[name];
    if (typeof value !== 'string') return undefined;
    parts[name] = value;
  }
  try {
    return {
      key: createPublicKey({ key: parts, format: 'jwk' }),
      thumbprint: hash('sha256', JSON.stringify(parts), 'base64url'),
    };
  } catch {
    return undefined;
  }
}

function verifies(alg: unknown, jwk: Members, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  if (alg === 'ES256' && jwk['crv'] === 'P-256') {
    return signature.length === 64 && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  }
  if (alg === 'EdDSA' && jwk['crv'] === 'Ed25519') return verify(null, data, key, signature);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return (
    alg === 'RS256' && jwk['kty'] === 'RSA' && bits >= 2048 && bits <= 8192 && verify('sha256', data, key, signature)
  );
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** RFC 9449, section 4.3, check 9: compared after normalization, without query and fragment. */
function sameUrl(claimed: unknown, url: string): boolean {
  if (typeof claimed !== 'string' || !URL.canParse(claimed)) return false;
  const given = new URL(claimed);
  const ours = new URL(url);
  return given.origin === ours.origin && given.pathname === ours.pathname;
}

/** A proof that holds, if it is used for the first time. */
export interface CheckedProof {
  /** What it is known by among processes: whoever asks learns neither key nor `jti`. */
  readonly name: string;
  readonly nonce: string | undefined;
}

/**
 * Checks a DPoP proof (RFC 9449, section 4.3) for one call, but for its first use. Returns what is wrong as a text. What
 * costs nothing is looked at before the signature.
 */
export function checkProof(proof: string, rules: ProofRules): CheckedProof | string {
  if (proof.length > PROOF_CHARS_MAX || !COMPACT.test(proof)) return 'it is not one signed token';
  const [head = '', body = '', signature = ''] = proof.split('.');
  const header = parsePart(head);
  const claims = parsePart(body);
  if (!header || !claims || header['typ'] !== 'dpop+jwt') return 'its type is not dpop+jwt';
  if ('crit' in header || 'b64' in header) return 'it uses extensions that are not understood';
  const jwk = header['jwk'];
  const read = typeof jwk === 'object' && jwk !== null ? readKey(jwk as Members) : undefined; // any object is one
  if (!read) return 'it holds no usable public key';
  if (!sameText(read.thumbprint, rules.thumbprint)) return 'its key is not the one that the token is bound to';
  if (claims['htm'] !== rules.method) return 'it is for another method';
  if (!sameUrl(claims['htu'], rules.url)) return 'it is for another address';
  const issued = claims['iat'];
  if (typeof issued !== 'number' || Math.abs(rules.now - issued * 1000) > PROOF_AGE_MS_MAX)
    return 'its time is too far from now';
  const ath = claims['ath'];
  if (typeof ath !== 'string' || !sameText(ath, hash('sha256', rules.token, 'base64url')))
    return 'it is for another token';
  const jti = claims['jti'];
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARS_MAX) return 'it has no usable jti';
  const signed = Buffer.from(`${head}.${body}`);
  if (!verifies(header['alg'], jwk as Members, read.key, signed, Buffer.from(signature, 'base64url')))
    return 'its signature does not verify'; // an object, as readKey found
  const { nonce } = claims;
  return {
    name: hash('sha256', `${read.thumbprint} ${jti}`, 'base64url'),
    nonce: typeof nonce === 'string' ? nonce : undefined,
  };
}
