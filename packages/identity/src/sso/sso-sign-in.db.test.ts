import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IdentityTables } from '../tables.ts';
import { OWNER, openSsoBrowser, type SsoBrowser, type SsoStage, startSsoStage } from './test-sso.ts';

const BACK = 'https://tool.example/callback';
const CHALLENGE = createHash('sha256')
  .update('a-verifier-that-is-long-enough-for-the-rules-of-pkce')
  .digest('base64url');
const SETTINGS = { protocol: 'oidc', redirectUris: [BACK] } as const;

let stage: SsoStage;

beforeAll(async () => {
  stage = await startSsoStage();
  await openSsoBrowser(stage, { as: 'first-owner' });
});
afterAll(() => stage.stop());

function authorizeUrl(clientId: string): string {
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: BACK,
    scope: 'openid',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  });
  return `${stage.url}/sso/authorize?${query.toString()}`;
}

async function codeOf(url: string, by: SsoBrowser): Promise<void> {
  const { location } = await by.follow(url);
  expect(new URL(location ?? '', stage.url).searchParams.get('code')).not.toBeNull();
}

describe('front-channel logout', () => {
  const FRONT = 'https://frame.example/bye?tool=1';

  test('signing out leads the browser to a page that opens the tool with iss and sid, once, and goes on', async () => {
    const { app } = await stage.addApp({ ...SETTINGS, frontchannelLogoutUri: FRONT });
    const metadata = await fetch(`${stage.url}/sso/.well-known/openid-configuration`);
    expect(await metadata.json()).toMatchObject({
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
    });
    const eve = await openSsoBrowser(stage, { as: { name: 'Eve Front', roles: [] } });
    await codeOf(authorizeUrl(app.id), eve);
    const login = await stage.fake.db
      .tables<IdentityTables>()
      .selectFrom('sso_logins')
      .selectAll()
      .where('app_id', '=', app.id)
      .executeTakeFirstOrThrow();
    const { url } = JSON.parse((await eve.send('POST', '/api/v1/auth/sign-out')).body) as { url: string };
    expect(url).toMatch(/^\/sso\/front-channel\?id=/);
    const page = await eve.get(url);
    const text = await page.text();
    expect(page.headers.get('content-security-policy')).toContain('frame-src https://frame.example;');
    const framed = /data-src="([^"]+)"/.exec(text)?.[1]?.replaceAll('&#38;', '&') ?? '';
    expect(Object.fromEntries(new URL(framed).searchParams)).toEqual({
      tool: '1',
      iss: `${stage.url}/sso`,
      sid: login.sid,
    });
    expect(text).toContain('data-next="/sign-in"');
    // Its address is of use once.
    expect((await eve.get(url)).headers.get('location')).toBe('/sign-in');
  });

  test('without such a tool nothing is opened', async () => {
    const eve = await openSsoBrowser(stage, { as: { name: 'Eve Plain', roles: [] } });
    expect((await eve.send('POST', '/api/v1/auth/sign-out')).body).toBe('{"url":null}');
  });
});

describe('policy on sign-in, for a tool', () => {
  const publish = async (text: string | null): Promise<void> => {
    const policies = stage.fake.identity.signInPolicies;
    const { version } = await policies.current(OWNER);
    const set = {
      base: true,
      networks: [],
      policies: text === null ? [] : [{ name: 'p', text, mode: 'enforce' as const }],
    };
    await policies.publish(OWNER, { set, note: '', basedOn: version });
  };

  test('a refusal is explained with a way back, and kept; the tool gets access_denied', async () => {
    const { app } = await stage.addApp(SETTINGS);
    const text = `@id("closed") @advice("The tool is closed today.") forbid (principal, action, resource) when { resource.name == "${app.name}" };`;
    await publish(text);
    const eve = await openSsoBrowser(stage, { as: { name: 'Eve Policy', roles: [] } });
    const { response } = await eve.follow(authorizeUrl(app.id));
    expect(response.status).toBe(403);
    const page = await response.text();
    expect(page).toContain('The tool is closed today.');
    const reference = /<code>([0-9a-f-]{36})/.exec(page)?.[1];
    const records = await stage.fake.identity.signInPolicies.records(OWNER, { id: reference, limit: 1 });
    expect(records).toMatchObject([
      { outcome: 'refuse', service: { kind: 'oidc', id: app.id }, reasons: [{ statement: 'closed' }] },
    ]);
    const back = /href="(\/sso\/interaction[^"]+)"/.exec(page)?.[1] ?? '';
    const { location } = await eve.follow(back);
    expect(new URL(location ?? '').searchParams.get('error')).toBe('access_denied');
    await publish(null);
    await codeOf(authorizeUrl(app.id), eve);
  });

  test('a factor that was shown too long ago is asked for again', async () => {
    const { app } = await stage.addApp(SETTINGS);
    await publish(
      `forbid (principal, action, resource) when { resource.name == "${app.name}" } unless { context.authAge < 600 };`,
    );
    const eve = await openSsoBrowser(stage, { as: { name: 'Eve Fresh', roles: [] } });
    await codeOf(authorizeUrl(app.id), eve);
    const long = new Date(Date.now() - 3_600_000);
    await stage.fake.db
      .tables<IdentityTables>()
      .updateTable('sessions')
      .set({ strong_auth_at: long, created_at: long })
      .where('person_id', '=', eve.personId)
      .execute();
    const { location } = await eve.follow(authorizeUrl(app.id));
    expect(location).toMatch(/^\/sign-in-again\?factor=passkey&next=/);
    await publish(null);
  });
});
