import { createSign, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openSsoBrowser, OWNER, type SsoBrowser, type SsoStage, startSsoStage } from '../sso/test-sso.ts';
import { NS, RSA_SHA256, verifyRedirect } from '../sso/saml-xml.ts';
import type { UpstreamProviderId } from './provider.ts';
import { readProviderMetadata } from './saml-metadata.ts';
import { createTestIdp, encoded, type ResponseInput, type TestIdp } from './test-idp.ts';
import { addProvider, outcomeOf } from './test-upstream.ts';

/** The whole way of a SAML sign-in, with a provider whose answers can be spoiled; its rules are in saml-attacks.test.ts. */

const MFA = 'https://refeds.org/profile/mfa';
let stage: SsoStage;
let idp: TestIdp;
let id: UpstreamProviderId;
let count = 0;

beforeAll(async () => {
  [stage, idp] = [await startSsoStage(), await createTestIdp()];
  id = await addProvider(stage, {
    protocol: 'saml',
    entityId: idp.entityId,
    ssoUrl: 'https://idp.corp.example/sso',
    sloUrl: 'https://idp.corp.example/slo',
    certificates: [idp.pair.certificate],
    groupRules: [{ value: 'eng', roles: ['developer'] }],
    mfaValues: [MFA],
  });
});
afterAll(() => stage.stop());
beforeEach(() => {
  count += 1;
});

const addresses = () => stage.fake.identity.upstream.addressesOf(id);

/** What the browser takes to the provider. */
async function begin(browser: SsoBrowser, query = '?next=/events') {
  const url = new URL(await outcomeOf(await browser.get(`/sso/up/start/${id}${query}`)));
  const xml = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
  return {
    url,
    xml,
    request: / ID="([^"]+)"/.exec(xml)?.[1] ?? '',
    relayState: url.searchParams.get('RelayState') ?? '',
  };
}

function answer(request: string | null, extra: Partial<ResponseInput> = {}): string {
  const { acsUrl, entityId } = addresses();
  const usual = {
    nameId: `subject-${count}`,
    email: `bo${count}@corp.example`,
    groups: ['eng'],
    sessionIndex: `index-${count}`,
  };
  return encoded(idp.respond({ acsUrl, audience: entityId, inResponseTo: request, ...usual, ...extra }));
}

/** Posts an answer and goes on as the browser does. */
async function post(browser: SsoBrowser, message: string, relayState: string | null): Promise<string> {
  const fields = { SAMLResponse: message, ...(relayState === null ? {} : { RelayState: relayState }) };
  const first = await outcomeOf(await browser.post(`/sso/up/acs/${id}`, fields));
  return first.startsWith('/sso/up/finish/') ? outcomeOf(await browser.get(first)) : first;
}

async function signIn(extra: Partial<ResponseInput> = {}) {
  const browser = await openSsoBrowser(stage, { as: 'nobody' });
  const { request, relayState } = await begin(browser);
  return { browser, outcome: await post(browser, answer(request, extra), relayState), request, relayState };
}

async function sessionOf(browser: SsoBrowser) {
  const headers = { cookie: browser.cookies(), 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Test/1.0' };
  return (await stage.server.inject({ method: 'GET', url: '/api/v1/session', headers })).json();
}

describe('signing in', () => {
  test('asks with a signed request, and makes the person', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const { url, xml, request, relayState } = await begin(browser);
    const certificate = (await stage.fake.identity.sso.keys.signer()).certificate;
    expect(() => verifyRedirect(url.search.slice(1), 'SAMLRequest', [certificate])).not.toThrow();
    expect(xml).toContain(addresses().acsUrl);
    expect(await post(browser, answer(request), relayState)).toBe('/events');
    const { actor, session } = await sessionOf(browser);
    expect(actor).toMatchObject({ name: 'Bo Diddley', roles: ['developer'] });
    expect(session).toMatchObject({ amr: ['fed'], strongAuthAt: null });
  });

  test('takes the provider’s second factor where that is set up, and asks for it again to confirm', async () => {
    const { browser } = await signIn({ contextClass: MFA });
    expect((await sessionOf(browser)).session).toMatchObject({ amr: ['fed', 'fed-mfa'] });
    const { xml, request, relayState } = await begin(browser, '?mode=step-up&next=/people');
    expect(xml).toContain('ForceAuthn="true"');
    expect(await post(browser, answer(request, { contextClass: MFA }), relayState)).toBe('/people');
    const weak = await begin(browser, '?mode=step-up&next=/people');
    expect(await post(browser, answer(weak.request), weak.relayState)).toBe('person.not_strong');
  });

  test('is published as metadata that a provider can read', async () => {
    const text = await (await (await openSsoBrowser(stage, { as: 'nobody' })).get(`/sso/up/metadata/${id}`)).text();
    expect(text).toContain(`entityID="${addresses().entityId}"`);
    expect(text).toContain('AssertionConsumerService');
  });
});

