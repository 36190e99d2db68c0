import { CALL_DETAIL_TYPE } from '@cordon/policy';
import type { AllClientMetadata, ClientMetadata } from 'oidc-provider';
import { type IdentityContext, tablesOf } from '../context.ts';
import { hashSecret, sameHash } from '../token-secret.ts';
import { ClientId, type OauthClient } from './client.ts';
import { JWT_BEARER } from './federation.ts';
import { CIBA } from './backchannel-delivery.ts';
import { TOKEN_EXCHANGE } from './token-exchange.ts';
import { findClient, listClientSecrets, SECRETS_MAX } from './client-store.ts';

/** Members that Cordon adds to a client's metadata; oidc-provider keeps them under these names. */
export const EXTRA_METADATA = [
  'cordon_integration_id',
  'cordon_token_ttl_s',
  'cordon_introspects',
  'cordon_secrets',
  'cordon_federation',
  'cordon_dpop_nonce',
  'cordon_push',
] as const;

/**
 * oidc-provider demands a `client_secret` of a client that authenticates with one, and would compare with it. Only a
 * hash exists here, so this stands in its place, and `secretMatches` compares instead. HMAC algorithms, which would use
 * it as a key, are switched off.
 */
const SECRET_PLACEHOLDER = 'only-a-hash-is-kept';

/** The client of an id for oidc-provider; undefined for one that doesn't exist or may not act now. */
export async function clientMetadata(context: IdentityContext, id: string): Promise<ClientMetadata | undefined> {
  const db = tablesOf(context.db);
  const clientId = /^[0-9a-f-]{36}$/.test(id) ? ClientId.parse(id) : undefined;
  const client = clientId && (await findClient(db, clientId));
  const now = context.clock.now();
  if (!client || client.status !== 'active' || (client.expiresAt !== null && client.expiresAt <= now)) return undefined;
  const secrets = client.authMethod === 'client_secret_basic' ? await listClientSecrets(db, client.id, now) : [];
  return {
    client_id: client.id,
    client_name: client.name,
    grant_types: client.authMethod === 'federated' ? [JWT_BEARER] : ['client_credentials', CIBA, TOKEN_EXCHANGE],
    ...(client.authMethod === 'federated'
      ? {}
      : { ...deliveryMembers(client), authorization_details_types: [CALL_DETAIL_TYPE] }),
    response_types: [],
    redirect_uris: [],
    ...authMembers(client),
    ...(client.binding === 'dpop' ? { dpop_bound_access_tokens: true } : {}),
    ...(client.binding === 'mtls' ? { tls_client_certificate_bound_access_tokens: true } : {}),
    cordon_integration_id: client.integrationId,
    cordon_token_ttl_s: client.tokenTtlS,
    cordon_introspects: client.introspects,
    cordon_dpop_nonce: client.dpopNonce,
    cordon_push: client.deliveryMode === 'push',
    cordon_federation: client.federation === null ? null : JSON.stringify(client.federation),
    cordon_secrets: secrets.map(({ hash, expiresAt }) => `${hash.toString('hex')}:${expiresAt ?? ''}`),
  };
}

/** The library knows no push; to it such a client is pinged. See backchannel-delivery.ts. */
function deliveryMembers({ notificationEndpoint }: OauthClient) {
  return notificationEndpoint === null
    ? { backchannel_token_delivery_mode: 'poll' as const }
    : {
        backchannel_token_delivery_mode: 'ping' as const,
        backchannel_client_notification_endpoint: notificationEndpoint,
      };
}

function authMembers(client: OauthClient): Omit<AllClientMetadata, 'client_id'> {
  const token_endpoint_auth_method = client.authMethod;
  switch (token_endpoint_auth_method) {
    case 'client_secret_basic':
      return { token_endpoint_auth_method, client_secret: SECRET_PLACEHOLDER };
    case 'federated':
      // The grant's assertion says who it is; see workload-grant.ts.
      return { token_endpoint_auth_method: 'none' };
    case 'tls_client_auth':
      return client.tlsUri === null
        ? { token_endpoint_auth_method, tls_client_auth_subject_dn: client.tlsSubject ?? '' }
        : { token_endpoint_auth_method, tls_client_auth_san_uri: client.tlsUri };
    default:
      return { token_endpoint_auth_method, jwks: client.jwks ?? { keys: [] } };
  }
}

/** Compares a presented secret with the stored hashes, each in constant time. */
export function secretMatches(client: object, presented: unknown, now: number): boolean {
  const stored: unknown = 'cordon_secrets' in client ? client.cordon_secrets : [];
  if (typeof presented !== 'string' || !Array.isArray(stored)) return false;
  const hash = hashSecret(presented);
  return stored.slice(0, SECRETS_MAX).some((entry: unknown) => {
    const [hex = '', until = ''] = String(entry).split(':');
    return sameHash(Buffer.from(hex, 'hex'), hash) && (until === '' || Number(until) > now);
  });
}
