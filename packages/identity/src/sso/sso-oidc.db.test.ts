import { createHash } from 'node:crypto';
import { readAudit } from '@cordon/kernel';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { IdentityTables } from '../tables.ts';
import { acrAnswer, mayUse, strengthAsked, strengthOf } from './sso-app.ts';
import { OWNER, openSsoBrowser, type SsoBrowser, type SsoStage, startSsoStage } from './test-sso.ts';

const BACK = 'https://tool.example/callback';
const VERIFIER = 'a-verifier-that-is-long-enough-for-the-rules-of-pkce';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

let stage: SsoStage;
let browser: SsoBrowser;

beforeAll(async () => {
  stage = await startSsoStage();
  browser = await openSsoBrowser(stage);
});
afterAll(() => stage.stop());
beforeEach(async () => {
  stage.posts.length = 0;
  stage.postStatus = 200;
  await stage.fake.db.tables<IdentityTables>().deleteFrom('client_locks').execute();
});

const SETTINGS = { protocol: 'oidc', redirectUris: [BACK], refresh: true, groupsClaim: true } as const;

function authorizeUrl(clientId: string, extra: Record<string, string | null> = {}): string {
  const all: Record<string, string | null> = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: BACK,
    scope: 'openid profile email',
    state: 's1',
    nonce: 'n1',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...extra,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(all)) if (value !== null) query.set(name, value);
  return `${stage.url}/sso/authorize?${query.toString()}`;
}

async function discover(id: string, secret: string): Promise<client.Configuration> {
  const options = { execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(`${stage.url}/sso`), id, undefined, client.ClientSecretBasic(secret), options);
}