describe('an answer', () => {
  test('a second time is refused', async () => {
    const { browser, request, relayState } = await signIn();
    const used = answer(request, { assertionId: `_same${count}` });
    expect(await post(browser, used, relayState)).toBe('flow.unknown');
  });

  test('several times at once lets one in: its id is taken in the database, which all processes share', async () => {
    const { providers } = stage.fake.identity.upstream;
    const { name, settings } = await providers.get(OWNER, id);
    await providers.change(OWNER, id, { name, settings: { ...settings, allowUnsolicited: true } as never }); // SAML's
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const used = answer(null);
    const outcomes = await Promise.all([1, 2, 3, 4].map(async () => post(browser, used, null)));
    expect(outcomes.filter((one) => one === 'saml.replay')).toHaveLength(3);
    await providers.change(OWNER, id, { name, settings });
  });

  test('that nobody asked for is refused, unless allowed', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    expect(await post(browser, answer(null), null)).toBe('saml.unsolicited');
    const { providers } = stage.fake.identity.upstream;
    const { name, settings } = await providers.get(OWNER, id);
    await providers.change(OWNER, id, { name, settings: { ...settings, allowUnsolicited: true } as never }); // SAML's
    expect(await post(browser, answer(null), '/events')).toBe('/events');
    expect(await post(browser, answer(null, { nameId: 'b' }), 'https://evil.example')).toBe('person.other_account');
    expect(await post(browser, answer('_unknown'), null)).toBe('flow.unknown');
    await providers.change(OWNER, id, { name, settings });
  });

  test('to somebody else’s request, in this browser', async () => {
    const [mine, theirs] = [
      await openSsoBrowser(stage, { as: 'nobody' }),
      await openSsoBrowser(stage, { as: 'nobody' }),
    ];
    const asked = await begin(theirs);
    expect(await post(mine, answer(asked.request), asked.relayState)).toBe('flow.unknown');
  });

  test('with the RelayState of another sign-in', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const [one, two] = [await begin(browser), await begin(browser)];
    expect(await post(browser, answer(one.request), two.relayState)).toBe('saml.in_response_to');
  });

  test('with a field twice', async () => {
    const browser = await openSsoBrowser(stage, { as: 'nobody' });
    const { request } = await begin(browser);
    const response = await fetch(`${stage.url}/sso/up/acs/${id}`, {
      method: 'POST',
      body: new URLSearchParams([
        ['SAMLResponse', answer(request)],
        ['SAMLResponse', answer(request, { nameId: 'admin' })],
      ]),
    });
    expect(response.status).toBe(403);
  });

  test('is told to whoever set the provider up, with what to do', async () => {
    await signIn({ audience: 'https://other.example' });
    const owner = await openSsoBrowser(stage, {
      as: { name: `Iva${count}`, roles: ['auditor'], email: `iva${count}@here.example` },
    });
    const answered = await owner.send('GET', `/api/v1/sign-on/providers/${id}/attempts`);
    expect(JSON.parse(answered.body).items[0]).toMatchObject({
      reason: 'saml.audience',
      advice: expect.stringContaining('entity id'),
      detail: { detail: expect.stringContaining('other.example') },
    });
  });
});

describe('single logout', () => {
  function logoutRequest(
    nameId: string,
    index: string,
    extra: { destination?: string; issuer?: string; key?: string; id?: string } = {},
  ): string {
    const xml = `<samlp:LogoutRequest xmlns:samlp="${NS.protocol}" xmlns:saml="${NS.assertion}" ID="${extra.id ?? `_${randomBytes(8).toString('hex')}`}" Version="2.0" IssueInstant="${new Date().toISOString()}" Destination="${extra.destination ?? addresses().sloUrl}"><saml:Issuer>${extra.issuer ?? idp.entityId}</saml:Issuer><saml:NameID>${nameId}</saml:NameID><samlp:SessionIndex>${index}</samlp:SessionIndex></samlp:LogoutRequest>`;
    const query = `SAMLRequest=${encodeURIComponent(deflateRawSync(xml).toString('base64'))}&SigAlg=${encodeURIComponent(RSA_SHA256)}`;
    const signature = createSign('RSA-SHA256')
      .update(query)
      .sign(extra.key ?? idp.pair.privateKey, 'base64');
    return `/sso/up/slo/${id}?${query}&Signature=${encodeURIComponent(signature)}`;
  }

  test('at the provider ends the session here', async () => {
    const { browser } = await signIn();
    const url = logoutRequest(`subject-${count}`, `index-${count}`);
    const location = await outcomeOf(await browser.get(url));
    expect(location).toMatch(/^https:\/\/idp\.corp\.example\/slo\?SAMLResponse=/);
    expect((await sessionOf(browser)).actor).toBeNull();
    expect(await outcomeOf(await browser.get(url))).toBe('saml.replay');
  });

  test.each([
    ['of another session', () => logoutRequest(`subject-${count}`, 'index-other'), 'https:'],
    ['of another person', () => logoutRequest('subject-other', `index-${count}`), 'https:'],
    [
      'signed by somebody else',
      () => logoutRequest(`subject-${count}`, `index-${count}`, { key: strangerKey() }),
      'saml.signature',
    ],
    [
      'for another site',
      () => logoutRequest(`subject-${count}`, `index-${count}`, { destination: 'https://other.example' }),
      'saml.destination',
    ],
    [
      'of another provider',
      () => logoutRequest(`subject-${count}`, `index-${count}`, { issuer: 'https://other.example' }),
      'saml.issuer',
    ],
  ])('ends nothing: %s', async (_name, make, expected) => {
    const { browser } = await signIn();
    const other = await openSsoBrowser(stage, { as: 'nobody' });
    expect(await outcomeOf(await other.get(make()))).toMatch(expected);
    expect((await sessionOf(browser)).actor).not.toBeNull();
  });

  test('here goes on at the provider', async () => {
    const { browser } = await signIn();
    const answered = await stage.server.inject({
      method: 'POST',
      url: '/api/v1/auth/sign-out',
      headers: {
        cookie: browser.cookies(),
        origin: stage.url,
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Test/1.0',
      },
    });
    const url = new URL(answered.json().url);
    const xml = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
    expect(xml).toContain(`subject-${count}`);
    expect(xml).toContain(`index-${count}`);
    const certificate = (await stage.fake.identity.sso.keys.signer()).certificate;
    expect(() => verifyRedirect(url.search.slice(1), 'SAMLRequest', [certificate])).not.toThrow();
  });
});

