import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CordonError } from '@cordon/kernel';
import type { IdentityContext } from '../context.ts';
import { identityErrors } from '../errors.ts';
import { KEYS_CHANNEL, type SigningKeys } from '../oauth/signing-keys.ts';
import { createFrontChannel, FRONT_CHANNEL_PATH } from './front-channel.ts';
import { createSamlIdp, SAML_PATH } from './saml-idp.ts';
import { createSamlKeys, type SamlKeys } from './saml-keys.ts';
import { logoutRequestXml, soapOf } from './saml-message.ts';
import { signElement } from './saml-xml.ts';
import { createSsoApps, type SsoApps } from './sso-apps.ts';
import { type PostToApp, postToApp, type SsoNotices, startNotices } from './sso-notices.ts';
import { createSsoOidc, type SsoOidc } from './sso-oidc.ts';
import { SSO_PATH } from './sso-oidc-configuration.ts';
import { escapeHtml, secureHeaders, sendPage } from './sso-page.ts';
import { reportRefusal } from './sso-record.ts';
import { createSsoStates } from './sso-state.ts';
import { createSubjectReader } from './sso-subject.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { UPSTREAM_PATH } from '../upstream/upstream-flow.ts';

/** Where tools find Cordon. */
export interface SsoAddresses {
  readonly oidcIssuer: string;
  readonly samlEntityId: string;
  readonly samlMetadataUrl: string;
  readonly samlSsoUrl: string;
  readonly samlSloUrl: string;
}

export interface SsoServer {
  /** Answers `/sso/…`; the body must be unread. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  readonly notices: SsoNotices;
  stop(): Promise<void>;
}

export interface Sso {
  readonly apps: SsoApps;
  readonly keys: SamlKeys;
  readonly addresses: SsoAddresses;
  /** Where the browser goes to sign out of tools that are told in frames, before `next`; null: nowhere. */
  signOutAddress(sessionId: string, next: string): Promise<string | null>;
  start(options?: { readonly post?: PostToApp; readonly upstream?: Upstream }): Promise<SsoServer>;
}

export function createSso(context: IdentityContext, signingKeys: SigningKeys): Sso {
  const { publicUrl } = context.config;
  const keys = createSamlKeys(context);
  const apps = createSsoApps(context);
  const saml = publicUrl + SAML_PATH;
  const frontChannel = createFrontChannel(context);
  return {
    apps,
    keys,
    signOutAddress: (sessionId, next) => frontChannel.address(sessionId, next),
    addresses: {
      oidcIssuer: publicUrl + SSO_PATH,
      samlEntityId: `${saml}/metadata`,
      samlMetadataUrl: `${saml}/metadata`,
      samlSsoUrl: `${saml}/sso`,
      samlSloUrl: `${saml}/slo`,
    },
    start: (options = {}) =>
      startSso(context, { signingKeys, keys, post: options.post ?? postToApp, upstream: options.upstream }),
  };
}

async function startSso(
  context: IdentityContext,
  parts: {
    readonly signingKeys: SigningKeys;
    readonly keys: SamlKeys;
    readonly post: PostToApp;
    readonly upstream: Upstream | undefined;
  },
): Promise<SsoServer> {
  const subjects = createSubjectReader(context);
  const states = createSsoStates(context);
  const upstream = parts.upstream?.server(subjects);
  const frontChannel = createFrontChannel(context);
  const idp = createSamlIdp(context, { keys: parts.keys, states, subjects });
  let oidc: SsoOidc = await createSsoOidc(context, parts.signingKeys, subjects);
  const reload = async (): Promise<void> => {
    try {
      oidc = await createSsoOidc(context, parts.signingKeys, subjects);
    } catch (error) {
      context.logger.error({ err: error }, 'could not load the new signing keys');
    }
  };
  const listener = await context.db.listen(KEYS_CHANNEL, () => void reload());
  const notices = await startNotices(context, {
    keys: parts.signingKeys,
    post: parts.post,
    async samlLogout(app, login) {
      const id = `_${randomBytes(20).toString('hex')}`;
      const destination = app.settings.sloSoapUrl ?? '';
      const { nameId, sid: sessionIndex } = login;
      if (!nameId) throw new Error('the login has no name');
      const now = context.clock.now();
      const xml = logoutRequestXml({ id, issuer: idp.entityId, destination, nameId, sessionIndex, now });
      return soapOf(signElement(xml, { name: 'LogoutRequest', id }, await parts.keys.signer()));
    },
  });

  const fail = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    const rule =
      error instanceof CordonError ? Object.entries(identityErrors).find(([code]) => code === error.code) : null;
    if (!(error instanceof CordonError) || !rule) throw error;
    reportRefusal(context, undefined, error.message, subjects.origin(request));
    if (response.headersSent) return void response.destroy();
    sendPage(response, rule[1].status, 'This sign-in can’t go on', `<p>${escapeHtml(error.message)}</p>`);
  };

  return {
    notices,
    async handle(request, response) {
      secureHeaders(response);
      try {
        if (upstream && (request.url ?? '').startsWith(`${UPSTREAM_PATH}/`))
          return await upstream.handle(request, response);
        if ((request.url ?? '').startsWith(`${FRONT_CHANNEL_PATH}?`))
          return await frontChannel.handle(new URL(request.url ?? '/', context.config.publicUrl), response);
        const isSaml = (request.url ?? '').startsWith(`${SAML_PATH}/`);
        await (isSaml ? idp : oidc).handle(request, response);
      } catch (error) {
        fail(request, response, error);
      }
      return undefined;
    },
    async stop() {
      await notices.stop();
      await listener.stop();
    },
  };
}
