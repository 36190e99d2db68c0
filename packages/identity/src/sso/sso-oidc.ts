import type { IncomingMessage, ServerResponse } from 'node:http';
import { type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type IdentityContext, tablesOf } from '../context.ts';
import { secretMatches } from '../oauth/client-metadata.ts';
import { pinAddress } from '../oauth/oauth-server.ts';
import type { SigningKeys } from '../oauth/signing-keys.ts';
import { rememberJti } from '../oauth/token-store.ts';
import { endOwnSession } from './sso-session-end.ts';
import { hashSecret } from '../token-secret.ts';
import { findOidcApp } from './sso-adapter.ts';
import { createFrontChannel } from './front-channel.ts';
import { acrOf, isStrongEnough, mayUse } from './sso-app.ts';
import { SSO_PATH, ssoOidcConfiguration, strengthWanted } from './sso-oidc-configuration.ts';
import { explainRefusal, judgeSignOn } from './sso-policy.ts';
import { recordSignOn } from './sso-record.ts';
import type { SignedOn, SubjectReader } from './sso-subject.ts';

export interface SsoOidc {
  /** Answers `/sso/…` of OpenID Connect; the body must be unread. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

const STEP = new RegExp(`^${SSO_PATH}/interaction/[\\w-]{10,60}(?:\\?|$)`);

/** OpenID Connect for tools that people use, beside and apart from the authorization server of integrations. */
export async function createSsoOidc(
  context: IdentityContext,
  keys: SigningKeys,
  subjects: SubjectReader,
): Promise<SsoOidc> {
  const publicUrl = new URL(context.config.publicUrl);
  const configuration = ssoOidcConfiguration(context, await keys.load(), subjects);
  const provider = new Provider(context.config.publicUrl + SSO_PATH, configuration);
  provider.proxy = true;
  Object.defineProperty(provider.Client.prototype, 'compareClientSecret', {
    value(this: object, presented: unknown): boolean {
      return secretMatches(this, presented, context.clock.now());
    },
  });
  Object.defineProperty(provider.ReplayDetection, 'unique', {
    value: (iss: string, jti: string, exp: number): Promise<boolean> =>
      rememberJti(
        tablesOf(context.db),
        hashSecret(JSON.stringify(['sso', iss, jti])).toString('base64url'),
        new Date(exp * 1000),
      ),
  });
  // Apps are told by sso-notices.ts, which also knows of sessions that end without a request, and tries again.
  Object.defineProperty(provider.Client.prototype, 'backchannelLogout', { value: async () => undefined });
  followSessions(provider, subjects);
  recordAnswers(context, provider, subjects);
  provider.on('server_error', (ctx: KoaContextWithOIDC, error) =>
    context.logger.error({ err: error, path: ctx.path }, 'the OpenID provider failed'),
  );
  const handler = provider.callback();
  return {
    async handle(request, response) {
      if (STEP.test(request.url ?? '')) return answerInteraction(context, provider, subjects, request, response);
      pinAddress(request, publicUrl);
      const url = request.url ?? '/';
      // The library reads where it is mounted from the difference of the two.
      Object.assign(request, { originalUrl: url });
      request.url = url.slice(SSO_PATH.length) || '/';
      await handler(request, response);
    },
  };
}

/**
 * The library keeps a session of its own. Here it follows the person's session in the console on every request: it is
 * filled from it, thrown away with it, and never answers for anyone by itself.
 */
function followSessions(provider: Provider, subjects: SubjectReader): void {
  const { Session } = provider;
  const get = Session.get.bind(Session);
  const kept: readonly string[] = (Session as unknown as { IN_PAYLOAD: string[] }).IN_PAYLOAD; // static, undeclared
  Object.defineProperty(Session, 'IN_PAYLOAD', { get: () => [...kept, 'cordonSession'] });
  Object.defineProperty(Session, 'get', {
    async value(ctx: KoaContextWithOIDC) {
      let session = await get(ctx);
      const who = await subjects.read(ctx.req);
      const of = 'cordonSession' in session ? session['cordonSession'] : undefined;
      if (session.accountId !== undefined && of !== who?.session.id) {
        await session.destroy();
        session = new Session();
        ctx.oidc.entity('Session', session);
      }
      if (!who) return session;
      session.loginAccount({
        accountId: who.person.id,
        loginTs: Math.floor(who.authAt / 1000),
        amr: [...who.session.amr],
        acr: acrOf(who.strength),
      });
      Object.assign(session, { cordonSession: who.session.id });
      // Else a session that was made just now would not be kept.
      Object.defineProperty(session, 'touched', { writable: true, configurable: true, value: true });
      return session;
    },
  });
}

/** Runs around the library's routes: what it answered with a code is written down before the answer leaves. */
function recordAnswers(context: IdentityContext, provider: Provider, subjects: SubjectReader): void {
  const frontChannel = createFrontChannel(context);
  provider.use(async (ctx, next) => {
    await next();
    const { oidc } = ctx as KoaContextWithOIDC; // the library sets it on every route of its own
    if (
      oidc?.route === 'end_session_confirm' &&
      oidc.session &&
      'destroyed' in oidc.session &&
      oidc.session['destroyed'] === true
    ) {
      const who = await subjects.read(ctx.req);
      await endOwnSession(context, who, ctx.res);
      const next = ctx.response.get('location') || '/sign-in';
      const address = who && (await frontChannel.address(who.session.id, next));
      if (address) ctx.redirect(address);
      return;
    }
    const { AuthorizationCode: code, Grant: grant, Client: client } = oidc?.entities ?? {};
    const answers = oidc?.route === 'authorization' || oidc?.route === 'resume';
    const who = answers && code && grant && client ? await subjects.read(ctx.req) : null;
    const app = who && client ? await findOidcApp(context, client.clientId) : undefined;
    if (!who || !app || !grant || !client) return;
    const sid = oidc.session?.sidFor(client.clientId) ?? '';
    await context.gate.record(await judgeSignOn(context, app, who, ctx.req));
    await recordSignOn(context, app, who, { sid, nameId: null, grantHash: hashSecret(grant.jti) });
  });
}

/** Whether the person's session already is what the interrupted request waits for. */
function meets(who: SignedOn, needs: { params: Record<string, unknown>; fresh: boolean; since: number }, now: number) {
  const { max_age: maxAge } = needs.params;
  if (maxAge !== undefined && now - who.authAt > Number(maxAge) * 1000 + 999) return false;
  // `prompt=login`: shown again after the request came. Whole seconds, as the library keeps them.
  return !needs.fresh || Math.floor(who.authAt / 1000) >= needs.since;
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
}

/** Between the library's interruption and its resumption: the console signs the person in or asks for a factor. */
async function answerInteraction(
  context: IdentityContext,
  provider: Provider,
  subjects: SubjectReader,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', context.config.publicUrl);
  let details: Awaited<ReturnType<Provider['interactionDetails']>>;
  try {
    details = await provider.interactionDetails(request, response);
  } catch {
    // Over, or of another browser: nothing to go on with.
    return redirect(response, '/my-apps');
  }
  if (!url.pathname.endsWith(`/${details.uid}`)) return redirect(response, '/my-apps');
  if (url.searchParams.get('cancel') !== null) {
    const error = { error: 'access_denied', error_description: 'the person did not confirm' };
    return provider.interactionFinished(request, response, error, { mergeWithLastSubmission: false });
  }
  if (details.prompt.name === 'consent') {
    return provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true });
  }
  const who = await subjects.read(request);
  const next = encodeURIComponent(url.pathname);
  if (!who) return redirect(response, `/sign-in?next=${next}`);
  const client = await provider.Client.find(String(details.params['client_id']));
  const app = client && (await findOidcApp(context, client.clientId));
  const judged = app && mayUse(app, who) ? await judgeSignOn(context, app, who, request) : null;
  if (judged?.verdict.outcome === 'refuse') {
    return explainRefusal(context, judged, response, `${url.pathname}?cancel`);
  }
  const needs = judged?.verdict.needs;
  const asked = strengthWanted(client, details.params['acr_values']);
  const wanted = needs && !isStrongEnough(asked, needs.strength) ? needs.strength : asked;
  const fresh = details.prompt.reasons.includes('login_prompt');
  const isMet = meets(who, { params: details.params, fresh, since: details.iat }, context.clock.now());
  if (!isMet || needs?.fresh || !isStrongEnough(who.strength, wanted)) {
    return redirect(response, `/sign-in-again?factor=${wanted === 'passkey' ? 'passkey' : 'any'}&next=${next}`);
  }
  const login = {
    accountId: who.person.id,
    ts: Math.floor(who.authAt / 1000),
    amr: [...who.session.amr],
    remember: false,
  };
  return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
}