async function token(id: string, secret: string, form: Record<string, string>) {
  const response = await fetch(`${stage.url}/sso/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function codeOf(url: string, by = browser): Promise<string> {
  const { location } = await by.follow(url);
  const code = new URL(location ?? '', stage.url).searchParams.get('code');
  if (code === null) throw new Error(`no code: ${location}`);
  return code;
}

describe('a tool signs somebody in', () => {
  test('by code with PKCE, with a stock client: id_token, userinfo, refresh, audit and event', async () => {
    const { app, secret } = await stage.addApp(SETTINGS);
    const config = await discover(app.id, secret);
    expect(config.serverMetadata()).toMatchObject({
      issuer: `${stage.url}/sso`,
      backchannel_logout_supported: true,
      code_challenge_methods_supported: ['S256'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
    const { location } = await browser.follow(authorizeUrl(app.id, { max_age: '3600' }));
    const tokens = await client.authorizationCodeGrant(config, new URL(location ?? ''), {
      pkceCodeVerifier: VERIFIER,
      expectedState: 's1',
      expectedNonce: 'n1',
      maxAge: 3600,
    });
    const jwks = createRemoteJWKSet(new URL(`${stage.url}/sso/jwks`));
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token ?? '', jwks, { audience: app.id });
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({
      sub: browser.personId,
      acr: 'phr',
      amr: ['link', 'hwk'],
      email: 'ada.lovelace@example.com',
    });
    const info = await client.fetchUserInfo(config, tokens.access_token, browser.personId);
    expect(info).toMatchObject({ name: 'Ada Lovelace', preferred_username: 'ada.lovelace@example.com', groups: [] });
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(fresh.refresh_token).not.toBe(tokens.refresh_token);
    const { items } = { items: await readAudit(stage.fake.db, { limit: 200 }) };
    expect(items.some(({ action, target }) => action === 'sso.signed_on' && target?.id === app.id)).toBe(true);
    expect(stage.fake.events.at(-1)).toMatchObject({ class_uid: 3002, service: { uid: app.id }, status_id: 1 });
  });

  test('by a pushed request', async () => {
    const { app, secret } = await stage.addApp({ ...SETTINGS, par: true });
    const direct = await browser.follow(authorizeUrl(app.id));
    expect(direct.location ?? (await direct.response.text())).toContain('Pushed+Authorization+Request');
    const config = await discover(app.id, secret);
    const parameters = {
      redirect_uri: BACK,
      scope: 'openid',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
    };
    const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
    expect(await codeOf(url.href)).toBeTypeOf('string');
  });

  test('without asking when they are signed in, and never when they are not', async () => {
    const { app } = await stage.addApp(SETTINGS);
    expect((await browser.follow(authorizeUrl(app.id, { prompt: 'none' }))).location).toContain('code=');
    const nobody = await openSsoBrowser(stage, { as: 'nobody' });
    expect((await nobody.follow(authorizeUrl(app.id, { prompt: 'none' }))).location).toContain('error=login_required');
    const { location } = await nobody.follow(authorizeUrl(app.id));
    expect(location).toMatch(/^\/sign-in\?next=%2Fsso%2Finteraction%2F/);
  });

  test('again when the app asks for a fresh sign-in, and goes on once it was given', async () => {
    const { app } = await stage.addApp(SETTINGS);
    const person = await openSsoBrowser(stage, { as: { name: 'Grace Hopper', roles: ['auditor'] } });
    const at = new Date(Date.now() - 3_600_000);
    const tables = stage.fake.db.tables<IdentityTables>();
    const set = (values: object) =>
      tables.updateTable('sessions').set(values).where('person_id', '=', person.personId).execute();
    await set({ created_at: at, strong_auth_at: at });
    const first = await person.follow(authorizeUrl(app.id, { max_age: '60' }));
    expect(first.location).toMatch(/^\/sign-in-again\?factor=any&next=/);
    const next = decodeURIComponent(first.location?.split('next=')[1] ?? '');
    // Coming back without it leads to the same question.
    expect((await person.follow(next)).location).toMatch(/^\/sign-in-again/);
    await set({ strong_auth_at: new Date() });
    const code = new URL((await person.follow(next)).location ?? '').searchParams.get('code');
    expect(code).toBeTypeOf('string');
    await set({ strong_auth_at: at });
    const cancelled = await person.follow(authorizeUrl(app.id, { prompt: 'login' }));
    const step = decodeURIComponent(cancelled.location?.split('next=')[1] ?? '');
    const refused = await person.follow(`${step}?cancel=1`);
    expect(refused.location ?? (await refused.response.text())).toContain('error=access_denied');
  });

  test('with a stronger factor when acr_values or the app ask for one', async () => {
    const { app } = await stage.addApp(SETTINGS);
    const strict = await stage.addApp({ ...SETTINGS, assurance: 'passkey' });
    const person = await openSsoBrowser(stage, { as: { name: 'Mary Shelley', roles: ['auditor'] } });
    const tables = stage.fake.db.tables<IdentityTables>();
    const set = (amr: string[]) =>
      tables.updateTable('sessions').set({ amr }).where('person_id', '=', person.personId).execute();
    await set(['pwd', 'otp']);
    expect((await person.follow(authorizeUrl(app.id, { acr_values: 'phr' }))).location).toMatch(
      /^\/sign-in-again\?factor=passkey/,
    );
    expect((await person.follow(authorizeUrl(strict.app.id))).location).toMatch(/^\/sign-in-again\?factor=passkey/);
    expect((await person.follow(authorizeUrl(app.id, { acr_values: 'urn:cordon:acr:mfa' }))).location).toContain(
      'code=',
    );
    await set(['pwd', 'otp', 'hwk']);
    expect((await person.follow(authorizeUrl(strict.app.id))).location).toContain('code=');
  });
});

describe('attacks (RFC 9700)', () => {
  test.each([
    ['another redirect address (4.1)', { redirect_uri: 'https://evil.example/callback' }, 'page', 'redirect_uri'],
    ['a longer redirect address (4.1)', { redirect_uri: `${BACK}/../x` }, 'page', 'redirect_uri'],
    ['no PKCE (2.1.1)', { code_challenge: null, code_challenge_method: null }, 'location', 'error=invalid_request'],
    ['PKCE by plain (2.1.1)', { code_challenge_method: 'plain' }, 'location', 'error=invalid_request'],
    ['the implicit flow (2.1.2)', { response_type: 'token' }, 'location', 'error=unsupported_response_type'],
    [
      'an id_token in the front channel (2.1.2)',
      { response_type: 'id_token' },
      'location',
      'error=unsupported_response_type',
    ],
    ['an unknown app', { client_id: '01890000-0000-7000-8000-00000000dead' }, 'page', 'client is invalid'],
    ['a scope of integrations', { resource: 'https://gateway.example/' }, 'location', 'code='],
  ])('%s', async (_name, change, where, text) => {
    const { app } = await stage.addApp(SETTINGS);
    const { response, location } = await browser.follow(authorizeUrl(app.id, change));
    expect(where === 'location' ? location : await response.text()).toContain(text);
    // The issuer in the answer keeps a client from mixing providers up (4.4); what may not be answered stays here.
    const issuer = location === null ? null : new URL(location.replace('#', '?')).searchParams.get('iss');
    expect(issuer).toBe(where === 'location' ? `${stage.url}/sso` : null);
  });

  test('a code works once; the second use ends what the first gave (4.5)', async () => {
    const { app, secret } = await stage.addApp(SETTINGS);
    const form = {
      grant_type: 'authorization_code',
      code: await codeOf(authorizeUrl(app.id)),
      redirect_uri: BACK,
      code_verifier: VERIFIER,
    };
    const first = await token(app.id, secret, form);
    expect(first.status).toBe(200);
    expect((await token(app.id, secret, form)).body['error']).toBe('invalid_grant');
    const info = await fetch(`${stage.url}/sso/userinfo`, {
      headers: { authorization: `Bearer ${first.body['access_token']}` },
    });
    expect(info.status).toBe(401);
  });

  test('of two exchanges of one code at once, one at most succeeds', async () => {
    const { app, secret } = await stage.addApp(SETTINGS);
    const form = {
      grant_type: 'authorization_code',
      code: await codeOf(authorizeUrl(app.id)),
      redirect_uri: BACK,
      code_verifier: VERIFIER,
    };
    const answers = await Promise.all([1, 2, 3, 4].map(() => token(app.id, secret, form)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  test('a refresh token that comes twice ends the whole family (4.14)', async () => {
    const { app, secret } = await stage.addApp(SETTINGS);
    const form = {
      grant_type: 'authorization_code',
      code: await codeOf(authorizeUrl(app.id)),
      redirect_uri: BACK,
      code_verifier: VERIFIER,
    };
    const first = (await token(app.id, secret, form)).body['refresh_token'] ?? '';
    const second =
      (await token(app.id, secret, { grant_type: 'refresh_token', refresh_token: first })).body['refresh_token'] ?? '';
    expect(second).not.toBe('');
    expect((await token(app.id, secret, { grant_type: 'refresh_token', refresh_token: first })).body['error']).toBe(
      'invalid_grant',
    );
    expect((await token(app.id, secret, { grant_type: 'refresh_token', refresh_token: second })).body['error']).toBe(
      'invalid_grant',
    );
  });

  test.each([
    ['with the code of another app', 'other', {}, 'invalid_grant'],
    ['with a wrong verifier', 'own', { code_verifier: `${VERIFIER}x` }, 'invalid_grant'],
    ['with another address', 'own', { redirect_uri: 'https://tool.example/other' }, 'invalid_grant'],
    ['with a wrong secret', 'wrong-secret', {}, 'invalid_client'],
    ['for a token of an integration', 'own', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
  ])('the token endpoint refuses an exchange %s', async (_name, who, change, error) => {
    const { app, secret } = await stage.addApp(SETTINGS);
    const other = await stage.addApp(SETTINGS);
    const code = await codeOf(authorizeUrl(app.id));
    const [id, key] = who === 'other' ? [other.app.id, other.secret] : [app.id, who === 'own' ? secret : `${secret}x`];
    const form = { grant_type: 'authorization_code', code, redirect_uri: BACK, code_verifier: VERIFIER, ...change };
    expect((await token(id, key, form)).body['error']).toBe(error);
  });

  test('an app is no client of integrations, and its tokens are not in the table that gateways read', async () => {
    const { app, secret } = await stage.addApp(SETTINGS);
    await codeOf(authorizeUrl(app.id));
    const oauth = await stage.fake.identity.startOauthServer();
    const tables = stage.fake.db.tables<IdentityTables>();
    expect(await tables.selectFrom('oauth_clients').select('id').where('id', '=', app.id).execute()).toEqual([]);
    expect(await tables.selectFrom('oauth_tokens').select('hash').execute()).toEqual([]);
    expect(secret).toMatch(/^cordon_sso_/);
    await oauth.stop();
  });
});

describe('who may use an app', () => {
  const person = { status: 'active', roles: ['auditor'] } as never;
  const groups = [{ id: 'g1', name: 'Sales' }];
  test.each([
    ['nobody by default', {}, 'active', false],
    ['everyone', { everyone: true }, 'active', true],
    ['a role', { roles: ['auditor'] }, 'active', true],
    ['another role', { roles: ['owner'] }, 'active', false],
    ['a group', { groups: ['g1'] }, 'active', true],
    ['a disabled app', { everyone: true }, 'disabled', false],
  ])('%s', (_name, access, status, expected) => {
    const app = { access: { everyone: false, roles: [], groups: [], ...access }, status } as never;
    expect(mayUse(app, { person, groups })).toBe(expected);
  });

  test('whoever may not is refused with access_denied and reported', async () => {
    const { app } = await stage.addApp(SETTINGS, { everyone: false, roles: ['developer'] });
    const { location } = await browser.follow(authorizeUrl(app.id));
    expect(location).toContain('error=access_denied');
    expect(stage.fake.events.at(-1)).toMatchObject({ status_id: 2, service: { uid: app.id } });
  });

  test.each([
    [undefined, ['pwd', 'otp'], 'urn:cordon:acr:mfa'],
    ['phr', ['hwk'], 'phr'],
    ['urn:cordon:acr:mfa', ['hwk'], 'urn:cordon:acr:mfa'],
    ['made-up', ['link'], 'urn:cordon:acr:any'],
  ])('acr_values %s with %s is answered %s', (asked, amr, acr) => {
    expect(acrAnswer(asked, strengthOf(amr))).toBe(acr);
    expect(strengthAsked('made-up')).toBe('any');
  });
});

describe('a session that ends', () => {
  const LOGOUT = 'https://tool.example/backchannel';

  test('is told to every app, and its tokens stop working', async () => {
    const { app, secret } = await stage.addApp({ ...SETTINGS, backchannelLogoutUri: LOGOUT });
    const person = await openSsoBrowser(stage, { as: { name: 'Alan Turing', roles: ['auditor'] } });
    const form = {
      grant_type: 'authorization_code',
      code: await codeOf(authorizeUrl(app.id), person),
      redirect_uri: BACK,
      code_verifier: VERIFIER,
    };
    const { body } = await token(app.id, secret, form);
    await person.send('DELETE', '/api/v1/session');
    await stage.sso.notices.run();
    const sent = stage.posts.filter(({ url }) => url === LOGOUT);
    expect(sent).toHaveLength(1);
    const jwt = new URLSearchParams(sent[0]?.body).get('logout_token') ?? '';
    const jwks = createRemoteJWKSet(new URL(`${stage.url}/sso/jwks`));
    const { payload, protectedHeader } = await jwtVerify(jwt, jwks, { issuer: `${stage.url}/sso`, audience: app.id });
    expect(protectedHeader.typ).toBe('logout+jwt');
    expect(payload).toMatchObject({
      sub: person.personId,
      sid: decodeJwt(body['id_token'] ?? '')['sid'],
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(payload).not.toHaveProperty('nonce');
    expect(
      (await token(app.id, secret, { grant_type: 'refresh_token', refresh_token: body['refresh_token'] ?? '' })).body[
        'error'
      ],
    ).toBe('invalid_grant');
    const info = await fetch(`${stage.url}/sso/userinfo`, {
      headers: { authorization: `Bearer ${body['access_token']}` },
    });
    expect(info.status).toBe(401);
    expect(await stage.fake.identity.sso.apps.logins(OWNER, app.id)).toMatchObject([
      { notice: 'told', outcome: 'HTTP 200' },
    ]);
    // The library's own cookie is worth nothing without the session.
    expect((await person.follow(authorizeUrl(app.id, { prompt: 'none' }))).location).toContain('login_required');
  });

  test('also because its app was removed, which is told all the same and leaves its name free', async () => {
    const { app } = await stage.addApp({ ...SETTINGS, backchannelLogoutUri: `${LOGOUT}/removed` });
    const person = await openSsoBrowser(stage, { as: { name: 'Sofia Kovalevskaya', roles: ['auditor'] } });
    await codeOf(authorizeUrl(app.id), person);
    const { apps } = stage.fake.identity.sso;
    stage.postStatus = 503;
    await apps.remove(OWNER, app.id);
    await stage.sso.notices.run();
    await expect(apps.get(OWNER, app.id)).rejects.toMatchObject({ code: 'identity.sso_app_not_found' });
    expect((await apps.list(OWNER)).map(({ id }) => id)).not.toContain(app.id);
    const { id: _old, createdAt: _made, updatedAt: _changed, ...input } = app;
    await expect(apps.add(OWNER, input)).resolves.toMatchObject({ app: { name: app.name } });
    const tables = stage.fake.db.tables<IdentityTables>();
    const countRows = async (): Promise<number> =>
      (await tables.selectFrom('sso_apps').select('id').where('id', '=', app.id).execute()).length;
    // Still to be told: the sweep leaves it.
    await stage.fake.identity.sweep();
    expect(await countRows()).toBe(1);
    stage.postStatus = 200;
    await tables
      .updateTable('sso_logins')
      .set({ next_at: new Date(0) })
      .where('app_id', '=', app.id)
      .execute();
    await stage.sso.notices.run();
    expect(stage.posts.filter(({ url }) => url === `${LOGOUT}/removed`)).toHaveLength(2);
    await stage.fake.identity.sweep();
    expect(await countRows()).toBe(0);
  });

  test('waits and tries again when the app does not answer, and is shown so', async () => {
    const { app } = await stage.addApp({ ...SETTINGS, backchannelLogoutUri: LOGOUT });
    const person = await openSsoBrowser(stage, { as: { name: 'Kurt Goedel', roles: ['auditor'] } });
    await codeOf(authorizeUrl(app.id), person);
    stage.postStatus = 503;
    await stage.fake.identity.people.disable(OWNER, person.personId, 'left the company');
    await stage.sso.notices.run();
    expect(await stage.fake.identity.sso.apps.logins(OWNER, app.id)).toMatchObject([
      { notice: 'waiting', outcome: 'HTTP 503' },
    ]);
    stage.postStatus = 200;
    const tables = stage.fake.db.tables<IdentityTables>();
    await tables
      .updateTable('sso_logins')
      .set({ next_at: new Date(0) })
      .where('app_id', '=', app.id)
      .execute();
    await stage.sso.notices.run();
    expect(await stage.fake.identity.sso.apps.logins(OWNER, app.id)).toMatchObject([{ notice: 'told', attempts: 2 }]);
  });

  test('also ends when the app asks for it, after the person confirmed', async () => {
    const { app } = await stage.addApp({ ...SETTINGS, postLogoutRedirectUris: ['https://tool.example/bye'] });
    const person = await openSsoBrowser(stage, { as: { name: 'Emmy Noether', roles: ['auditor'] } });
    await codeOf(authorizeUrl(app.id), person);
    const page = await (
      await person.get(`/sso/logout?client_id=${app.id}&post_logout_redirect_uri=https://tool.example/bye`)
    ).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const answer = await person.post('/sso/logout/confirm', { xsrf, logout: 'yes' });
    expect(answer.headers.get('location')).toContain('https://tool.example/bye');
    expect((await person.send('GET', '/api/v1/session')).body).toContain('"actor":null');
    expect(
      (await person.get(`/sso/logout?client_id=${app.id}&post_logout_redirect_uri=https://evil.example/`)).status,
    ).toBe(400);
  });
});
