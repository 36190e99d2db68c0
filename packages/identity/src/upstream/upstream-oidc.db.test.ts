import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openSsoBrowser, OWNER, type SsoBrowser, type SsoStage, startSsoStage } from '../sso/test-sso.ts';
import { personIdSchema } from '../schemas.ts';
import { startTestOp, type TestOp } from './test-op.ts';
import { addProvider, beginAt, outcomeOf } from './test-upstream.ts';
import type { UpstreamProviderId } from './provider.ts';

/** People come from `oidc-provider`, which is somebody else's OpenID provider, through the real flow. */

let stage: SsoStage;
let op: TestOp;
let id: UpstreamProviderId;
let groupId = '';
let count = 0;

beforeAll(async () => {
  op = await startTestOp();
  stage = await startSsoStage({ signOnPrivateHosts: [op.host] });
  const group = await stage.fake.identity.directory.create({ kind: 'system', name: 'test' }, 'Group', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: 'Engineers',
  });
  groupId = String(group.resource['id']);
  id = await addOp({
    groupRules: [
      { value: 'eng', roles: ['developer'], groups: [groupId] },
      { value: 'sec', roles: ['security'] },
    ],
    mfaValues: ['urn:corp:mfa'],
    passkeyValues: ['phr'],
  });
});
afterAll(async () => {
  await stage.stop();
  await op.stop();
});
beforeEach(() => {
  count += 1;
  Object.assign(op.next, {
    sub: `subject-${count}`,
    acr: undefined,
    amr: undefined,
    spoilCallback: undefined,
    spoilBody: undefined,
  });
  op.next.claims = { email: `bo${count}@corp.example`, email_verified: true, name: 'Bo Diddley', groups: ['eng'] };
});

async function addOp(
  extra: object = {},
  options: Parameters<typeof addProvider>[2] = {},
  client: object = {},
): Promise<UpstreamProviderId> {
  const { identity } = stage.fake;
  // The client's redirect address holds the provider's id, which is known only when it is there.
  const made = await addProvider(
    stage,
    { protocol: 'oidc', issuer: `${op.issuer}/${count}`, clientId: 'none', ...extra },
    options,
  );
  const found = await identity.upstream.providers.get(OWNER, made);
  const { clientId, clientSecret } = op.register(identity.upstream.addressesOf(made).redirectUri, client);
  await stage.fake.db
    .tables<{ upstream_providers: { issuer: string } }>()
    .updateTable('upstream_providers')
    .set({ issuer: `other ${made}` })
    .where('issuer', '=', op.issuer)
    .execute();
  await identity.upstream.providers.change(OWNER, made, {
    name: found.name,
    settings: { ...found.settings, issuer: op.issuer, clientId } as never, // of the protocol that was just added
    clientSecret,
  });
  return made;
}

async function signIn(provider: UpstreamProviderId = id, as = 'nobody' as const) {
  const browser = await openSsoBrowser(stage, { as });
  const back = await op.browse(await beginAt(browser, provider, '?next=/events'));
  return { browser, back, outcome: await outcomeOf(await browser.get(back.href)) };
}

