import { createSign } from 'node:crypto';
import { appendAudit } from '@cordon/kernel';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SsoMessageInvalid, UpstreamRefused } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import { deleteSession } from '../sessions/session-store.ts';
import type { Session } from '../sessions/session.ts';
import { decodeRedirect, encodeRedirect, logoutResponseXml } from '../sso/saml-message.ts';
import {
  children,
  isElement,
  NS,
  onlyChild,
  parseXml,
  RSA_SHA256,
  textOf,
  verifyEnveloped,
  verifyRedirect,
} from '../sso/saml-xml.ts';
import { rememberOnce } from '../sso/sso-login-store.ts';
import { hashSecret } from '../token-secret.ts';
import { findSessionsOf, findUpstreamSession, type UpstreamSession } from './account-store.ts';
import { createUpstreamFetch } from './egress.ts';
import {
  isOidcProvider,
  isSamlProvider,
  type OidcProviderSettings,
  type Provider,
  type SamlProviderSettings,
} from './provider.ts';
import { findProvider } from './provider-store.ts';
import { refuseUpstream } from './refusal.ts';
import { logoutUrl, newMessageId } from './saml-client.ts';
import { idTokenContext } from './upstream-entry.ts';
import { UPSTREAM_PATH, type UpstreamFlows } from './upstream-flow.ts';

const AGE_MS_MAX = 5 * 60_000;
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

const logoutTokenSchema = z.object({
  sub: z.string().optional(),
  sid: z.string().optional(),
  jti: z.string().min(1),
  iat: z.number(),
  events: z.object({ [LOGOUT_EVENT]: z.looseObject({}) }),
});

export interface SamlLogoutMessage {
  readonly binding: 'redirect' | 'post';
  readonly query: string;
  readonly message: string;
  readonly relayState: string | null;
}

export interface UpstreamLogout {
  /** Where the browser goes after the session here is over; null: nowhere else. Call before the session is deleted. */
  awayUrl(session: Session): Promise<string | null>;
  /** OpenID Connect Back-Channel Logout 1.0. Gives how many sessions ended. */
  backChannel(provider: Provider<OidcProviderSettings>, token: string): Promise<number>;
  /** OpenID Connect Front-Channel Logout 1.0: the provider's page loads this in a frame. */
  frontChannel(provider: Provider<OidcProviderSettings>, issuer: string | null, sid: string | null): Promise<number>;
  /** SAML single logout; gives where the browser takes the answer. */
  saml(provider: Provider<SamlProviderSettings>, message: SamlLogoutMessage): Promise<string>;
}

