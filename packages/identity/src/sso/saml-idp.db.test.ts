import { createPrivateKey, createSign, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OWNER, openSsoBrowser, type SsoBrowser, type SsoStage, startSsoStage } from './test-sso.ts';
import { EXC_C14N, NS, parseXml, RSA_SHA256, SHA256, signElement, verifyEnveloped } from './saml-xml.ts';

const ACS = 'https://tool.example/acs';
const SLO = 'https://tool.example/slo';

let stage: SsoStage;
let browser: SsoBrowser;
let sp: { readonly privateKey: string; readonly certificate: string };
let idp: { readonly certificate: string };
let count = 0;

async function makePair(): Promise<{ privateKey: string; certificate: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never); // Node's own, described twice
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const der = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=tool',
    signingAlgorithm: algorithm,
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    } as never, // as above
  });
  return { privateKey, certificate: certificate.toString('pem') };
}

beforeAll(async () => {
  stage = await startSsoStage();
  browser = await openSsoBrowser(stage);
  sp = await makePair();
  idp = { certificate: (await stage.fake.identity.sso.keys.published())[0]?.certificate ?? '' };
});
afterAll(() => stage.stop());

const ATTRIBUTES = [
  { name: 'email', source: 'email' },
  { name: 'first', source: 'firstName' },
  { name: 'role', source: 'constant', value: 'arn:{}' },
] as const;

async function addTool(settings: object = {}, access?: object) {
  count += 1;
  const entityId = `https://tool.example/${count}`;
  const { app } = await stage.addApp(
    { protocol: 'saml', entityId, acsUrls: [ACS], attributes: ATTRIBUTES, ...settings },
    access,
  );
  return { app, entityId };
}

function toolOf(entityId: string, extra: object = {}): SAML {
  return new SAML({
    issuer: entityId,
    callbackUrl: ACS,
    audience: entityId,
    entryPoint: `${stage.url}/sso/saml/sso`,
    logoutUrl: `${stage.url}/sso/saml/slo`,
    idpCert: idp.certificate,
    idpIssuer: `${stage.url}/sso/saml/metadata`,
    wantAuthnResponseSigned: true,
    wantAssertionsSigned: true,
    disableRequestedAuthnContext: true,
    identifierFormat: null,
    validateInResponseTo: ValidateInResponseTo.always,
    ...extra,
  });
}

/** What the page that posts itself to the tool holds. */
async function formOf(response: Response): Promise<Record<string, string>> {
  const page = await response.text();
  const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
    name,
    value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))),
  ]);
  return { ...Object.fromEntries(fields), action: /action="([^"]*)"/.exec(page)?.[1] ?? page };
}

function xmlOf(form: Record<string, string>): string {
  return Buffer.from(form['SAMLResponse'] ?? '', 'base64').toString('utf8');
}