async function sessionOf(browser: SsoBrowser) {
  const response = await stage.server.inject({
    method: 'GET',
    url: '/api/v1/session',
    headers: { cookie: browser.cookies(), 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Test/1.0' },
  });
  return response.json();
}

describe('a first sign-in', () => {
  test('makes the person, with roles and groups by mapping, and a session that knows where it came from', async () => {
    const { browser, outcome } = await signIn();
    expect(outcome).toBe('/events');
    const { actor, session } = await sessionOf(browser);
    expect(actor).toMatchObject({ name: 'Bo Diddley', roles: ['developer'] });
    expect(session).toMatchObject({ amr: ['fed'], strongAuthAt: null, stage: 'full' });
    const person = await stage.fake.identity.people.get(OWNER, personIdSchema.parse(actor.id));
    expect(person).toMatchObject({ source: 'upstream', email: `bo${count}@corp.example`, status: 'active' });
    const { app } = await stage.addApp(
      { protocol: 'oidc', redirectUris: ['https://tool.example/cb'] },
      { everyone: false, groups: [groupId] },
    );
    expect(await stage.fake.identity.sso.apps.mine(person.id)).toMatchObject([{ id: app.id }]);
  });

  test('sends PKCE, a nonce and a state of its own each time', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const [one, two] = [new URL(await beginAt(browser, id)), new URL(await beginAt(browser, id))];
    expect(one.searchParams.get('code_challenge_method')).toBe('S256');
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(one.searchParams.get(name)?.length).toBeGreaterThan(40);
      expect(one.searchParams.get(name)).not.toBe(two.searchParams.get(name));
    }
  });

  test('a mover loses what the provider says no more', async () => {
    await signIn();
    op.next.claims = { ...op.next.claims, groups: ['sec'] };
    const { browser } = await signIn();
    expect((await sessionOf(browser)).actor.roles).toEqual(['security']);
  });

  test('takes the provider’s second factor as fresh only where that is set up', async () => {
    Object.assign(op.next, { acr: 'urn:corp:mfa' });
    const strong = await sessionOf((await signIn()).browser);
    expect(strong.session).toMatchObject({ amr: ['fed', 'fed-mfa'] });
    expect(strong.session.strongAuthAt).not.toBeNull();
    count += 1;
    Object.assign(op.next, { acr: 'urn:corp:password', amr: ['mfa'], sub: `subject-${count}` });
    op.next.claims = { ...op.next.claims, email: `bo${count}@corp.example` };
    expect((await sessionOf((await signIn()).browser)).session).toMatchObject({ amr: ['fed'], strongAuthAt: null });
  });
});

describe('whose account it is', () => {
  const refused: readonly [string, Record<string, unknown>, string][] = [
    ['an address that isn’t verified', { email_verified: false }, 'person.email_unverified'],
    ['an address whose verification isn’t told', { email_verified: undefined }, 'person.email_unverified'],
    ['an address of another domain', { email: 'bo@elsewhere.example' }, 'person.domain'],
    ['an address of a domain that only looks like ours', { email: 'bo@corp.example.evil.example' }, 'person.domain'],
    ['an address with two at signs', { email: 'bo@evil.example@corp.example.evil' }, 'person.domain'],
    ['no address', { email: undefined }, 'person.no_email'],
  ];
  test.each(refused)('refuses %s', async (_name, claims, reason) => {
    op.next.claims = { ...op.next.claims, ...claims };
    expect((await signIn()).outcome).toBe(reason);
    const [attempt] = await stage.fake.identity.upstream.providers.attempts(OWNER, id);
    expect(attempt).toMatchObject({ reason, kind: 'sign-in' });
  });

  test('somebody with a factor here is tied only after showing it', async () => {
    const known = await openSsoBrowser(stage, {
      as: { name: `Cy ${count}`, roles: ['auditor'], email: `cy${count}@corp.example` },
    });
    op.next.claims = { ...op.next.claims, email: `CY${count}@corp.example` };
    const { browser, outcome } = await signIn();
    const link = new URL(outcome, stage.url).searchParams.get('link') ?? '';
    expect(outcome).toMatch(/^\/sign-in\?link=/);
    // Not signed in, and somebody else can't claim it.
    expect((await sessionOf(browser)).actor).toBeNull();
    const other = await openSsoBrowser(stage, {
      as: { name: `Dee ${count}`, roles: ['auditor'], email: `dee${count}@corp.example` },
    });
    expect((await other.send('POST', '/api/v1/auth/upstream/link', { link })).statusCode).toBe(403);
    const again = new URL((await signIn()).outcome, stage.url).searchParams.get('link') ?? '';
    expect((await known.send('POST', '/api/v1/auth/upstream/link', { link: again })).statusCode).toBe(200);
    expect((await known.send('POST', '/api/v1/auth/upstream/link', { link: again })).statusCode).toBe(403);
    const { browser: later } = await signIn();
    expect((await sessionOf(later)).actor.id).toBe(known.personId);
  });

  test('somebody who was invited and never came is tied at once, and a disabled person not at all', async () => {
    const email = `eve${count}@corp.example`;
    const { person } = await stage.fake.identity.people.invite(OWNER, { name: 'Eve', email, roles: ['auditor'] });
    op.next.claims = { ...op.next.claims, email, groups: [] };
    expect((await sessionOf((await signIn()).browser)).actor).toMatchObject({ id: person.id, roles: ['auditor'] });
    await stage.fake.identity.people.disable(OWNER, person.id, 'left');
    expect((await signIn()).outcome).toBe('person.disabled');
  });

  test('an owner who was only invited must show a factor first', async () => {
    const email = `own${count}@corp.example`;
    await stage.fake.identity.people.invite(OWNER, { name: 'Own', email, roles: ['owner'] });
    op.next.claims = { ...op.next.claims, email };
    expect((await signIn()).outcome).toMatch(/^\/sign-in\?link=/);
  });

  test('a second account of the provider doesn’t take the first one’s person', async () => {
    await signIn();
    op.next.sub = 'another';
    expect((await signIn()).outcome).toBe('person.other_account');
  });
});