let stranger = '';
function strangerKey(): string {
  return stranger;
}
beforeAll(async () => {
  stranger = (await createTestIdp()).pair.privateKey;
});

describe('domains', () => {
  test('are verified by DNS, and belong to one provider', async () => {
    const records = new Map<string, string[][]>();
    const other = await startSsoStage(
      {},
      {
        resolveTxt: async (name) =>
          records.get(name) ?? Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
      },
    );
    const { providers } = other.fake.identity.upstream;
    const provider = await addProvider(
      other,
      { protocol: 'oidc', issuer: 'https://op.example', clientId: 'x' },
      { domain: null },
    );
    const { challenge } = await providers.addDomain(OWNER, provider, 'Müller.Example');
    const domain = 'xn--mller-kva.example';
    const verify = () => providers.verifyDomain(OWNER, provider, domain, false);
    await expect(verify()).rejects.toMatchObject({ code: 'identity.upstream_domain_unverified' });
    records.set(`_cordon-challenge.${domain}`, [['v=spf1'], ['cordon-domain-verification=wrong']]);
    await expect(verify()).rejects.toThrow('None of the 2 TXT records');
    expect((await providers.wayIn(`bo@${domain}`)).provider).toBeNull();
    records.set(`_cordon-challenge.${domain}`, [['cordon-domain-', `verification=${challenge}`]]);
    expect(await verify()).toMatchObject({ verifiedBy: 'dns' });
    expect((await providers.wayIn('bo@MÜLLER.example')).provider?.id).toBe(provider);
    await expect(providers.addDomain(OWNER, provider, domain)).rejects.toMatchObject({
      code: 'identity.upstream_domain_taken',
    });
    await expect(providers.addDomain(OWNER, provider, 'no domain')).rejects.toMatchObject({
      code: 'identity.upstream_domain_unverified',
    });
    await other.stop();
  });

  test('an untied person loses what the provider gave, and their session', async () => {
    const { browser } = await signIn();
    const { actor } = await sessionOf(browser);
    const { providers } = stage.fake.identity.upstream;
    await providers.unlink(OWNER, id, actor.id);
    expect((await sessionOf(browser)).actor).toBeNull();
    const person = await stage.fake.identity.people.get(OWNER, actor.id);
    expect(person.roles).toEqual([]);
  });
});

test('metadata of a provider is read, also from a list, and refused when it says too little', () => {
  const der = idp.pair.certificate.replace(/-----[^-]+-----|\s/g, '');
  const key = `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${NS.signature}"><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
  const entity = (name: string, keys: string) =>
    `<md:EntityDescriptor xmlns:md="${NS.metadata}" entityID="${name}"><!-- ours --><md:IDPSSODescriptor protocolSupportEnumeration="${NS.protocol}">${keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`;
  const list = `<md:EntitiesDescriptor xmlns:md="${NS.metadata}">${entity('a', key)}${entity('b', key)}</md:EntitiesDescriptor>`;
  expect(readProviderMetadata(entity('a', key))).toMatchObject({
    entityId: 'a',
    ssoUrl: 'https://idp.example/sso',
    sloUrl: null,
  });
  expect(readProviderMetadata(list, 'b').entityId).toBe('b');
  expect(() => readProviderMetadata(list)).toThrow('several identity providers');
  expect(() => readProviderMetadata(entity('a', ''))).toThrow('no certificate');
  expect(() => readProviderMetadata(`<!DOCTYPE a>${entity('a', key)}`)).toThrow('can’t be read');
});