describe('a service provider that is not ours', () => {
  test.each([
    ['both', {}],
    ['with a signed request', { signed: true }],
    ['with an encrypted assertion', { signed: true, encrypt: true }],
  ])('signs somebody in: %s', async (_name, how: { signed?: boolean; encrypt?: boolean }) => {
    const certificates = how.signed ? [sp.certificate] : [];
    const { entityId } = await addTool({ certificates, encrypt: how.encrypt ?? false });
    const key = how.signed
      ? { privateKey: sp.privateKey, decryptionPvk: sp.privateKey, signatureAlgorithm: 'sha256' }
      : {};
    const tool = toolOf(entityId, key);
    const url = await tool.getAuthorizeUrlAsync('back-to-work', undefined, {});
    const { response } = await browser.follow(url);
    const form = await formOf(response);
    expect(form).toMatchObject({ action: ACS, RelayState: 'back-to-work' });
    expect(xmlOf(form).includes('EncryptedAssertion')).toBe(how.encrypt ?? false);
    const { profile } = await tool.validatePostResponseAsync({ SAMLResponse: form['SAMLResponse'] ?? '' });
    expect(profile).toMatchObject({
      nameID: 'ada.lovelace@example.com',
      nameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
      email: 'ada.lovelace@example.com',
      first: 'Ada',
      role: 'arn:ada.lovelace@example.com',
      issuer: `${stage.url}/sso/saml/metadata`,
    });
    expect(stage.fake.events.at(-1)).toMatchObject({ class_uid: 3002, status_id: 1 });
  });

  test('is started from Cordon, and told nothing more than its address', async () => {
    const { app, entityId } = await addTool({ relayState: '/home' });
    const form = await formOf((await browser.follow(`/sso/saml/start/${app.id}`)).response);
    expect(form).toMatchObject({ action: ACS, RelayState: '/home' });
    expect(xmlOf(form)).not.toContain('InResponseTo');
    const tool = toolOf(entityId, { validateInResponseTo: ValidateInResponseTo.never });
    expect(
      (await tool.validatePostResponseAsync({ SAMLResponse: form['SAMLResponse'] ?? '' })).profile?.nameID,
    ).toContain('@');
    const strict = await addTool({ idpInitiated: false });
    expect((await browser.get(`/sso/saml/start/${strict.app.id}`)).status).toBe(400);
  });

  test('signs the person out: the session ends and the answer is signed', async () => {
    const { app, entityId } = await addTool({ certificates: [sp.certificate], sloUrl: SLO });
    const person = await openSsoBrowser(stage, { as: { name: 'Rosa Parks', roles: ['auditor'] } });
    const tool = toolOf(entityId, { privateKey: sp.privateKey, signatureAlgorithm: 'sha256' });
    const form = await formOf((await person.follow(await tool.getAuthorizeUrlAsync('', undefined, {}))).response);
    const { profile } = await tool.validatePostResponseAsync({ SAMLResponse: form['SAMLResponse'] ?? '' });
    if (!profile) throw new Error('no profile');
    const { location } = await person.follow(await tool.getLogoutUrlAsync(profile, 'bye', {}));
    const answer = new URL(location ?? '');
    expect(answer.origin + answer.pathname).toBe(SLO);
    expect(answer.searchParams.get('RelayState')).toBe('bye');
    const container = Object.fromEntries(answer.searchParams);
    expect(await tool.validateRedirectAsync(container, answer.search.slice(1))).toMatchObject({ loggedOut: true });
    expect((await person.send('GET', '/api/v1/session')).body).toContain('"actor":null');
    expect(await stage.fake.identity.sso.apps.logins(OWNER, app.id)).toMatchObject([{ notice: 'told' }]);
  });

  test('is told over SOAP when a session ends elsewhere', async () => {
    const soap = 'https://tool.example/soap';
    const { app } = await addTool({ sloSoapUrl: soap });
    const person = await openSsoBrowser(stage, { as: { name: 'Ida Wells', roles: ['auditor'] } });
    await person.follow(`/sso/saml/start/${app.id}`);
    await person.send('DELETE', '/api/v1/session');
    await stage.sso.notices.run();
    const body = stage.posts.find(({ url }) => url === soap)?.body ?? '';
    const inner = body.replace(/^.*<soap:Body>|<\/soap:Body>.*$/gs, '');
    const signed = verifyEnveloped(inner, parseXml(inner), [idp.certificate]);
    expect(signed.getAttribute('Destination')).toBe(soap);
  });
});

/** A request as a tool might send it, changed by a test. */
function requestXml(entityId: string, change: Record<string, string> = {}): string {
  const attributes: Record<string, string> = {
    ID: `_${randomBytes(16).toString('hex')}`,
    Version: '2.0',
    IssueInstant: new Date().toISOString(),
    Destination: `${stage.url}/sso/saml/sso`,
    AssertionConsumerServiceURL: ACS,
    ...change,
  };
  const text = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return `<samlp:AuthnRequest xmlns:samlp="${NS.protocol}" xmlns:saml="${NS.assertion}"${text.join('')}><saml:Issuer>${entityId}</saml:Issuer></samlp:AuthnRequest>`;
}

function redirectOf(xml: string, extra = ''): string {
  return `/sso/saml/sso?SAMLRequest=${encodeURIComponent(deflateRawSync(xml).toString('base64'))}${extra}`;
}

