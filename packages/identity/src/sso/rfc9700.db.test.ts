import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSsoBrowser, type SsoBrowser, type SsoStage, startSsoStage } from './test-sso.ts';

/**
 * OAuth 2.0 Security BCP (RFC 9700), section by section, where the tests of a flow don't cover it: redirect addresses,
 * PKCE, code and refresh replay are in sso-oidc.db.test.ts, client assertions and DPoP in oauth/oauth.db.test.ts,
 * mix-up and state as a client in upstream/upstream-oidc.db.test.ts.
 */

const BACK = 'https://tool.example/callback';
const VERIFIER = 'a-verifier-that-is-long-enough-for-the-rules-of-pkce';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

let stage: SsoStage;
let browser: SsoBrowser;
let client: { id: string; secret: string };

beforeAll(async () => {
  stage = await startSsoStage();
  browser = await openSsoBrowser(stage, { as: 'first-owner' });
  const { app, secret } = await stage.addApp({
    protocol: 'oidc',
    redirectUris: [BACK],
    postLogoutRedirectUris: ['https://tool.example/bye'],
    pkce: 'optional',
  });
  client = { id: app.id, secret };
});
afterAll(() => stage.stop());

function authorizeUrl(extra: Record<string, string> = {}): string {
  const query = {
    client_id: client.id,
    response_type: 'code',
    redirect_uri: BACK,
    scope: 'openid',
    state: 's',
    ...extra,
  };
  return `${stage.url}/sso/authorize?${new URLSearchParams(query).toString()}`;
}

async function answerOf(extra: Record<string, string> = {}): Promise<URLSearchParams> {
  const { location } = await browser.follow(authorizeUrl(extra));
  return new URL(location ?? '', stage.url).searchParams;
}

async function token(form: Record<string, string>): Promise<{ status: number; error: unknown }> {
  const response = await fetch(`${stage.url}/sso/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
  const body = (await response.json()) as Record<string, unknown>; // the server under test answers with an object
  return { status: response.status, error: body['error'] };
}

const exchange = (code: string, extra: Record<string, string> = {}): Record<string, string> => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: BACK,
  ...extra,
});

test('2.1: the answer names its issuer and gives the state back, so that nothing is mixed up (4.4)', async () => {
  const answer = await answerOf();
  expect([answer.get('iss'), answer.get('state')]).toEqual([`${stage.url}/sso`, 's']);
});

describe('2.1.1 and 4.8.2: PKCE can not be taken out or put in', () => {
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['a code that was asked for without it, exchanged with it', {}, { code_verifier: VERIFIER }],
    [
      'a code that was asked for with it, exchanged without',
      { code_challenge: CHALLENGE, code_challenge_method: 'S256' },
      {},
    ],
    [
      'another verifier',
      { code_challenge: CHALLENGE, code_challenge_method: 'S256' },
      { code_verifier: VERIFIER.replace('a-', 'b-') },
    ],
  ])('%s is refused', async (_name, asked, shown) => {
    const code = (await answerOf(asked)).get('code') ?? '';
    expect(await token(exchange(code, shown))).toEqual({ status: 400, error: 'invalid_grant' });
  });
});

test.each([
  ['2.1.2: id_token token', 'id_token token'],
  ['2.1.2: code token', 'code token'],
])('%s is refused', async (_name, responseType) => {
  expect((await answerOf({ response_type: responseType })).get('code')).toBeNull();
});

test('2.4: a password is no grant', async () => {
  const form = { grant_type: 'password', username: 'ada.lovelace@example.com', password: 'x' };
  expect(await token(form)).toEqual({ status: 400, error: 'unsupported_grant_type' });
});

test('4.2: no address leaks by Referer, and no page of the flow can be framed (4.16)', async () => {
  const response = await browser.get(authorizeUrl());
  expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(response.headers.get('cache-control')).toContain('no-store');
});

test('4.3.2: an access token in a query is not taken', async () => {
  const response = await fetch(`${stage.url}/sso/userinfo?access_token=anything`);
  expect(response.status).toBeGreaterThanOrEqual(400);
});

test.each([
  ['an address that is not registered', 'https://evil.example/'],
  ['one that begins as a registered one', 'https://tool.example/bye.evil.example'],
])('4.11: signing out leads to no open redirect: %s', async (_name, address) => {
  const query = new URLSearchParams({ client_id: client.id, post_logout_redirect_uri: address });
  const response = await browser.get(`${stage.url}/sso/logout?${query.toString()}`);
  expect([response.status, response.headers.get('location')]).toEqual([400, null]);
});

test('4.12: no answer of the flow is a 307, which would send a form on', async () => {
  const response = await browser.get(authorizeUrl());
  expect([302, 303]).toContain(response.status);
});

test('4.15: an app can not pass for a person, nor get a token for itself', async () => {
  expect((await token({ grant_type: 'client_credentials' })).error).toBe('unsupported_grant_type');
});