describe('an answer that isn’t what it should be', () => {
  const spoiled: readonly [string, (back: URL) => void, string][] = [
    ['another state', (back) => back.searchParams.set('state', 'x'.repeat(43)), 'flow.unknown'],
    ['no state', (back) => back.searchParams.delete('state'), 'flow.unknown'],
    ['another code', (back) => back.searchParams.set('code', 'x'.repeat(43)), 'oidc.client'],
    [
      'an iss of somebody else (RFC 9207)',
      (back) => back.searchParams.set('iss', 'https://evil.example'),
      'flow.mixed_up',
    ],
    ['no iss from a provider that promises one', (back) => back.searchParams.delete('iss'), 'flow.mixed_up'],
    [
      'an error of the provider',
      (back) => {
        back.searchParams.delete('code');
        back.searchParams.set('error', 'access_denied');
      },
      'provider.refused',
    ],
  ];
  test.each(spoiled)('is refused: %s', async (_name, spoil, reason) => {
    op.next.spoilCallback = spoil;
    expect((await signIn()).outcome).toBe(reason);
  });

  test('a state twice', async () => {
    const { browser, back } = await signIn();
    expect(await outcomeOf(await browser.get(back.href))).toBe('flow.unknown');
  });

  test('a state twice at once lets one in', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const back = await op.browse(await beginAt(browser, id));
    const outcomes = await Promise.all([1, 2, 3].map(async () => outcomeOf(await browser.get(back.href))));
    expect(outcomes.filter((one) => one === 'flow.unknown')).toHaveLength(2);
  });

  test('in another browser than the one that began (login CSRF)', async () => {
    const [mine, theirs] = [
      await openSsoBrowser(stage, { as: 'nobody' }),
      await openSsoBrowser(stage, { as: 'nobody' }),
    ];
    const back = await op.browse(await beginAt(mine, id));
    expect(await outcomeOf(await theirs.get(back.href))).toBe('flow.unknown');
    expect((await sessionOf(theirs)).actor).toBeNull();
  });

  test('at another provider’s address (mix-up)', async () => {
    const other = await addProvider(
      stage,
      { protocol: 'oidc', issuer: 'https://other.example', clientId: 'x' },
      { domain: null },
    );
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const back = await op.browse(await beginAt(browser, id));
    back.pathname = `/sso/up/callback/${other}`;
    expect(await outcomeOf(await browser.get(back.href))).toBe('flow.mixed_up');
  });

  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  interface Spoiled {
    readonly claims?: Record<string, unknown>;
    readonly alg?: string;
    readonly by?: 'provider' | 'stranger' | 'secret' | 'nobody';
  }
  const tokens: readonly [string, Spoiled, string][] = [
    ['with another nonce', { claims: { nonce: 'other' } }, 'oidc.response'],
    ['without a nonce', { claims: { nonce: undefined } }, 'oidc.response'],
    ['for another client', { claims: { aud: 'other' } }, 'oidc.response'],
    ['for several clients, given to another', { claims: { aud: ['client0', 'other'], azp: 'other' } }, 'oidc.response'],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, 'flow.mixed_up'],
    ['that is over', { claims: { exp: 1_000_000_000 } }, 'oidc.response'],
    ['signed by nobody', { alg: 'none', by: 'nobody' }, 'oidc.response'],
    ['signed with the client secret', { alg: 'HS256', by: 'secret' }, 'oidc.response'],
    ['signed by another key', { by: 'stranger' }, 'oidc.response'],
  ];
  test.each(tokens)(
    'is refused: an id_token %s',
    async (_name, { claims = {}, alg = 'RS256', by = 'provider' }, reason) => {
      const browser = await openSsoBrowser(stage, { as: 'nobody' });
      const back = await op.browse(await beginAt(browser, id));
      op.next.spoilBody = (path, body) => {
        if (path !== '/token') return body;
        const answer = JSON.parse(body) as { id_token: string };
        const payload = JSON.parse(Buffer.from(answer.id_token.split('.')[1] ?? '', 'base64url').toString()) as object;
        const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        const text = `${encode({ alg, kid: 'of-the-provider' })}.${encode({ ...payload, ...claims })}`;
        const signatures = {
          provider: () => createSign('RSA-SHA256').update(text).sign(op.key, 'base64url'),
          stranger: () => createSign('RSA-SHA256').update(text).sign(other, 'base64url'),
          secret: () => createHmac('sha256', 'a secret that is long enough').update(text).digest('base64url'),
          nobody: () => '',
        };
        return JSON.stringify({ ...answer, id_token: `${text}.${signatures[by]()}` });
      };
      expect(await outcomeOf(await browser.get(back.href))).toBe(reason);
    },
  );

  test('is believed when the provider signed it anew: the battery above changes nothing else', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const back = await op.browse(await beginAt(browser, id, '?next=/events'));
    op.next.spoilBody = (path, body) => {
      if (path !== '/token') return body;
      const answer = JSON.parse(body) as { id_token: string };
      const payload = answer.id_token.split('.')[1] ?? '';
      const text = `${Buffer.from('{"alg":"RS256","kid":"of-the-provider"}').toString('base64url')}.${payload}`;
      return JSON.stringify({
        ...answer,
        id_token: `${text}.${createSign('RSA-SHA256').update(text).sign(op.key, 'base64url')}`,
      });
    };
    expect(await outcomeOf(await browser.get(back.href))).toBe('/events');
  });

  test('a userinfo answer about somebody else', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const back = await op.browse(await beginAt(browser, id));
    op.next.spoilBody = (path, body) =>
      path === '/me' ? JSON.stringify({ sub: 'admin', email: 'admin@corp.example' }) : body;
    expect(await outcomeOf(await browser.get(back.href))).toBe('oidc.response');
  });
});

