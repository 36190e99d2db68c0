import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { JwkEntry } from '@cordon/policy';

/** What a valid JWT access token (RFC 9068) says. Times in milliseconds. */
interface JwtClaims {
  readonly issuer: string;
  readonly clientId: string;
  readonly expiresAt: number;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly cnf: { readonly jkt: string | null; readonly 'x5t#S256': string | null } | null;
}

export type JwtVerdict =
  | { readonly ok: true; readonly claims: JwtClaims }
  | { readonly ok: false; readonly why: string; readonly expired?: boolean };

export interface JwtRules {
  readonly now: number;
  readonly audience: string | undefined;
  readonly findKey: (kid: string) => JwkEntry | undefined;
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const CLOCK_SKEW_MS = 5_000;
/** DESIGN: JWTs live five minutes at most; anything longer isn't ours. */
const LIFETIME_MS_MAX = 10 * 60_000;

const keyObjects = new WeakMap<JwkEntry, KeyObject>();

/** True for what looks like a JWT, so that it is never looked up as an opaque token. */
export function isJwt(token: string): boolean {
  return token.startsWith('eyJ') && COMPACT.test(token);
}

function parsePart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>) // any JSON object is one
      : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(entry: JwkEntry): KeyObject {
  let key = keyObjects.get(entry);
  if (!key) {
    // `alg` isn't part of the key material that node reads.
    const { alg: _, ...jwk } = entry.jwk;
    keyObjects.set(entry, (key = createPublicKey({ key: { ...jwk }, format: 'jwk' })));
  }
  return key;
}

function checkSignature(signingInput: string, signature: string, entry: JwkEntry): boolean {
  const key = keyOf(entry);
  const data = Buffer.from(signingInput);
  const bytes = Buffer.from(signature, 'base64url');
  switch (entry.jwk.alg) {
    case 'ES256':
      return bytes.length === 64 && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, bytes);
    case 'RS256':
      return verify('sha256', data, key, bytes);
    case 'PS256':
      return verify('sha256', data, { key, padding: 6, saltLength: 32 }, bytes); // 6: RSA_PKCS1_PSS_PADDING
    default: // EdDSA, Ed25519
      return verify(null, data, key, bytes);
  }
}

function strings(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function readCnf(value: unknown): JwtClaims['cnf'] {
  if (typeof value !== 'object' || value === null) return null;
  const jkt = 'jkt' in value && typeof value.jkt === 'string' ? value.jkt : null;
  const thumbprint = 'x5t#S256' in value && typeof value['x5t#S256'] === 'string' ? value['x5t#S256'] : null;
  return { jkt, 'x5t#S256': thumbprint };
}

/**
 * Checks a JWT access token. Header and claims are looked at first: a garbage token is refused for the price of
 * parsing it, and only a token that names a known key, the right issuer and a future expiry costs a signature check.
 */
export function checkJwt(token: string, rules: JwtRules): JwtVerdict {
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = parsePart(head);
  if (!header || typeof header.kid !== 'string') return { ok: false, why: 'it names no key' };
  if (header.crit !== undefined || header.b64 !== undefined)
    return { ok: false, why: 'it uses extensions that are not understood' };
  // RFC 9068, section 4: anything but an access token, such as an ID token, is refused.
  const type = typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : '';
  if (type !== 'at+jwt') return { ok: false, why: 'it is not an access token (typ at+jwt)' };
  const entry = rules.findKey(header.kid);
  if (!entry || (entry.notAfter !== null && entry.notAfter <= rules.now))
    return { ok: false, why: 'its key is not known here' };
  if (header.alg !== entry.jwk.alg) return { ok: false, why: 'its algorithm is not that of its key' };
  const claims = parsePart(body);
  if (!claims || claims.iss !== entry.issuer) return { ok: false, why: 'its issuer is not the one of its key' };
  if (typeof claims.exp !== 'number' || typeof claims.client_id !== 'string') {
    return { ok: false, why: 'it has no expiry or client' };
  }
  const expiresAt = claims.exp * 1000;
  if (expiresAt <= rules.now) return { ok: false, why: 'it has expired', expired: true };
  if (expiresAt > rules.now + LIFETIME_MS_MAX) return { ok: false, why: 'it lives longer than allowed' };
  if (typeof claims.nbf === 'number' && claims.nbf * 1000 > rules.now + CLOCK_SKEW_MS) {
    return { ok: false, why: 'it is not valid yet' };
  }
  const audience = strings(claims.aud);
  if (rules.audience !== undefined && !audience.includes(rules.audience)) {
    return { ok: false, why: 'it was issued for another audience' };
  }
  if (!checkSignature(`${head}.${body}`, signature, entry)) return { ok: false, why: 'its signature does not verify' };
  return {
    ok: true,
    claims: {
      issuer: entry.issuer,
      clientId: claims.client_id,
      expiresAt,
      scope: typeof claims.scope === 'string' ? claims.scope.split(' ').filter(Boolean) : [],
      audience: audience.filter((name) => name !== rules.audience),
      cnf: readCnf(claims.cnf),
    },
  };
}
