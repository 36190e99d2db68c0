import { createSign, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { type IdentityContext, tablesOf } from '../context.ts';
import { SsoAppDenied } from '../errors.ts';
import { isSaml, isStrongEnough, mayUse, type SamlSettings, type SsoApp, SsoAppId, type Strength } from './sso-app.ts';
import { findApp } from './sso-app-store.ts';
import { closeLogin, findLoginBySid } from './sso-login-store.ts';
import type { SamlKeys } from './saml-keys.ts';
import { encodeRedirect, logoutResponseXml, makeRefusal, makeResponse, metadataXml, nameIdOf } from './saml-message.ts';
import { type Incoming, readLogoutRequest, readSignOnRequest } from './saml-request.ts';
import { RSA_SHA256, refuse, signElement } from './saml-xml.ts';
import { onceEach, readForm, redirectTo, sendForm, sendPage } from './sso-page.ts';
import { explainRefusal, judgeSignOn } from './sso-policy.ts';
import { recordSignOn, reportRefusal } from './sso-record.ts';
import { endOwnSession } from './sso-session-end.ts';
import type { SsoStates } from './sso-state.ts';
import type { SignedOn, SubjectReader } from './sso-subject.ts';

export const SAML_PATH = '/sso/saml';
const RELAY_CHARS_MAX = 2_048;

/** A sign-on on its way: from the app's request, or begun in Cordon (`requestId` null). */
const pendingSchema = z.object({
  appId: z.string(),
  requestId: z.string().nullable(),
  acsUrl: z.string(),
  relayState: z.string().nullable(),
  fresh: z.boolean(),
  passive: z.boolean(),
  strength: z.enum(['any', 'mfa', 'passkey', 'unknown']),
  nameId: z.enum(['email', 'persistent', 'transient', 'unspecified', 'unknown']).nullable(),
  since: z.number(),
});
type Pending = z.output<typeof pendingSchema>;

export interface SamlIdp {
  readonly entityId: string;
  metadata(): Promise<string>;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface SamlParts {
  readonly keys: SamlKeys;
  readonly states: SsoStates;
  readonly subjects: SubjectReader;
}

/** SAML 2.0 identity provider: web browser SSO and single logout (SAML Profiles, sections 4.1 and 4.4). */
export function createSamlIdp(context: IdentityContext, { keys, states, subjects }: SamlParts): SamlIdp {
  const base = context.config.publicUrl + SAML_PATH;
  const entityId = `${base}/metadata`;
  const newId = (): string => `_${randomBytes(20).toString('hex')}`;

  const metadata = async (): Promise<string> =>
    metadataXml(
      entityId,
      base,
      (await keys.published()).map(({ certificate }) => certificate),
    );

  const incoming = async (request: IncomingMessage, name: 'SAMLRequest'): Promise<Incoming> => {
    const isPost = request.method === 'POST';
    const query = (request.url ?? '').split('?')[1] ?? '';
    const fields = isPost ? await readForm(request) : onceEach(new URLSearchParams(query));
    const message = fields.get(name);
    const relayState = fields.get('RelayState');
    if (message === null) return refuse('There is no SAML message.');
    if ((relayState?.length ?? 0) > RELAY_CHARS_MAX) return refuse('The RelayState is too long.');
    return isPost ? { binding: 'post', message, relayState } : { binding: 'redirect', query, message, relayState };
  };

  const goOn = async (response: ServerResponse, pending: Pending): Promise<void> => {
    // The browser comes back by GET in every case: only then does it send the session cookie, which is SameSite=Lax.
    redirectTo(response, `${SAML_PATH}/continue?id=${await states.save('saml-sign-on', pending)}`);
  };

  const begin = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await readSignOnRequest(context, await incoming(request, 'SAMLRequest'), `${base}/sso`);
    const { app, id, ...rest } = asked;
    await goOn(response, { ...rest, appId: app.id, requestId: id, since: context.clock.now() });
  };

  /** From the launcher; nothing of the request but the app's id and the RelayState counts. */
  const start = async (path: string, url: URL, response: ServerResponse): Promise<void> => {
    const id = path.slice(`${SAML_PATH}/start/`.length);
    const app = /^[0-9a-f-]{36}$/.test(id) ? await findApp(tablesOf(context.db), SsoAppId.parse(id)) : undefined;
    if (!app || !isSaml(app) || app.status !== 'active') return refuse('There is no such app.');
    if (!app.settings.idpInitiated) return refuse('This app wants to start the sign-in itself.');
    const relayState = url.searchParams.get('RelayState')?.slice(0, RELAY_CHARS_MAX) ?? app.settings.relayState;
    const acsUrl = app.settings.acsUrls[0] ?? refuse('The app has no address.');
    const plain = { fresh: false, passive: false, strength: 'any', nameId: null, since: context.clock.now() } as const;
    await goOn(response, { ...plain, appId: app.id, requestId: null, acsUrl, relayState });
  };

  const answerNo = async (
    response: ServerResponse,
    pending: Pending,
    status: 'RequestDenied' | 'NoPassive' | 'NoAuthnContext' | 'InvalidNameIDPolicy',
  ): Promise<void> => {
    const { acsUrl, requestId: inResponseTo, relayState } = pending;
    const input = { issuer: entityId, acsUrl, inResponseTo, now: context.clock.now(), newId, status };
    const xml = makeRefusal(input, await keys.signer());
    sendForm(response, acsUrl, { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: relayState });
  };

  const answer = async (
    response: ServerResponse,
    app: SsoApp<SamlSettings>,
    pending: Pending,
    who: SignedOn,
  ): Promise<void> => {
    const asked = pending.nameId === null || pending.nameId === 'unknown' ? app.settings.nameId : pending.nameId;
    const nameId = nameIdOf({ ...app, settings: { ...app.settings, nameId: asked } }, who, context.random);
    const sessionIndex = newId();
    const xml = await makeResponse(
      {
        app,
        subscriber: who,
        issuer: entityId,
        acsUrl: pending.acsUrl,
        inResponseTo: pending.requestId,
        sessionIndex,
        nameId,
        authAt: who.authAt,
        sessionEndsAt: who.session.expiresAt,
        strength: who.strength,
        now: context.clock.now(),
        newId,
      },
      await keys.signer(),
    );
    await recordSignOn(context, app, who, { sid: sessionIndex, nameId, grantHash: null });
    sendForm(response, pending.acsUrl, {
      SAMLResponse: Buffer.from(xml).toString('base64'),
      RelayState: pending.relayState,
    });
  };

  /** A name that says less than the registered one may be asked for; one that says more may not. */
  const mayName = (app: SsoApp<SamlSettings>, asked: Pending['nameId']): boolean =>
    asked === null || asked === app.settings.nameId || asked === 'transient' || asked === 'persistent';

  const goOnWith = async (request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> => {
    const value = url.searchParams.get('id') ?? '';
    const parsed = pendingSchema.safeParse(await states.read('saml-sign-on', value));
    if (!parsed.success) return redirectTo(response, '/my-apps');
    const pending = parsed.data;
    // Read again: the app may have been changed since.
    const app = await findApp(tablesOf(context.db), SsoAppId.parse(pending.appId));
    if (!app || !isSaml(app) || !app.settings.acsUrls.includes(pending.acsUrl)) return refuse('There is no such app.');
    const take = async (): Promise<void> => {
      if ((await states.take('saml-sign-on', value)) === null) refuse('This sign-in was used before.');
    };
    if (url.searchParams.get('cancel') !== null) {
      await take();
      return answerNo(response, pending, 'RequestDenied');
    }
    if (!mayName(app, pending.nameId)) return answerNo(response, pending, 'InvalidNameIDPolicy');
    if (pending.strength === 'unknown') return answerNo(response, pending, 'NoAuthnContext');
    const who = await subjects.read(request);
    const floor = app.settings.assurance;
    const judged = who && mayUse(app, who) ? await judgeSignOn(context, app, who, request) : null;
    if (judged?.verdict.outcome === 'refuse') {
      if (!pending.passive) return explainRefusal(context, judged, response, `${url.pathname}?id=${value}&cancel`);
      await context.gate.record(judged);
      await take();
      return answerNo(response, pending, 'RequestDenied');
    }
    const needs = judged?.verdict.needs;
    const least = needs && !isStrongEnough(floor, needs.strength) ? needs.strength : floor;
    const wanted: Strength = isStrongEnough(pending.strength, least) ? pending.strength : least;
    const isFresh = who !== null && (!pending.fresh || who.authAt >= pending.since) && needs?.fresh !== true;
    if (!who || !isFresh || !isStrongEnough(who.strength, wanted)) {
      if (pending.passive) return answerNo(response, pending, 'NoPassive');
      const next = encodeURIComponent(`${SAML_PATH}/continue?id=${value}`);
      const factor = wanted === 'passkey' ? 'passkey' : 'any';
      return redirectTo(response, who ? `/sign-in-again?factor=${factor}&next=${next}` : `/sign-in?next=${next}`);
    }
    await take();
    if (!mayUse(app, who)) {
      reportRefusal(context, app, 'The person may not use this app.', { ...who, who });
      if (pending.requestId !== null) return answerNo(response, pending, 'RequestDenied');
      throw new SsoAppDenied('You may not use this app. Ask whoever looks after Cordon in your company.');
    }
    if (judged) await context.gate.record(judged);
    await answer(response, app, pending, who);
  };

  const answerLogout = async (
    response: ServerResponse,
    app: SsoApp<SamlSettings>,
    inResponseTo: string,
    relayState: string | null,
  ): Promise<void> => {
    const { sloUrl, sloBinding } = app.settings;
    if (sloUrl === null) return sendPage(response, 200, 'Signed out', '<p>You are signed out.</p>');
    const id = newId();
    const now = context.clock.now();
    const xml = logoutResponseXml({ id, issuer: entityId, destination: sloUrl, inResponseTo, now });
    const pair = await keys.signer();
    if (sloBinding === 'post') {
      const signed = signElement(xml, { name: 'LogoutResponse', id }, pair);
      return sendForm(response, sloUrl, {
        SAMLResponse: Buffer.from(signed).toString('base64'),
        RelayState: relayState,
      });
    }
    const query = [
      `SAMLResponse=${encodeURIComponent(await encodeRedirect(xml))}`,
      ...(relayState === null ? [] : [`RelayState=${encodeURIComponent(relayState)}`]),
      `SigAlg=${encodeURIComponent(RSA_SHA256)}`,
    ].join('&');
    const signature = createSign('RSA-SHA256').update(query).sign(pair.privateKey, 'base64');
    const mark = sloUrl.includes('?') ? '&' : '?';
    redirectTo(response, `${sloUrl}${mark}${query}&Signature=${encodeURIComponent(signature)}`);
  };

  const logOut = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await readLogoutRequest(context, await incoming(request, 'SAMLRequest'), `${base}/slo`);
    const who = await subjects.read(request);
    for (const index of asked.sessionIndexes) {
      const login = await findLoginBySid(tablesOf(context.db), asked.app.id, index);
      if (login?.nameId?.value !== asked.nameId) continue;
      await closeLogin(tablesOf(context.db), login.id, context.clock.now(), 'The app asked for it.');
      // Only of the browser that asks: an app ends its own login anywhere, but nobody's session in Cordon from afar.
      if (who?.session.id === login.sessionId) await endOwnSession(context, who, response);
    }
    await answerLogout(response, asked.app, asked.id, asked.relayState);
  };

  return {
    entityId,
    metadata,
    async handle(request, response) {
      const url = new URL(request.url ?? '/', context.config.publicUrl);
      const path = url.pathname;
      const isRead = request.method === 'GET';
      if (!isRead && request.method !== 'POST') return void response.writeHead(405, { allow: 'GET, POST' }).end();
      if (path === `${SAML_PATH}/metadata`) {
        response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(await metadata());
        return;
      }
      if (path === `${SAML_PATH}/sso`) return begin(request, response);
      if (path === `${SAML_PATH}/slo`) return logOut(request, response);
      if (isRead && path === `${SAML_PATH}/continue`) return goOnWith(request, url, response);
      if (isRead && path.startsWith(`${SAML_PATH}/start/`)) return start(path, url, response);
      response.writeHead(404).end();
    },
  };
}