describe('signing out', () => {
  test('goes on at the provider with the id_token as hint', async () => {
    const { browser } = await signIn();
    const answer = await stage.server.inject({
      method: 'POST',
      url: '/api/v1/auth/sign-out',
      headers: {
        cookie: browser.cookies(),
        origin: stage.url,
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Test/1.0',
      },
    });
    const url = new URL(answer.json().url);
    expect(url.origin).toBe(op.issuer);
    expect(url.searchParams.get('id_token_hint')).toMatch(/^eyJ/);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${stage.url}/sso/up/signed-out`);
    expect((await sessionOf(browser)).actor).toBeNull();
  });

  const logoutToken = (key: KeyObject, claims: object = {}): Promise<string> =>
    new SignJWT({
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      jti: crypto.randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', kid: 'of-the-provider' })
      .setIssuer(op.issuer)
      .setSubject(op.next.sub)
      .setIssuedAt()
      .setAudience('client0')
      .sign(key);

  test('at the provider ends the session here, once for each token', async () => {
    const { browser } = await signIn();
    const token = await logoutToken(op.key);
    expect((await browser.post(`/sso/up/backchannel/${id}`, { logout_token: token })).status).toBe(200);
    expect((await sessionOf(browser)).actor).toBeNull();
    expect((await browser.post(`/sso/up/backchannel/${id}`, { logout_token: token })).status).toBe(400);
  });

  test.each([
    ['another key', async () => logoutToken(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)],
    ['a nonce, which an id_token has', async () => logoutToken(op.key, { nonce: 'x' })],
    ['no event of a logout', async () => logoutToken(op.key, { events: {} })],
  ])('at the provider ends nothing here with %s', async (_name, make) => {
    const { browser } = await signIn();
    const response = await browser.post(`/sso/up/backchannel/${id}`, { logout_token: await make() });
    expect(response.status).toBe(400);
    expect((await sessionOf(browser)).actor).not.toBeNull();
  });
});

describe('a confirmation at the provider', () => {
  const stepUp = async (browser: SsoBrowser) => {
    const back = await op.browse(await beginAt(browser, id, '?mode=step-up&next=/people'));
    return outcomeOf(await browser.get(back.href));
  };
  test('counts as a fresh factor of the same person and nobody else', async () => {
    const { browser } = await signIn();
    expect(await stepUp(browser)).toBe('person.not_strong');
    op.next.acr = 'urn:corp:mfa';
    expect(await stepUp(browser)).toBe('/people');
    expect((await sessionOf(browser)).session.strongAuthAt).not.toBeNull();
    op.next.sub = 'somebody-else';
    expect(await stepUp(browser)).toBe('person.other');
  });

  test('asks for a new sign-in there', async () => {
    const { browser } = await signIn();
    const url = new URL(await beginAt(browser, id, '?mode=step-up'));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      prompt: 'login',
      max_age: '0',
      acr_values: 'phr urn:corp:mfa',
    });
  });
});

describe('where it is required', () => {
  test('a factor of one’s own opens nothing, but for owners', async () => {
    const required = await addOp({ required: true }, { domain: 'must.example' });
    expect(await stage.fake.identity.upstream.providers.wayIn('bo@MUST.example')).toMatchObject({
      provider: { id: required },
      required: true,
    });
    expect(await stage.fake.identity.upstream.providers.wayIn('bo@nowhere.example')).toEqual({
      provider: null,
      required: false,
    });
    const known = await openSsoBrowser(stage, { as: { name: 'Fay', roles: ['auditor'], email: 'fay@must.example' } });
    expect(await known.signInAgain()).toBe(403);
    const owner = await openSsoBrowser(stage, { as: { name: 'Gil', roles: ['owner'], email: 'gil@must.example' } });
    expect(await owner.signInAgain()).toBe(200);
  });
});

describe('setting up', () => {
  test('is tried by whoever sets it up before it is switched on', async () => {
    const owner = await openSsoBrowser(stage, { as: { name: 'Hal', roles: ['owner'], email: 'hal@here.example' } });
    const draft = await addOp({}, { domain: 'draft.example', status: 'draft' });
    expect(await beginAt(await openSsoBrowser(stage, { as: 'nobody' }), draft)).toBe('flow.off');
    expect(await beginAt(await openSsoBrowser(stage, { as: 'nobody' }), draft, '?mode=test')).toBe('flow.off');
    const { providers } = stage.fake.identity.upstream;
    await expect(providers.setStatus(OWNER, draft, 'active')).rejects.toMatchObject({
      code: 'identity.upstream_not_tested',
    });
    op.next.claims = { ...op.next.claims, email: 'ada@elsewhere.example' };
    const wrong = await op.browse(await beginAt(owner, draft, '?mode=test&next=/done'));
    expect(await outcomeOf(await owner.get(wrong.href))).toBe('person.domain');
    op.next.claims = { ...op.next.claims, email: 'ada@draft.example' };
    const back = await op.browse(await beginAt(owner, draft, '?mode=test&next=/done'));
    expect(await outcomeOf(await owner.get(back.href))).toBe('/done');
    expect(await providers.setStatus(OWNER, draft, 'active')).toMatchObject({ status: 'active' });
    // Nobody was made by it.
    expect(await providers.accounts(OWNER, draft)).toEqual([]);
  });

  test('never fetches what leads inside', async () => {
    const inside = await addProvider(
      stage,
      { protocol: 'oidc', issuer: 'https://169.254.169.254', clientId: 'x', auth: 'none' },
      { domain: null },
    );
    expect(await beginAt(await openSsoBrowser(stage, { as: 'nobody' }), inside)).toBe('provider.unreachable');
    const plain = await addProvider(
      stage,
      { protocol: 'oidc', issuer: 'http://127.0.0.1:1', clientId: 'x', auth: 'none' },
      { domain: null },
    );
    expect(await beginAt(await openSsoBrowser(stage, { as: 'nobody' }), plain)).toBe('provider.unreachable');
  });
});
