import { createLocalJWKSet, type JWK, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { ClientInvalid } from '../errors.ts';
import { parsePublicKeys, type PublicJwk } from './client.ts';

/** The grant by which a workload turns its issuer's assertion into an access token (RFC 7523, section 2.1). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
const CLOCK_TOLERANCE_S = 15;
/** An assertion that lives for longer is as good as a stored secret. */
const ASSERTION_LIFETIME_S_MAX = 86_400;
/** Before a `*`, so that no rule means everybody. */
const SUBJECT_PREFIX_CHARS_MIN = 5;

/** Whom a client trusts to say that a workload is this client: a GitHub repository, a Kubernetes service account. */
export interface Federation {
  /** `iss`, exactly. */
  readonly issuer: string;
  /** `sub`, exactly; or with `*` at its end, everything that begins so. */
  readonly subject: string;
  /** `aud` that the assertion must be for. */
  readonly audience: string;
  readonly keys: { readonly jwks: { readonly keys: readonly PublicJwk[] } } | { readonly jwksUri: string };
}

const inputSchema = z.object({
  issuer: z.url().max(500),
  subject: z.string().min(1).max(500),
  audience: z.string().min(1).max(500),
  jwks: z.unknown().optional(),
  jwksUri: z
    .url({ protocol: /^https$/ })
    .max(1_000)
    .optional(),
});

/** What a client was registered with. Keys are given, or fetched from where the issuer publishes them. */
export function parseFederation(value: unknown, canFetch: boolean): Federation {
  const parsed = inputSchema.safeParse(value);
  if (!parsed.success) throw new ClientInvalid('A federated client names issuer, subject and audience.');
  const { issuer, subject, audience, jwks, jwksUri } = parsed.data;
  const star = subject.indexOf('*');
  if (star >= 0 && (star !== subject.length - 1 || star < SUBJECT_PREFIX_CHARS_MIN)) {
    throw new ClientInvalid('A subject may end with one *, after at least five characters.', { field: 'subject' });
  }
  if ((jwks === undefined) === (jwksUri === undefined)) {
    throw new ClientInvalid('Give either the issuer’s keys or the address where it publishes them.', { field: 'jwks' });
  }
  if (jwksUri !== undefined && !canFetch) {
    throw new ClientInvalid('This installation fetches no keys; give the issuer’s keys themselves.', {
      field: 'jwksUri',
    });
  }
  const keys = jwksUri === undefined ? { jwks: parsePublicKeys(jwks) } : { jwksUri };
  return { issuer, subject, audience, keys };
}

const storedSchema = z.object({
  issuer: z.string(),
  subject: z.string(),
  audience: z.string(),
  keys: z.union([
    z.object({ jwks: z.object({ keys: z.array(z.custom<PublicJwk>((key) => typeof key === 'object')) }) }),
    z.object({ jwksUri: z.string() }),
  ]),
});

/** A federation as it was stored. */
export function readFederation(value: unknown): Federation {
  return storedSchema.parse(value);
}

function matchesSubject(pattern: string, subject: unknown): boolean {
  if (typeof subject !== 'string') return false;
  return pattern.endsWith('*') ? subject.startsWith(pattern.slice(0, -1)) : subject === pattern;
}

/** Checks an assertion (RFC 7523, section 3): signature, issuer, audience, time, subject. Throws when it is not good. */
export async function checkAssertion(
  federation: Federation,
  assertion: string,
  keys: readonly PublicJwk[],
  now: number,
): Promise<JWTPayload> {
  // The cast: jose's JWK and ours differ only in how absent members are written.
  const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: keys as JWK[] }), {
    issuer: federation.issuer,
    audience: federation.audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp', 'sub'],
    currentDate: new Date(now),
  });
  if (!matchesSubject(federation.subject, payload.sub)) throw new Error('the subject is another');
  if ((payload.exp ?? 0) - now / 1000 > ASSERTION_LIFETIME_S_MAX) throw new Error('the assertion lives too long');
  return payload;
}
