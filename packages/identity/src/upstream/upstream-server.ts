import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAllowed } from '@cordon/kernel';
import type { IdentityContext } from '../context.ts';
import { tablesOf } from '../context.ts';
import { SsoMessageInvalid, UpstreamRefused } from '../errors.ts';
import { authenticationEvent } from '../events.ts';
import { actorOf } from '../sessions/sessions.ts';
import { createSessionCookie, writeDevice } from '../sessions/session-cookie.ts';
import type { SamlKeys } from '../sso/saml-keys.ts';
import { escapeHtml, onceEach, readForm, redirectTo, sendPage } from '../sso/sso-page.ts';
import type { SubjectReader } from '../sso/sso-subject.ts';
import { findUpstreamSession } from './account-store.ts';
import { isOidcProvider, isSamlProvider, type Provider, type SamlProviderSettings } from './provider.ts';
import { markTested } from './provider-store.ts';
import { reasonOf, refuseUpstream, UPSTREAM_REFUSALS } from './refusal.ts';
import { describePerson, type UpstreamEntry } from './upstream-entry.ts';
import { ownPath, UPSTREAM_PATH, type UpstreamFlow, type UpstreamFlows } from './upstream-flow.ts';
import type { UpstreamLogout } from './upstream-logout.ts';
import type { UpstreamPerson } from './upstream-person.ts';
import { serviceProviderMetadata } from './saml-metadata.ts';

const BROWSER_SECONDS_MAX = 30 * 60;

