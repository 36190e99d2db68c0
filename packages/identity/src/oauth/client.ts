import { createHash } from 'node:crypto';
import { defineId, type Id, type IntegrationId } from '@cordon/kernel';
import { z } from 'zod';
import type { Federation } from './federation.ts';
import { ClientInvalid } from '../errors.ts';
import type { ClientAuthMethod, DeliveryMode, TokenBinding } from '../tables.ts';

export const ClientId = defineId('ClientId');
export type ClientId = Id<'ClientId'>;

/** `suspended`: its integration was cut off and may be restored. `revoked`: for good. */
export type ClientStatus = 'active' | 'suspended' | 'revoked';

/** The OAuth client of an integration: how it proves who it is, and what its tokens are like. */
export interface OauthClient {
  readonly id: ClientId;
  /** null: a client of Cordon itself. */
  readonly integrationId: IntegrationId | null;
  readonly name: string;
  readonly authMethod: ClientAuthMethod;
  /** Public keys, for `private_key_jwt` and `self_signed_tls_client_auth`. */
  readonly jwks: { readonly keys: readonly PublicJwk[] } | null;
  /** For `federated`. */
  readonly federation: Federation | null;
  /** Subject of the certificate, for `tls_client_auth`. */
  readonly tlsSubject: string | null;
  /** URI name (SPIFFE id) of the certificate, for `tls_client_auth` instead of the subject. */
  readonly tlsUri: string | null;
  /** Its DPoP proofs must carry a nonce of ours (RFC 9449, section 8). */
  readonly dpopNonce: boolean;
  readonly deliveryMode: DeliveryMode;
  /** Where it is told of decisions, for `ping` and `push`. */
  readonly notificationEndpoint: string | null;
  readonly binding: TokenBinding;
  readonly tokenTtlS: number;
  readonly introspects: boolean;
  readonly status: ClientStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly lastTokenAt: number | null;
}

/**
 * How strongly a machine client showed who it is. `m0`: a shared secret, and a token that can be copied. `m1`: one key,
 * either to obtain the token or to use it. `m2`: two different keys, one for each.
 */
export type Assurance = 'm0' | 'm1' | 'm2';

export interface AssuranceFacts {
  readonly authMethod: ClientAuthMethod;
  readonly jwks: { readonly keys: readonly PublicJwk[] } | null;
  /** What the token is tied to (RFC 9449, RFC 8705); null: nothing. */
  readonly cnf: { readonly jkt?: string; readonly 'x5t#S256'?: string } | null;
  /** RFC 7638 thumbprint of the key of the certificate that was shown when the token was obtained. */
  readonly peerKey?: string | null;
}

/**
 * The assurance of one token. A key that both authenticates the client and binds the token counts once, also when it
 * is in a certificate here and in a JSON Web Key there; keys that can't be compared count as one.
 */
export function assuranceOf({ authMethod, jwks, cnf, peerKey = null }: AssuranceFacts): Assurance {
  const byKey = authMethod !== 'client_secret_basic';
  if (!cnf) return byKey ? 'm1' : 'm0';
  if (!byKey) return 'm1';
  const binding = cnf.jkt ?? peerKey;
  if (binding === null) return 'm1';
  if (authMethod !== 'private_key_jwt') return peerKey === null || peerKey === binding ? 'm1' : 'm2';
  return (jwks?.keys ?? []).some((key) => thumbprintOf(key) === binding) ? 'm1' : 'm2';
}

/** RFC 7638: the required members in order of their names. */
function thumbprintOf(key: PublicJwk): string {
  const members =
    key.kty === 'EC'
      ? { crv: key.crv, kty: key.kty, x: key.x, y: key.y }
      : key.kty === 'OKP'
        ? { crv: key.crv, kty: key.kty, x: key.x }
        : { e: key.e, kty: key.kty, n: key.n };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

const KEYS_MAX = 5;
const RSA_BITS_MIN = 2_048;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(2_048);
const keyMembers = {
  kid: z.string().min(1).max(200).optional(),
  use: z.literal('sig').optional(),
  alg: z.string().max(20).optional(),
  x5c: z.array(z.string().max(8_192)).max(5).optional(),
};
const publicJwkSchema = z.discriminatedUnion('kty', [
  z.object({ ...keyMembers, kty: z.literal('EC'), crv: z.literal('P-256'), x: base64url, y: base64url }),
  z.object({ ...keyMembers, kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url }),
  z.object({ ...keyMembers, kty: z.literal('RSA'), n: base64url, e: base64url }),
]);
export type PublicJwk = z.output<typeof publicJwkSchema>;

export const jwksSchema = z.object({ keys: z.array(z.unknown()).min(1).max(KEYS_MAX) });

/** Public keys as an integration gave them. A private key is refused loudly: it has just been shown to us. */
export function parsePublicKeys(value: unknown): { keys: PublicJwk[] } {
  const outer = jwksSchema.safeParse(value);
  if (!outer.success) throw new ClientInvalid(`A JSON Web Key Set has between 1 and ${KEYS_MAX} keys.`);
  const keys = outer.data.keys.map((key) => {
    const names = typeof key === 'object' && key !== null ? Object.keys(key) : [];
    if (names.some((name) => PRIVATE_MEMBERS.includes(name))) {
      throw new ClientInvalid('This is a private key. Give only its public part, and replace it: it was sent here.');
    }
    const parsed = publicJwkSchema.safeParse(key);
    if (!parsed.success) throw new ClientInvalid('A client key is EC P-256, Ed25519 or RSA, as a public JWK.');
    const jwk = parsed.data;
    if (jwk.kty === 'RSA' && Buffer.from(jwk.n, 'base64url').length * 8 < RSA_BITS_MIN) {
      throw new ClientInvalid(`An RSA key has at least ${RSA_BITS_MIN} bits.`);
    }
    return jwk;
  });
  return { keys };
}