export function createUpstreamLogout(context: IdentityContext, flows: UpstreamFlows): UpstreamLogout {
  const { db, clock, envelope, config } = context;
  const fetch = createUpstreamFetch(config.signOnPrivateHosts);

  const end = async (provider: Provider, sessions: readonly UpstreamSession[]): Promise<number> => {
    const at = clock.now();
    let count = 0;
    for (const { sessionId } of sessions) {
      const isEnded = await db.transaction(async (tx) => {
        if (!(await deleteSession(tablesOf(tx), sessionId))) return false;
        const actor = { kind: 'system', name: `provider ${provider.name}` } as const;
        const detail = { by: 'sign-out at the provider', provider: provider.id };
        await appendAudit(tx, {
          actor,
          action: 'session.ended',
          target: { type: 'session', id: sessionId },
          detail,
          at,
        });
        return true;
      });
      if (!isEnded) continue;
      count += 1;
      context.emit(
        authenticationEvent('logoff', {
          at,
          outcome: 'success',
          reason: `Signed out at ${provider.name}.`,
          methods: ['session'],
          sessionId,
        }),
      );
    }
    return count;
  };

  const once = async (provider: Provider, id: string): Promise<void> => {
    const hash = hashSecret(JSON.stringify([provider.id, id]));
    if (!(await rememberOnce(tablesOf(db), 'upstream-logout', hash, clock.now() + 2 * AGE_MS_MAX))) {
      refuseUpstream('saml.replay', 'This sign-out was used before.');
    }
  };

  const readRequest = async (
    provider: Provider<SamlProviderSettings>,
    incoming: SamlLogoutMessage,
    destination: string,
  ) => {
    const { certificates, entityId } = provider.settings;
    const text =
      incoming.binding === 'redirect'
        ? await decodeRedirect(incoming.message)
        : Buffer.from(incoming.message, 'base64').toString('utf8');
    const outer = parseXml(text);
    if (!isElement(outer, NS.protocol, 'LogoutRequest'))
      return refuseUpstream('saml.form', 'The message is no LogoutRequest.');
    let root = outer;
    if (incoming.binding === 'redirect') verifyRedirect(incoming.query, 'SAMLRequest', certificates);
    else root = verifyEnveloped(text, outer, certificates);
    if (textOf(onlyChild(root, NS.assertion, 'Issuer')) !== entityId) return refuseUpstream('saml.issuer');
    if (root.getAttribute('Destination') !== destination) return refuseUpstream('saml.destination');
    const issued = Date.parse(root.getAttribute('IssueInstant') ?? '');
    if (!(Math.abs(clock.now() - issued) <= AGE_MS_MAX)) return refuseUpstream('saml.time');
    const id = root.getAttribute('ID') ?? '';
    await once(provider, id);
    return {
      id,
      nameId: textOf(onlyChild(root, NS.assertion, 'NameID')),
      indexes: children(root, NS.protocol, 'SessionIndex').map((one) => textOf(one)),
    };
  };

  return {
    async awayUrl(session) {
      const tables = tablesOf(db);
      const from = await findUpstreamSession(tables, session.id);
      const provider = from && (await findProvider(tables, from.providerId));
      if (!from || provider?.status !== 'active') return null;
      try {
        if (isOidcProvider(provider)) {
          const sealed = from.sealedIdToken;
          const idToken = sealed === null ? null : envelope.open(sealed, idTokenContext(session.id)).toString('utf8');
          return await flows.oidc(provider).endSessionUrl(idToken, `${config.publicUrl}${UPSTREAM_PATH}/signed-out`);
        }
        if (!isSamlProvider(provider) || provider.settings.sloUrl === null || from.nameId === null) return null;
        return await logoutUrl(await flows.saml(provider), {
          nameId: from.nameId,
          sessionIndex: from.sid,
          relayState: '',
        });
      } catch (error) {
        // The session here ends all the same; the provider's own goes on until it is over there.
        context.logger.warn({ err: error, provider: provider.id }, 'could not lead a sign-out on to the provider');
        return null;
      }
    },

    async backChannel(provider, token) {
      const { jwks_uri: address, issuer } = await flows.oidc(provider).metadata();
      if (address === undefined) return refuseUpstream('oidc.client', 'The provider publishes no keys.');
      let claims: unknown;
      try {
        const keys = (await (await fetch(address)).json()) as JSONWebKeySet; // jose refuses what is none
        const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
          issuer,
          audience: provider.settings.clientId,
          algorithms: ASYMMETRIC,
          maxTokenAge: AGE_MS_MAX / 1_000,
          currentDate: new Date(clock.now()),
        });
        claims = payload;
      } catch (error) {
        if (error instanceof UpstreamRefused) throw error;
        return refuseUpstream('oidc.response', error instanceof Error ? error.message : '', error);
      }
      const parsed = logoutTokenSchema.safeParse(claims);
      // A nonce would make an id_token usable as a logout token (section 2.4).
      if (!parsed.success || Object.hasOwn(claims as object, 'nonce'))
        return refuseUpstream('oidc.response', 'It is no logout token.');
      const { sub, sid, jti } = parsed.data;
      if (sub === undefined && sid === undefined)
        return refuseUpstream('oidc.response', 'The logout token names nobody.');
      await once(provider, jti);
      return end(
        provider,
        await findSessionsOf(tablesOf(db), provider.id, { sids: sid === undefined ? [] : [sid], subject: sub ?? null }),
      );
    },

    async frontChannel(provider, issuer, sid) {
      // Nobody signs this; `sid` is known to the provider and to us alone, and without it nothing happens.
      if (!sid || issuer !== provider.settings.issuer) return 0;
      return end(provider, await findSessionsOf(tablesOf(db), provider.id, { sids: [sid], subject: null }));
    },

    async saml(provider, incoming) {
      const { sloUrl, entityId } = flows.addressesOf(provider.id);
      let asked: Awaited<ReturnType<typeof readRequest>>;
      try {
        asked = await readRequest(provider, incoming, sloUrl);
      } catch (error) {
        if (error instanceof SsoMessageInvalid) return refuseUpstream('saml.signature', error.message, error);
        throw error;
      }
      const tables = tablesOf(db);
      const of = await findSessionsOf(tables, provider.id, { sids: asked.indexes, subject: null });
      const named = of.filter((one) => one.nameId?.value === asked.nameId);
      const all =
        asked.indexes.length > 0
          ? named
          : await findSessionsOf(tables, provider.id, { sids: [], subject: asked.nameId });
      await end(provider, all);
      const answerTo = provider.settings.sloUrl;
      if (answerTo === null) return '/sign-in';
      const id = newMessageId();
      const xml = logoutResponseXml({
        id,
        issuer: entityId,
        destination: answerTo,
        inResponseTo: asked.id,
        now: clock.now(),
      });
      const query = [
        `SAMLResponse=${encodeURIComponent(await encodeRedirect(xml))}`,
        ...(incoming.relayState === null ? [] : [`RelayState=${encodeURIComponent(incoming.relayState)}`]),
        `SigAlg=${encodeURIComponent(RSA_SHA256)}`,
      ].join('&');
      const { pair } = await flows.saml(provider);
      const signature = createSign('RSA-SHA256').update(query).sign(pair.privateKey, 'base64');
      return `${answerTo}${answerTo.includes('?') ? '&' : '?'}${query}&Signature=${encodeURIComponent(signature)}`;
    },
  };
}
