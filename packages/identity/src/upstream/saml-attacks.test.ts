import { createHash, createHmac, createPublicKey, createSign } from 'node:crypto';
import { encrypt } from 'xml-encryption';
import { beforeAll, describe, expect, test } from 'vitest';
import { EXC_C14N, NS, signElement } from '../sso/saml-xml.ts';
import { UpstreamRefused } from '../errors.ts';
import { type Provider, samlProviderSettings, type SamlProviderSettings, UpstreamProviderId } from './provider.ts';
import { reasonOf } from './refusal.ts';
import { readResponse, type SamlAnswer, type SamlClientDeps } from './saml-client.ts';
import { assertionOf, createTestIdp, encoded, type ResponseInput, responseOf, type TestIdp } from './test-idp.ts';
import { makePair, type Pair } from './test-pair.ts';

/** An answer of a real provider, spoiled in every way that is known; each is refused for its own reason. */

const ADDRESSES = {
  entityId: 'https://cordon.example/sso/up/metadata/1',
  acsUrl: 'https://cordon.example/sso/up/acs/1',
  sloUrl: 'https://cordon.example/sso/up/slo/1',
};
const REQUEST = '_request1';
let idp: TestIdp;
let stranger: Pair;
let own: Pair;

beforeAll(async () => {
  [idp, stranger, own] = [await createTestIdp(), await makePair(), await makePair()];
});

function deps(extra: Partial<SamlProviderSettings> = {}): SamlClientDeps {
  const settings = samlProviderSettings.parse({
    protocol: 'saml',
    entityId: idp.entityId,
    ssoUrl: 'https://idp.corp.example/sso',
    certificates: [idp.pair.certificate],
    ...extra,
  });
  const provider: Provider<SamlProviderSettings> = {
    id: UpstreamProviderId.create(Date.now()),
    name: 'Corp',
    status: 'active',
    settings,
    sealedSecret: null,
    createdAt: 0,
    updatedAt: 0,
    configuredAt: 0,
    testedAt: 0,
  };
  return { provider, addresses: ADDRESSES, pair: { id: '1', ...own } };
}

const usual = (): ResponseInput => ({ acsUrl: ADDRESSES.acsUrl, audience: ADDRESSES.entityId, inResponseTo: REQUEST });
const good = (extra: Partial<ResponseInput> = {}): string => idp.respond({ ...usual(), ...extra });
const read = (xml: string, settings: Partial<SamlProviderSettings> = {}): Promise<SamlAnswer> =>
  readResponse(deps(settings), encoded(xml), { inResponseTo: REQUEST, now: Date.now() });

async function reason(
  xml: string,
  settings: Partial<SamlProviderSettings> = {},
): Promise<{ reason: string; detail: string } | string> {
  try {
    return `accepted: ${(await read(xml, settings)).person.subject}`;
  } catch (error) {
    if (!(error instanceof UpstreamRefused)) throw error;
    return reasonOf(error) ?? 'no reason';
  }
}

function part(xml: string, pattern: RegExp): string {
  const found = pattern.exec(xml)?.[0];
  if (found === undefined) throw new Error(`nothing matches ${pattern.source}`);
  return found;
}

const ASSERTION = /<saml:Assertion[\s\S]*<\/saml:Assertion>/;
const SIGNATURE = /<ds:Signature[\s\S]*?<\/ds:Signature>/;

/** The attacker's own assertion: same rules, another person, another id, no signature. */
const forged = (): string => assertionOf(idp, { ...usual(), nameId: 'admin', email: 'admin@corp.example' }, '_forged');
const inObject = (signature: string, content: string): string =>
  signature.replace('</ds:Signature>', `<ds:Object>${content}</ds:Object></ds:Signature>`);

