import type { JWK } from 'jose';
import { type Client, type Configuration, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { type IdentityContext, tablesOf } from '../context.ts';
import { createSsoAdapter, findOidcApp, SSO_METADATA } from './sso-adapter.ts';
import { ACR_VALUES, acrAnswer, isStrongEnough, mayUse, splitName, type Strength, strengthAsked } from './sso-app.ts';
import { loadSubscriber } from './sso-app-store.ts';
import { escapeHtml, ssoPage } from './sso-page.ts';
import { judgeSignOn } from './sso-policy.ts';
import { reportRefusal } from './sso-record.ts';
import type { SubjectReader } from './sso-subject.ts';

/** Where people's sign-ons live below the public address; an issuer of its own, so no token of one side fits the other. */
export const SSO_PATH = '/sso';
const CODE_TTL_S = 60;
const ID_TOKEN_TTL_S = 3_600;
const ACCESS_TOKEN_TTL_S = 600;
const INTERACTION_TTL_S = 1_800;

function extra(client: object | undefined, name: (typeof SSO_METADATA)[number]): unknown {
  return client && name in client ? client[name as keyof typeof client] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** What this request needs: the stronger of what the app always wants and what `acr_values` ask for. */
export function strengthWanted(client: object | undefined, acrValues: unknown): Strength {
  const asked = strengthAsked(textOf(acrValues));
  const always = extra(client, 'cordon_assurance');
  const floor: Strength = always === 'mfa' || always === 'passkey' ? always : 'any';
  return isStrongEnough(asked, floor) ? asked : floor;
}

/** The login prompt of the library with two checks of ours; consent is the administrator's, given with the app. */
function policyOf(context: IdentityContext, subjects: SubjectReader) {
  const policy = interactionPolicy.base();
  const login = policy.get('login');
  if (!login) throw new Error('the library has no login prompt');
  const { Check } = interactionPolicy;
  login.checks.add(
    new Check('not_allowed', 'this person may not use the app', 'access_denied', async (ctx) => {
      const who = await subjects.read(ctx.req);
      const app = await findOidcApp(context, ctx.oidc.client?.clientId ?? '');
      if (!who || !app || mayUse(app, who)) return false;
      reportRefusal(context, app, 'The person may not use this app.', who);
      throw new errors.AccessDenied('this person may not use the app');
    }),
  );
  login.checks.add(
    new Check('too_weak', 'a stronger factor is needed', 'unmet_authentication_requirements', async (ctx) => {
      const who = await subjects.read(ctx.req);
      if (!who) return false; // the check for a session asks already
      const acrValues = ctx.oidc.params?.['acr_values'];
      if (!isStrongEnough(who.strength, strengthWanted(ctx.oidc.client, acrValues))) return true;
      const app = await findOidcApp(context, ctx.oidc.client?.clientId ?? '');
      const needs = app && (await judgeSignOn(context, app, who, ctx.req)).verdict.outcome !== 'allow';
      // The interaction tells refusal and stronger factor apart, and explains.
      if (needs) return true;
      const { session } = ctx.oidc;
      if (session) session.acr = acrAnswer(textOf(acrValues), who.strength);
      return false;
    }),
  );
  return policy;
}

/** One grant for each app within a session, covering what the app is registered for: no page asks. */
async function loadGrant(ctx: KoaContextWithOIDC) {
  const { client, session, provider, account } = ctx.oidc;
  if (!client || !session || !account) return undefined;
  const known = session.grantIdFor(client.clientId);
  const found = known === undefined ? undefined : await provider.Grant.find(known);
  const grant = found ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope([...ctx.oidc.requestParamOIDCScopes].join(' '));
  await grant.save();
  return grant;
}

export function ssoOidcConfiguration(
  context: IdentityContext,
  keys: readonly JWK[],
  subjects: SubjectReader,
): Configuration {
  const sessionTtlS = Math.floor(context.config.sessionAbsoluteMs / 1000);
  const withGroups = (client: Client | undefined): boolean => extra(client, 'cordon_groups') === true;
  return {
    adapter: (model: string) => createSsoAdapter(context, model),
    jwks: { keys },
    routes: {
      authorization: '/authorize',
      token: '/token',
      userinfo: '/userinfo',
      revocation: '/revoke',
      jwks: '/jwks',
      end_session: '/logout',
      pushed_authorization_request: '/par',
    },
    scopes: ['openid', 'offline_access'],
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at', 'groups'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
      sid: null,
      iss: null,
    },
    acrValues: [...ACR_VALUES],
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'Ed25519', 'PS256', 'RS256'],
      idTokenSigningAlgValues: ['RS256'],
    },
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    // Many tools read claims from the id_token alone.
    conformIdTokenClaims: false,
    discovery: { frontchannel_logout_supported: true, frontchannel_logout_session_supported: true },
    extraClientMetadata: { properties: [...SSO_METADATA] },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: { enabled: false },
      pushedAuthorizationRequests: { enabled: true, allowUnregisteredRedirectUris: false },
      dPoP: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = ssoPage(
            'Sign out',
            `<p>Sign out of Cordon and of every app that you opened through it?</p>${form}<p><button autofocus type="submit" form="op.logoutForm" name="logout" value="yes">Sign out everywhere</button> <a href="/">Stay signed in</a></p>`,
          );
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = ssoPage(
            'Signed out',
            '<p>You are signed out of Cordon and of the apps that you opened through it.</p>',
          );
        },
      },
    },
    interactions: { policy: policyOf(context, subjects), url: (_ctx, { uid }) => `${SSO_PATH}/interaction/${uid}` },
    loadExistingGrant: (ctx) => loadGrant(ctx),
    async findAccount(ctx, id) {
      const subscriber = await loadSubscriber(tablesOf(context.db), id, context.clock.now());
      if (subscriber?.person.status !== 'active') return undefined;
      const { client } = ctx.oidc;
      const app = client && (await findOidcApp(context, client.clientId));
      // At the authorization endpoint the check above answers and reports; elsewhere the account is simply gone.
      const asks = ctx.oidc.route === 'authorization' || ctx.oidc.route === 'resume';
      if (app && !asks && !mayUse(app, subscriber)) return undefined;
      const { person, groups } = subscriber;
      const { first, last } = splitName(person.name);
      return {
        accountId: person.id,
        claims: () => ({
          sub: person.id,
          name: person.name,
          given_name: first,
          family_name: last,
          preferred_username: person.login,
          updated_at: Math.floor(person.updatedAt / 1000),
          email: person.email,
          // Given by an administrator, a directory or a provider that answers for its domain; never by the person.
          email_verified: true,
          ...(withGroups(client) ? { groups: groups.map(({ name }) => name) } : {}),
        }),
      };
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    // Nothing outlives the session that it came from.
    expiresWithSession: () => true,
    pkce: { required: (_ctx, client) => extra(client, 'cordon_pkce') !== 'optional' },
    clientBasedCORS: () => false,
    cookies: {
      names: { session: 'cordon_sso', interaction: 'cordon_sso_step', resume: 'cordon_sso_resume' },
      long: { signed: false, httpOnly: true, sameSite: 'lax' },
      short: { signed: false, httpOnly: true, sameSite: 'lax' },
    },
    ttl: {
      AuthorizationCode: CODE_TTL_S,
      AccessToken: ACCESS_TOKEN_TTL_S,
      IdToken: ID_TOKEN_TTL_S,
      Interaction: INTERACTION_TTL_S,
      RefreshToken: sessionTtlS,
      Session: sessionTtlS,
      Grant: sessionTtlS,
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      const { error, error_description: text } = out;
      ctx.body = ssoPage(
        'This sign-in can’t go on',
        `<p>${escapeHtml(text ?? error)}</p><p><code>${escapeHtml(error)}</code></p>`,
      );
    },
  };
}