export interface UpstreamServer {
  /** Answers `/sso/up/…`; the body must be unread. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface UpstreamServerParts {
  readonly keys: SamlKeys;
  readonly flows: UpstreamFlows;
  readonly entry: UpstreamEntry;
  readonly logout: UpstreamLogout;
  readonly subjects: SubjectReader;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly provider: Provider;
}

/** The pages between a corporate provider and Cordon; no page of the console, because they act on what others send. */
export function createUpstreamServer(context: IdentityContext, parts: UpstreamServerParts): UpstreamServer {
  const { flows, entry, logout, subjects, keys } = parts;
  const { config, clock } = context;
  const isSecure = config.publicUrl.startsWith('https:');
  const cookieName = isSecure ? '__Host-cordon_up' : 'cordon_up';
  const cookie = createSessionCookie(config.publicUrl);

  const readBrowser = (request: IncomingMessage): string | null => {
    for (const pair of (request.headers.cookie ?? '').slice(0, 8_192).split(';')) {
      const [name, value] = pair.trim().split('=');
      if (name === cookieName && value !== undefined && /^[\w-]{43}$/.test(value)) return value;
    }
    return null;
  };

  const begin = async ({ request, response, url, provider }: Exchange): Promise<void> => {
    const mode = url.searchParams.get('mode') ?? 'sign-in';
    const who = await subjects.read(request);
    const next = ownPath(url.searchParams.get('next'));
    let sessionId = null;
    if (mode === 'test') {
      // Only whoever may set providers up tries one that is not switched on.
      if (!who || !isAllowed(actorOf(who.person, who.session.strongAuthAt), 'sso.write'))
        return refuseUpstream('flow.off');
      sessionId = who.session.id;
    } else if (provider.status !== 'active') {
      return refuseUpstream('flow.off');
    }
    if (mode === 'step-up') {
      const from = who && (await findUpstreamSession(tablesOf(context.db), who.session.id));
      if (!who || from?.providerId !== provider.id) return refuseUpstream('person.other');
      sessionId = who.session.id;
    }
    if (mode !== 'sign-in' && mode !== 'test' && mode !== 'step-up') return refuseUpstream('flow.unknown');
    const browser = readBrowser(request) ?? context.random(32).toString('base64url');
    const hint = url.searchParams.get('hint');
    const loginHint = hint !== null && hint.length <= 320 ? hint : null;
    const location = await flows.start(provider, { mode, next, browser, loginHint, sessionId });
    response.appendHeader(
      'set-cookie',
      `${cookieName}=${browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${BROWSER_SECONDS_MAX}${isSecure ? '; Secure' : ''}`,
    );
    return redirectTo(response, location);
  };

  const finish = async (exchange: Exchange, flow: UpstreamFlow, person: UpstreamPerson): Promise<void> => {
    const { request, response, provider } = exchange;
    const origin = subjects.origin(request);
    const detail = describePerson(person);
    if (flow.mode === 'test') return finishTest(exchange, flow, person);
    if (provider.status !== 'active') return refuseUpstream('flow.off');
    if (flow.mode === 'step-up') {
      const who = await subjects.read(request);
      if (!who || who.session.id !== flow.sessionId) return refuseUpstream('person.other');
      // A provider's clock counts in seconds.
      await entry.stepUp(provider, person, who.session, flow.since - 1_000, origin);
      await entry.note(provider, { kind: 'step-up', personId: who.person.id, detail });
      return redirectTo(response, flow.next);
    }
    const entered = await entry.enter(provider, person, origin);
    if (entered.kind === 'prove') {
      const name = await flows.keepLink(provider, entered.personId, person);
      await entry.note(provider, { kind: 'link', personId: entered.personId, detail });
      return redirectTo(response, `/sign-in?link=${name}&next=${encodeURIComponent(flow.next)}`);
    }
    const { secret, device, person: somebody } = entered.signedIn;
    response.appendHeader('set-cookie', cookie.write(secret));
    if (device !== undefined) response.appendHeader('set-cookie', writeDevice(config.publicUrl, device));
    await entry.note(provider, { kind: 'sign-in', personId: somebody.id, detail });
    const home = flow.next === '/' && somebody.roles.length === 0 ? '/my-apps' : flow.next;
    return redirectTo(response, home);
  };

  const finishTest = async (
    { request, response, provider }: Exchange,
    flow: UpstreamFlow,
    person: UpstreamPerson,
  ): Promise<void> => {
    const who = await subjects.read(request);
    if (!who || who.session.id !== flow.sessionId) return refuseUpstream('person.other');
    const verdict = await entry.judge(provider, person);
    if (verdict.kind === 'refuse') return refuseUpstream(verdict.reason, JSON.stringify(describePerson(person)));
    await markTested(tablesOf(context.db), provider.id, clock.now());
    await entry.note(provider, {
      kind: 'test',
      personId: who.person.id,
      detail: { ...describePerson(person), outcome: verdict.kind },
    });
    return redirectTo(response, flow.next);
  };

  const singleLogout = async ({
    request,
    response,
    url,
    provider,
  }: Exchange & { provider: Provider<SamlProviderSettings> }): Promise<void> => {
    const isPost = request.method === 'POST';
    const fields = isPost ? await readForm(request) : onceEach(url.searchParams);
    const message = fields.get('SAMLRequest');
    // An answer to our own sign-out: the session here was over before the browser left.
    if (message === null) return redirectTo(response, '/sign-in');
    const query = (request.url ?? '').split('?')[1] ?? '';
    const location = await logout.saml(provider, {
      binding: isPost ? 'post' : 'redirect',
      query,
      message,
      relayState: fields.get('RelayState'),
    });
    response.appendHeader('set-cookie', cookie.clear());
    return redirectTo(response, location);
  };

  const route = async (exchange: Exchange, step: string): Promise<void> => {
    const { request, response, url, provider } = exchange;
    const method = request.method ?? 'GET';
    if (step === 'start' && method === 'GET') return begin(exchange);
    if (step === 'callback' && method === 'GET' && isOidcProvider(provider)) {
      onceEach(url.searchParams);
      const { flow, person } = await flows.finishOidc(provider, url, readBrowser(request));
      return finish(exchange, flow, person);
    }
    if (step === 'acs' && method === 'POST' && isSamlProvider(provider)) {
      if (provider.status === 'disabled') return refuseUpstream('flow.off');
      const fields = await readForm(request);
      const message = fields.get('SAMLResponse') ?? refuseUpstream('saml.form', 'There is no SAMLResponse.');
      const name = await flows.receiveSaml(provider, message, fields.get('RelayState'));
      // The browser comes back by GET: only then does it send its cookies, which are SameSite=Lax.
      return redirectTo(response, `${UPSTREAM_PATH}/finish/${provider.id}?id=${name}`);
    }
    if (step === 'finish' && method === 'GET') {
      const taken = await flows.takeAnswer(url.searchParams.get('id') ?? '', readBrowser(request));
      if (taken.provider.id !== provider.id) return refuseUpstream('flow.mixed_up');
      return finish(exchange, taken.flow, taken.person);
    }
    if (step === 'slo' && isSamlProvider(provider)) return singleLogout({ ...exchange, provider });
    if (step === 'metadata' && method === 'GET' && isSamlProvider(provider)) {
      const certificates = (await keys.published()).map(({ certificate }) => certificate);
      const xml = serviceProviderMetadata(flows.addressesOf(provider.id), certificates, provider.settings.signRequests);
      response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(xml);
      return undefined;
    }
    if (step === 'backchannel' && method === 'POST' && isOidcProvider(provider)) return backChannel(exchange);
    if (step === 'frontchannel' && method === 'GET' && isOidcProvider(provider)) {
      await logout.frontChannel(provider, url.searchParams.get('iss'), url.searchParams.get('sid'));
      return sendPage(response, 200, 'Signed out', '<p>You are signed out.</p>');
    }
    return sendPage(response, 404, 'Nothing here', '<p>There is no such page.</p>');
  };

  const backChannel = async ({ request, response, provider }: Exchange): Promise<void> => {
    if (!isOidcProvider(provider)) return;
    try {
      const token =
        (await readForm(request)).get('logout_token') ?? refuseUpstream('oidc.response', 'There is no logout_token.');
      await logout.backChannel(provider, token);
      response.writeHead(200).end();
    } catch (error) {
      if (!(error instanceof UpstreamRefused)) throw error;
      await note(provider, 'logout', error, request);
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_request"}');
    }
  };

  const note = async (
    provider: Provider | null,
    kind: 'sign-in' | 'logout',
    error: unknown,
    request: IncomingMessage,
  ): Promise<void> => {
    const refused = reasonOf(error);
    if (provider && refused) await entry.note(provider, { kind, personId: null, detail: {} }, error);
    const reason = refused ? `${refused.reason}: ${refused.detail}` : 'The message was refused.';
    const severity =
      refused && /^saml\.(?:wrapped|signature|several|replay)|mixed_up/.test(refused.reason) ? 'high' : 'low';
    context.emit(
      authenticationEvent('logon', {
        at: clock.now(),
        outcome: 'failure',
        severity,
        reason: provider ? `${provider.name}: ${reason}` : reason,
        methods: ['fed'],
        ...subjects.origin(request),
      }),
    );
  };

  const explain = async (
    request: IncomingMessage,
    response: ServerResponse,
    provider: Provider | null,
    error: unknown,
  ): Promise<void> => {
    await note(provider, 'sign-in', error, request);
    if (response.headersSent) return void response.destroy();
    const refused = reasonOf(error);
    const who = await subjects.read(request).catch(() => null);
    const mayRead = who !== null && isAllowed(actorOf(who.person, null), 'sso.read');
    const text = refused ? UPSTREAM_REFUSALS[refused.reason] : null;
    const person = text?.person ?? (error instanceof Error ? error.message : '');
    const admin =
      mayRead && refused && text
        ? `<p><b>For the administrator</b> (${refused.reason}): ${escapeHtml(text.admin)} ${escapeHtml(refused.detail)}</p>`
        : '';
    const back =
      mayRead && provider
        ? `<p><a href="/sign-on-providers/${provider.id}">Back to the provider</a></p>`
        : '<p><a href="/sign-in">Back to the sign-in</a></p>';
    const code = refused ? `<p><small>Code: ${refused.reason}</small></p>` : '';
    sendPage(response, 403, 'You were not signed in', `<p>${escapeHtml(person)}</p>${admin}${back}${code}`);
  };

  return {
    async handle(request, response) {
      const url = new URL(request.url ?? '/', config.publicUrl);
      const [step = '', id = ''] = url.pathname.slice(UPSTREAM_PATH.length + 1).split('/');
      if (step === 'signed-out') return redirectTo(response, '/sign-in');
      let provider: Provider | null = null;
      try {
        provider = await flows.load(id);
        await route({ request, response, url, provider }, step);
      } catch (error) {
        if (!(error instanceof UpstreamRefused) && !(error instanceof SsoMessageInvalid)) throw error;
        await explain(request, response, provider, error);
      }
      return undefined;
    },
  };
}