/** The eight wrappings of "On Breaking SAML" (Somorovsky et al., 2012), by who holds whom. */
const wrappings: readonly [string, (sound: { response: string; assertion: string }) => string, string][] = [
  [
    'XSW1: the signed Response inside the signature of a forged one',
    ({ response }) => {
      const signature = part(response, SIGNATURE);
      const inner = response.replace(signature, '');
      return responseOf(idp, usual(), '_evil', inObject(signature, inner) + forged());
    },
    'saml.wrapped',
  ],
  [
    'XSW2: the signed Response beside a detached signature in a forged one',
    ({ response }) => {
      const signature = part(response, SIGNATURE);
      return responseOf(idp, usual(), '_evil', signature + response.replace(signature, '') + forged());
    },
    'saml.wrapped',
  ],
  [
    'XSW3: a forged assertion before the signed one',
    ({ assertion }) => responseOf(idp, usual(), '_r', forged() + assertion),
    'saml.several_assertions',
  ],
  [
    'XSW4: the signed assertion inside a forged one',
    ({ assertion }) =>
      responseOf(idp, usual(), '_r', forged().replace('</saml:Assertion>', `${assertion}</saml:Assertion>`)),
    'saml.wrapped',
  ],
  [
    'XSW5: the signature moved into a forged assertion, the signed one at the end',
    ({ assertion }) => {
      const signature = part(assertion, SIGNATURE);
      const evil = forged().replace('<saml:Subject>', `${signature}<saml:Subject>`);
      return responseOf(idp, usual(), '_r', evil + assertion.replace(signature, ''));
    },
    'saml.several_assertions',
  ],
  [
    'XSW6: the signed assertion inside the signature of a forged one',
    ({ assertion }) => {
      const signature = part(assertion, SIGNATURE);
      const evil = inObject(signature, assertion.replace(signature, ''));
      return responseOf(idp, usual(), '_r', forged().replace('<saml:Subject>', `${evil}<saml:Subject>`));
    },
    'saml.wrapped',
  ],
  [
    'XSW7: a forged assertion in Extensions, the signed one in its place',
    ({ assertion }) => responseOf(idp, usual(), '_r', `<samlp:Extensions>${forged()}</samlp:Extensions>${assertion}`),
    'saml.wrapped',
  ],
  [
    'XSW8: the signed assertion in an Object of a forged one’s signature',
    ({ assertion }) => {
      const signature = part(assertion, SIGNATURE);
      const object = `<ds:Object>${assertion.replace(signature, '')}</ds:Object>`;
      const evil = forged().replace(
        '<saml:Subject>',
        `${signature.replace('</ds:SignedInfo>', `</ds:SignedInfo>${object}`)}<saml:Subject>`,
      );
      return responseOf(idp, usual(), '_r', evil);
    },
    'saml.wrapped',
  ],
];

describe('an honest answer', () => {
  test.each([
    ['with a signed assertion', {}, {}],
    ['with a signed response', { sign: 'response' }, { wantSigned: 'response' }],
    ['with both signed', { sign: 'both' }, { wantSigned: 'both' }],
  ] as const)('is believed: %s', async (_name, how, settings) => {
    const { person } = await read(good(how), settings);
    expect(person).toMatchObject({
      subject: 'subject-1',
      email: 'bo@corp.example',
      name: 'Bo Diddley',
      sid: 'index-1',
    });
  });

  test('is believed when it is encrypted to our certificate', async () => {
    const xml = good();
    const sealed = await encryptTo(part(xml, ASSERTION), 'http://www.w3.org/2009/xmlenc11#aes256-gcm');
    const { person } = await read(xml.replace(ASSERTION, sealed));
    expect(person.email).toBe('bo@corp.example');
  });
});

function encryptTo(xml: string, encryptionAlgorithm: string): Promise<string> {
  const options = {
    rsa_pub: createPublicKey(own.certificate).export({ type: 'spki', format: 'pem' }),
    pem: own.certificate,
    encryptionAlgorithm,
    keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
    disallowEncryptionWithInsecureAlgorithm: false,
    warnInsecureAlgorithm: false,
  } as const;
  return new Promise((done, fail) => {
    encrypt(xml, options as never, (error, result) => {
      // the library's type doesn't know GCM's name
      if (error) fail(error);
      else done(`<saml:EncryptedAssertion xmlns:saml="${NS.assertion}">${result}</saml:EncryptedAssertion>`);
    });
  });
}

describe('signature wrapping', () => {
  test.each(wrappings)('%s', async (_name, wrap, expected) => {
    const response = good({ sign: 'response' });
    const assertion = part(good(), ASSERTION);
    for (const wantSigned of ['assertion', 'response'] as const) {
      expect(await reason(wrap({ response, assertion }), { wantSigned })).toMatchObject({ reason: expected });
    }
  });

  test('tells the eight apart', async () => {
    const details = await Promise.all(
      wrappings.map(async ([, wrap]) => {
        const found = await reason(wrap({ response: good({ sign: 'response' }), assertion: part(good(), ASSERTION) }));
        return typeof found === 'string' ? found : `${found.reason} ${found.detail}`;
      }),
    );
    expect(new Set(details).size).toBeGreaterThanOrEqual(5);
    expect(details.join()).not.toContain('accepted');
  });
});

/** Signs as a provider with weak or wrong algorithms would. */
function signedWith(change: (info: string) => string, make: (info: string) => string): string {
  const xml = good();
  const info = part(xml, /<ds:SignedInfo>[\s\S]*<\/ds:SignedInfo>/);
  const changed = change(info);
  const value = make(changed.replace('<ds:SignedInfo>', `<ds:SignedInfo xmlns:ds="${NS.signature}">`));
  return xml
    .replace(info, changed)
    .replace(/<ds:SignatureValue>[\s\S]*<\/ds:SignatureValue>/, `<ds:SignatureValue>${value}</ds:SignatureValue>`);
}