function signedRedirect(xml: string, algorithm = RSA_SHA256, digest = 'RSA-SHA256'): string {
  const query = `SAMLRequest=${encodeURIComponent(deflateRawSync(xml).toString('base64'))}&SigAlg=${encodeURIComponent(algorithm)}`;
  return `/sso/saml/sso?${query}&Signature=${encodeURIComponent(createSign(digest).update(query).sign(sp.privateKey, 'base64'))}`;
}

const postOf = (xml: string): Record<string, string> => ({ SAMLRequest: Buffer.from(xml).toString('base64') });

describe('a request is refused', () => {
  test.each<[string, Record<string, string> | ((xml: string) => string), RegExp]>([
    [
      'for an address that is not registered',
      { AssertionConsumerServiceURL: 'https://evil.example/acs' },
      /not registered/,
    ],
    [
      'for an address with a registered beginning',
      { AssertionConsumerServiceURL: `${ACS}.evil.example` },
      /not registered/,
    ],
    ['for another destination', { Destination: 'https://other.example/sso' }, /another destination/],
    ['that is old', { IssueInstant: '2020-01-01T00:00:00Z' }, /too old/],
    ['without a time', { IssueInstant: '' }, /too old/],
    [
      'for the artifact binding',
      { ProtocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact' },
      /POST binding/,
    ],
    ['of SAML 1.1', { Version: '1.1' }, /SAML 2.0/],
    ['without an id', { ID: '' }, /usable ID/],
    ['of an unknown app', (xml) => xml.replace(/tool\.example\/\d+/, 'unknown.example'), /No app/],
    ['with a document type', (xml) => `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xml}`, /document type/],
    ['with a comment in the Issuer', (xml) => xml.replace('tool.example', 'tool<!-- -->.example'), /comment/],
    ['with two Issuers', (xml) => xml.replace('<saml:Issuer>', '<saml:Issuer>x</saml:Issuer><saml:Issuer>'), /several/],
    ['that is no XML', () => 'AuthnRequest', /well-formed|empty/],
    ['that is a response', (xml) => xml.replaceAll('AuthnRequest', 'Response'), /no AuthnRequest/],
  ])('%s', async (_name, change, problem) => {
    const { entityId } = await addTool();
    const xml = typeof change === 'function' ? change(requestXml(entityId)) : requestXml(entityId, change);
    const response = await browser.get(redirectOf(xml));
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(problem);
  });

  test('the second time', async () => {
    const { entityId } = await addTool();
    const url = redirectOf(requestXml(entityId));
    expect((await browser.get(url)).status).toBe(303);
    expect((await browser.get(url)).status).toBe(400);
  });

  test('when a parameter comes twice', async () => {
    const { entityId } = await addTool();
    expect((await browser.get(redirectOf(requestXml(entityId), '&RelayState=a&RelayState=b'))).status).toBe(400);
  });

  test.each<[string, (xml: string, other: string) => string | Record<string, string>, number]>([
    ['no signature', (xml) => redirectOf(xml), 400],
    ['SHA-1', (xml) => signedRedirect(xml, 'http://www.w3.org/2000/09/xmldsig#rsa-sha1', 'RSA-SHA1'), 400],
    ['HMAC by name', (xml) => signedRedirect(xml, 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256'), 400],
    ['a changed RelayState', (xml) => `${signedRedirect(xml)}&RelayState=x`, 400],
    [
      'a signature of another message',
      (xml, other) => signedRedirect(other).replace(/SAMLRequest=[^&]+/, redirectOf(xml).split('?')[1] ?? ''),
      400,
    ],
    ['a good signature by redirect', (xml) => signedRedirect(xml), 303],
    ['no signature by POST', (xml) => postOf(xml), 400],
    ['a good signature by POST', (xml) => postOf(sign(xml)), 303],
    [
      'a changed address under a signature',
      (xml) => postOf(sign(xml).replace('Version="2.0"', 'Version="2.0" ForceAuthn="true"')),
      400,
    ],
    ['a wrapped request', (xml, other) => postOf(wrap(sign(xml), other)), 400],
    ['a signature over nothing of it', (xml) => postOf(sign(xml).replace(/URI="#[^"]+"/, 'URI=""')), 400],
    [
      'an XPath transform',
      (xml) =>
        postOf(
          sign(xml).replace(
            EXC_C14N + '"/></ds:Transforms>',
            'http://www.w3.org/TR/1999/REC-xpath-19991116"/></ds:Transforms>',
          ),
        ),
      400,
    ],
    ['a SHA-1 digest', (xml) => postOf(sign(xml).replace(SHA256, 'http://www.w3.org/2000/09/xmldsig#sha1')), 400],
  ])('of an app with a certificate: %s', async (_name, make, status) => {
    const { entityId } = await addTool({ certificates: [sp.certificate] });
    const sent = make(requestXml(entityId), requestXml(entityId));
    const response = typeof sent === 'string' ? await browser.get(sent) : await browser.post('/sso/saml/sso', sent);
    expect(response.status).toBe(status);
  });
});

function sign(xml: string): string {
  const id = /ID="([^"]+)"/.exec(xml)?.[1] ?? '';
  return signElement(xml, { name: 'AuthnRequest', id }, sp);
}

/** The signed request hidden inside another one that isn't (XML signature wrapping). */
function wrap(signed: string, other: string): string {
  const signature = /<ds:Signature[\s\S]*<\/ds:Signature>/.exec(signed)?.[0] ?? '';
  return other.replace(
    '</saml:Issuer>',
    `</saml:Issuer>${signature}<samlp:Extensions>${signed.replace(signature, '')}</samlp:Extensions>`,
  );
}

describe('who and how', () => {
  test('whoever may not use the app: the app is told so', async () => {
    const { entityId } = await addTool({}, { everyone: false });
    const form = await formOf((await browser.follow(redirectOf(requestXml(entityId)))).response);
    expect(xmlOf(form)).toContain('status:RequestDenied');
    expect(xmlOf(form)).not.toContain('Assertion>');
  });

  test('nobody is signed in: passive is answered, else the console asks', async () => {
    const { entityId } = await addTool();
    const nobody = await openSsoBrowser(stage, { as: 'nobody' });
    const passive = await formOf(
      (await nobody.follow(redirectOf(requestXml(entityId, { IsPassive: 'true' })))).response,
    );
    expect(xmlOf(passive)).toContain('status:NoPassive');
    expect((await nobody.follow(redirectOf(requestXml(entityId)))).location).toMatch(
      /^\/sign-in\?next=%2Fsso%2Fsaml%2Fcontinue/,
    );
    expect((await browser.follow(redirectOf(requestXml(entityId, { ForceAuthn: 'true' })))).location).toMatch(
      /^\/sign-in-again/,
    );
  });

  test('names: persistent ones differ between apps, and an unsigned logout is refused', async () => {
    const nameOf = async (): Promise<string> => {
      const { app } = await addTool({ nameId: 'persistent' });
      const form = await formOf((await browser.follow(`/sso/saml/start/${app.id}`)).response);
      return /<saml:NameID[^>]*>([^<]+)/.exec(xmlOf(form))?.[1] ?? '';
    };
    const [one, two] = [await nameOf(), await nameOf()];
    expect(one).toMatch(/^[\w-]{40,}$/);
    expect(one).not.toBe(two);
    const { entityId } = await addTool({ sloUrl: SLO });
    const logout = requestXml(entityId, { Destination: `${stage.url}/sso/saml/slo` }).replaceAll(
      'AuthnRequest',
      'LogoutRequest',
    );
    expect((await browser.get(redirectOf(logout).replace('/sso/saml/sso', '/sso/saml/slo'))).status).toBe(400);
  });

  test('certificates: two are published, and the next one signs after a rotation', async () => {
    const { keys } = stage.fake.identity.sso;
    const before = await keys.published();
    expect(before.map(({ status }) => status)).toEqual(['active', 'next']);
    await keys.rotate(OWNER);
    expect((await keys.signer()).id).toBe(before[1]?.id);
    const metadata = await (await browser.get('/sso/saml/metadata')).text();
    expect(metadata.match(/<ds:X509Certificate>/g)).toHaveLength(3);
    expect(parseXml(metadata).getAttribute('entityID')).toBe(`${stage.url}/sso/saml/metadata`);
  });
});
