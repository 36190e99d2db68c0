import { type Adapter, type ClientMetadata, errors } from 'oidc-provider';
import { type IdentityContext, tablesOf } from '../context.ts';
import { createArtifactStore, deleteArtifactsOfGrant } from '../oauth/artifact-store.ts';
import { hashSecret } from '../token-secret.ts';
import { isOidc, type OidcSettings, type SsoApp, SsoAppId } from './sso-app.ts';
import { findApp, listAppSecrets } from './sso-app-store.ts';

/** Members that Cordon adds to an app's metadata; oidc-provider keeps them under these names. */
export const SSO_METADATA = ['cordon_secrets', 'cordon_pkce', 'cordon_assurance', 'cordon_groups'] as const;
/** Only hashes are kept; see oauth/client-metadata.ts. */
const SECRET_PLACEHOLDER = 'only-a-hash-is-kept';

async function nothing(): Promise<undefined> {
  return undefined;
}

/**
 * Storage of the provider for people's sign-ons. Everything is kept under a name of its own in `oauth_artifacts`, never
 * in `oauth_tokens`, which gateways read: an app's access token opens nothing but `userinfo`.
 */
export function createSsoAdapter(context: IdentityContext, model: string): Adapter {
  const { db, clock } = context;
  if (model === 'Client') {
    const refuse = (): Promise<never> => Promise.reject(new Error('apps are not registered through oidc-provider'));
    return {
      find: (id) => ssoMetadata(context, id),
      findByUid: nothing,
      findByUserCode: nothing,
      upsert: refuse,
      destroy: refuse,
      consume: nothing,
      revokeByGrantId: nothing,
    };
  }
  const store = createArtifactStore(tablesOf(db), context.envelope, `sso.${model}`);
  return {
    upsert: (id, payload, expiresIn = 0) =>
      store.put(id, payload, expiresIn > 0 ? new Date(clock.now() + expiresIn * 1000) : null),
    find: (id) => store.find(id),
    findByUid: (uid) => store.findByUid(uid),
    findByUserCode: nothing,
    async consume(id) {
      if (await consumeOnce(context, `sso.${model}`, id)) return;
      // Two exchanges of one code or refresh token at once: the library saw neither consumed. The loser ends the grant,
      // as a later one would (RFC 9700, section 4.5 and 4.14).
      const payload = await store.find(id);
      if (typeof payload?.['grantId'] === 'string') {
        await deleteArtifactsOfGrant(tablesOf(db), hashSecret(payload['grantId']));
      }
      throw new errors.InvalidGrant('already used');
    },
    destroy: (id) => store.remove(id),
    revokeByGrantId: (grantId) => deleteArtifactsOfGrant(tablesOf(db), hashSecret(grantId)),
  };
}

async function consumeOnce(context: IdentityContext, model: string, id: string): Promise<boolean> {
  const result = await tablesOf(context.db)
    .updateTable('oauth_artifacts')
    .set({ consumed_at: new Date(context.clock.now()) })
    .where('model', '=', model)
    .where('hash', '=', hashSecret(id))
    .where('consumed_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function findOidcApp(context: IdentityContext, id: string): Promise<SsoApp<OidcSettings> | undefined> {
  const app = /^[0-9a-f-]{36}$/.test(id) ? await findApp(tablesOf(context.db), SsoAppId.parse(id)) : undefined;
  return app && isOidc(app) && app.status === 'active' ? app : undefined;
}

async function ssoMetadata(context: IdentityContext, id: string): Promise<ClientMetadata | undefined> {
  const app = await findOidcApp(context, id);
  if (!app) return undefined;
  const { settings } = app;
  const withSecret = settings.auth.startsWith('client_secret');
  const secrets = withSecret ? await listAppSecrets(tablesOf(context.db), app.id, context.clock.now()) : [];
  return {
    client_id: app.id,
    client_name: app.name,
    grant_types: settings.refresh ? ['authorization_code', 'refresh_token'] : ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [...settings.redirectUris],
    post_logout_redirect_uris: [...settings.postLogoutRedirectUris],
    token_endpoint_auth_method: settings.auth,
    id_token_signed_response_alg: 'RS256',
    require_pushed_authorization_requests: settings.par,
    ...(withSecret ? { client_secret: SECRET_PLACEHOLDER } : {}),
    ...(settings.jwks ? { jwks: { keys: [...settings.jwks.keys] } } : {}),
    ...(settings.backchannelLogoutUri === null
      ? {}
      : { backchannel_logout_uri: settings.backchannelLogoutUri, backchannel_logout_session_required: true }),
    cordon_secrets: secrets.map(({ hash, expiresAt }) => `${hash.toString('hex')}:${expiresAt ?? ''}`),
    cordon_pkce: settings.pkce,
    cordon_assurance: settings.assurance,
    cordon_groups: settings.groupsClaim,
  };
}