const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const method = (uri: string) => (info: string) => info.replace(RSA_SHA256, uri);

const attacks: readonly [string, () => string | Promise<string>, string, Partial<SamlProviderSettings>?][] = [
  [
    'SHA-1 in the signature',
    () =>
      signedWith(method('http://www.w3.org/2000/09/xmldsig#rsa-sha1'), (info) =>
        createSign('RSA-SHA1').update(info).sign(idp.pair.privateKey, 'base64'),
      ),
    'saml.algorithm',
  ],
  [
    'HMAC with the public certificate as its key (algorithm confusion)',
    () =>
      signedWith(method('http://www.w3.org/2000/09/xmldsig#hmac-sha1'), (info) =>
        createHmac('sha1', idp.pair.certificate).update(info).digest('base64'),
      ),
    'saml.algorithm',
  ],
  ['no algorithm at all', () => signedWith(method(''), () => ''), 'saml.algorithm'],
  [
    'SHA-1 as the digest',
    () =>
      signedWith(
        (info) => info.replace('http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2000/09/xmldsig#sha1'),
        () => '',
      ),
    'saml.algorithm',
  ],
  [
    'inclusive canonicalization with comments',
    () =>
      signedWith(
        (info) =>
          info.replace(
            `<ds:CanonicalizationMethod Algorithm="${EXC_C14N}"/>`,
            '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"/>',
          ),
        () => '',
      ),
    'saml.algorithm',
  ],
  [
    'an XSLT transform',
    () =>
      signedWith(
        (info) =>
          info.replace(
            '<ds:Transforms>',
            '<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
          ),
        () => '',
      ),
    'saml.algorithm',
  ],
  ['a signature of another key', () => good({ signWith: stranger }), 'saml.signature'],
  [
    'a certificate of the attacker in KeyInfo',
    () =>
      good({ signWith: stranger }).replaceAll(
        /<ds:X509Certificate>[\s\S]*?<\/ds:X509Certificate>/g,
        `<ds:X509Certificate>${stranger.certificate.replace(/-----[^-]+-----|\s/g, '')}</ds:X509Certificate>`,
      ),
    'saml.signature',
  ],
  ['no signature', () => good({ sign: 'none' }), 'saml.unsigned'],
  ['a signed response where the assertion must be', () => good({ sign: 'response' }), 'saml.unsigned'],
  ['a signed assertion where the response must be', () => good(), 'saml.unsigned', { wantSigned: 'response' }],
  ['a name changed after signing', () => good().replace('subject-1', 'admin'), 'saml.signature'],
  [
    'an attribute changed after signing',
    () => good().replace('bo@corp.example', 'admin@corp.example'),
    'saml.signature',
  ],
  ['a comment inside the name', () => good({ nameId: 'admin<!---->.evil' }), 'saml.form'],
  [
    'a comment put in after signing',
    () =>
      good({ nameId: 'admin@corp.example.evil' }).replace('admin@corp.example.evil', 'admin@corp.example<!---->.evil'),
    'saml.form',
  ],
  ['a processing instruction inside the name', () => good().replace('subject-1', 'subject-1<?x?>'), 'saml.form'],
  ['CDATA inside the name', () => good().replace('subject-1', '<![CDATA[admin]]>'), 'saml.form'],
  ['a document type', () => `<!DOCTYPE a>${good()}`, 'saml.form'],
  [
    'an entity that reads a file',
    () => `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>${good().replace('subject-1', '&e;')}`,
    'saml.form',
  ],
  [
    'entities that grow (billion laughs)',
    () => `<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${good()}`,
    'saml.form',
  ],
  [
    'an id that comes twice',
    () =>
      good()
        .replace('<saml:Subject>', '<saml:Subject ID="_response-twice">')
        .replace('<samlp:Status>', '<samlp:Status ID="_response-twice">'),
    'saml.form',
  ],
  [
    'nesting without end',
    () => good().replace('<samlp:Status>', `${'<x>'.repeat(200)}${'</x>'.repeat(200)}<samlp:Status>`),
    'saml.form',
  ],
  ['a message of another kind', () => good().replaceAll('samlp:Response', 'samlp:LogoutResponse'), 'saml.form'],
  ['no assertion', () => responseOf(idp, usual(), '_r', ''), 'saml.form'],
  [
    'two signed assertions',
    () => responseOf(idp, usual(), '_r', part(good(), ASSERTION) + part(good({ nameId: 'admin' }), ASSERTION)),
    'saml.several_assertions',
  ],
  [
    'an assertion beside an encrypted one',
    async () => {
      const xml = good();
      return xml.replace(
        '</samlp:Response>',
        `${await encryptTo(part(good({ nameId: 'admin' }), ASSERTION), 'http://www.w3.org/2009/xmlenc11#aes256-gcm')}</samlp:Response>`,
      );
    },
    'saml.several_assertions',
  ],
  [
    'an encrypted assertion in CBC without a signature around it',
    async () =>
      good().replace(
        ASSERTION,
        await encryptTo(part(good(), ASSERTION), 'http://www.w3.org/2001/04/xmlenc#aes256-cbc'),
      ),
    'saml.algorithm',
  ],
  [
    'an unsigned assertion that is encrypted',
    async () => good().replace(ASSERTION, await encryptTo(forged(), 'http://www.w3.org/2009/xmlenc11#aes256-gcm')),
    'saml.signature',
  ],
  [
    'a signature over a part of the assertion',
    () => good().replace(/URI="#_assertion\d+"/, 'URI="#_other"'),
    'saml.wrapped',
  ],
  ['a signature over the whole document', () => good().replace(/URI="#_assertion\d+"/, 'URI=""'), 'saml.wrapped'],
  [
    'two references in one signature',
    () =>
      signedWith(
        (info) =>
          info.replace('</ds:SignedInfo>', `${part(info, /<ds:Reference[\s\S]*<\/ds:Reference>/)}</ds:SignedInfo>`),
        () => '',
      ),
    'saml.wrapped',
  ],
  [
    'another provider’s Issuer in the Response',
    () => good().replace(idp.entityId, 'https://other.example'),
    'saml.issuer',
  ],
  [
    'another Issuer, signed',
    () => responseOf(idp, usual(), '_r', part(good({ issuer: 'https://other.example' }), ASSERTION)),
    'saml.issuer',
  ],
  ['another Destination', () => good({ destination: 'https://other.example/acs' }), 'saml.destination'],
  ['no Destination', () => good().replace(/ Destination="[^"]*"/, ''), 'saml.destination'],
  ['another Recipient', () => good({ recipient: 'https://other.example/acs' }), 'saml.recipient'],
  ['another Audience', () => good({ audience: 'https://other.example' }), 'saml.audience'],
  [
    'no audience at all',
    () => good({ change: (xml) => xml.replace(/<saml:AudienceRestriction>[\s\S]*<\/saml:AudienceRestriction>/, '') }),
    'saml.audience',
  ],
  [
    'a second audience restriction that isn’t met',
    () =>
      good({
        change: (xml) =>
          xml.replace(
            '</saml:Conditions>',
            '<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
          ),
      }),
    'saml.audience',
  ],
  ['an answer to another request', () => good({ inResponseTo: '_other' }), 'saml.in_response_to'],
  ['a confirmation for another request', () => good({ subjectReply: '_other' }), 'saml.in_response_to'],
  ['a confirmation that names no request', () => good({ subjectReply: null }), 'saml.in_response_to'],
  ['an answer that nobody asked for', () => good({ inResponseTo: null }), 'saml.in_response_to'],
  ['an assertion that is over', () => good({ now: Date.now() - 9 * 60_000 }), 'saml.time'],
  ['an assertion of the future', () => good({ now: Date.now() + 9 * 60_000 }), 'saml.time'],
  ['a response of yesterday', () => good({ now: Date.now() - 86_400_000 }), 'saml.time'],
  [
    'a transient name',
    () => good({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }),
    'saml.name',
  ],
  [
    'a status that isn’t success',
    () => good({ status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }),
    'saml.status',
  ],
  [
    'no bearer confirmation',
    () => good({ change: (xml) => xml.replace('cm:bearer', 'cm:sender-vouches') }),
    'saml.recipient',
  ],
];

test.each(attacks)('is refused: %s', async (_name, make, expected, settings = {}) => {
  expect(await reason(await make(), settings)).toMatchObject({ reason: expected });
});

test('reads nothing but Base64', async () => {
  const sent = readResponse(deps(), '%3Csamlp', { inResponseTo: REQUEST, now: Date.now() });
  await expect(sent).rejects.toMatchObject({ detail: { reason: 'saml.form' } });
});

test('takes a name that an attribute gives, when set up so', async () => {
  const { person } = await read(good({ nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }), {
    subjectFrom: 'mail',
  });
  expect(person.subject).toBe('bo@corp.example');
});

test('signs the element that it says it signs', () => {
  // Guards the battery itself: a helper that signed nothing would make every refusal above worthless.
  const xml = signElement(forged(), { name: 'Assertion', id: '_forged' }, idp.pair);
  const digest = part(xml, /<ds:DigestValue>[^<]+/).slice('<ds:DigestValue>'.length);
  expect(Buffer.from(digest, 'base64')).toHaveLength(createHash('sha256').digest().length);
});
