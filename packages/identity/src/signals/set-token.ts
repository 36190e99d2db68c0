import {
  createLocalJWKSet,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';
import { SignalInvalid } from '../errors.ts';
import type { SigningKeys } from '../oauth/signing-keys.ts';
import { type Subject, subjectSchema } from './subject.ts';

export const SET_TYPE = 'application/secevent+jwt';
export const SET_CHARS_MAX = 64 * 1024;
const TYP = 'secevent+jwt';
/** What the CAEP interoperability profile asks of everybody. */
const ALGORITHM = 'RS256';
const ALGORITHMS = ['RS256', 'ES256', 'PS256', 'EdDSA'];
/** A transmitter's clock may be this far ahead. */
const AHEAD_S_MAX = 120;
/** As long as a transmitter may go on trying, and as long as a `jti` is kept to notice a second one. */
export const AGE_S_MAX = 14 * 86_400;

/** Claims of a security event token as it is sent; `iat` and the signature are new with each try. */
export const setClaims = z.object({
  aud: z.string(),
  sub_id: z.unknown(),
  txn: z.string().optional(),
  events: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** Signs a token (RFC 8417; SSF 1.0, section 4.1: explicitly typed, `sub_id`, neither `sub` nor `exp`). */
export async function signSet(
  keys: SigningKeys,
  input: { readonly issuer: string; readonly jti: string; readonly claims: unknown; readonly at: number },
): Promise<string> {
  const jwk = (await keys.load()).find((key: JWK) => key.alg === ALGORITHM);
  if (!jwk) throw new Error('there is no RS256 key');
  const { aud, ...claims } = setClaims.parse(input.claims);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, typ: TYP, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
    .setIssuer(input.issuer)
    .setAudience(aud)
    .setIssuedAt(Math.floor(input.at / 1000))
    .setJti(input.jti)
    .sign(await importJWK(jwk, ALGORITHM));
}

/** A token that was believed. */
export interface ReceivedSet {
  readonly jti: string;
  readonly type: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly subject: Subject;
}

/** Error codes of RFC 8935, section 2.4, and of SSF 1.0, section 7.2.3. */
export type SetError =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'access_denied'
  | 'invalid_state';

export function refuseSet(err: SetError, description: string, cause?: unknown): never {
  throw new SignalInvalid(description, { err }, cause);
}

const payloadSchema = z.object({
  jti: z.string().min(1).max(255),
  iat: z.number(),
  sub: z.never().optional(),
  exp: z.never().optional(),
  sub_id: subjectSchema,
  events: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** The key id that a token names, to know which keys are wanted before it is checked. */
export function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

/**
 * Checks a token: explicit type, signature by a key of the transmitter, issuer, audience, age, one event, a subject.
 * Whether it was seen before is for whoever stores it.
 *
 * @throws {SignalInvalid} with `detail.err`
 */
export async function verifySet(
  token: string,
  trust: { readonly issuer: string; readonly audience: string; readonly keys: JSONWebKeySet; readonly now: number },
): Promise<ReceivedSet> {
  if (token.length > SET_CHARS_MAX) return refuseSet('invalid_request', 'The token is too large.');
  let payload: unknown;
  try {
    const checked = await jwtVerify(token, createLocalJWKSet(trust.keys), {
      typ: TYP,
      algorithms: ALGORITHMS,
      currentDate: new Date(trust.now),
    });
    payload = checked.payload;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const isKey = code === 'ERR_JWKS_NO_MATCHING_KEY' || code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED';
    return refuseSet(isKey ? 'invalid_key' : 'invalid_request', 'The token can’t be verified.', error);
  }
  const { iss, aud } = z.object({ iss: z.unknown(), aud: z.unknown() }).parse(payload);
  if (iss !== trust.issuer) return refuseSet('invalid_issuer', 'The token is from another issuer.');
  if (![aud].flat().includes(trust.audience)) return refuseSet('invalid_audience', 'The token is for somebody else.');
  const parsed = payloadSchema.safeParse(payload);
  if (!parsed.success)
    return refuseSet('invalid_request', 'The token lacks jti, iat, sub_id or events, or has sub or exp.');
  const { jti, iat, sub_id: subject, events } = parsed.data;
  const age = trust.now / 1000 - iat;
  if (age < -AHEAD_S_MAX) return refuseSet('invalid_request', 'The token is from the future.');
  if (age > AGE_S_MAX) return refuseSet('invalid_request', 'The token is too old.');
  const [only, ...more] = Object.entries(events);
  if (!only || more.length > 0) return refuseSet('invalid_request', 'The token must hold exactly one event.');
  return { jti, type: only[0], event: only[1], subject };
}
