import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { encrypt } from 'xml-encryption';
import {
  NAME_ID_FORMATS,
  type SamlSettings,
  splitName,
  type SsoApp,
  type Strength,
  type Subscriber,
} from './sso-app.ts';
import type { SamlPair } from './saml-keys.ts';
import type { NameId } from './sso-login-store.ts';
import { escapeXml, NS, refuse, signElement, XML_CHARS_MAX } from './saml-xml.ts';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** An assertion is good for this long from when it was made; clocks may differ by the skew. */
export const ASSERTION_MS = 5 * 60_000;
const SKEW_MS = 60_000;
const BASIC = 'urn:oasis:names:tc:SAML:2.0:attrname-format:';

const CONTEXT_CLASS: Readonly<Record<Strength, string>> = {
  passkey: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PublicKeyX509',
  mfa: 'https://refeds.org/profile/mfa',
  any: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
};

/** What a requested context class asks for; unknown ones can't be promised. */
export function strengthOfContext(value: string): Strength | undefined {
  const known: Readonly<Record<string, Strength>> = {
    'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified': 'any',
    'urn:oasis:names:tc:SAML:2.0:ac:classes:Password': 'any',
    'urn:oasis:names:tc:SAML:2.0:ac:classes:X509': 'passkey',
    ...Object.fromEntries(Object.entries(CONTEXT_CLASS).map(([strength, name]) => [name, strength as Strength])), // its keys
  };
  return known[value];
}

export async function decodeRedirect(value: string): Promise<string> {
  try {
    const bytes = await inflate(Buffer.from(value, 'base64'), { maxOutputLength: XML_CHARS_MAX });
    return bytes.toString('utf8');
  } catch {
    return refuse('The message is not deflated and encoded as the redirect binding wants.');
  }
}

export async function encodeRedirect(xml: string): Promise<string> {
  return (await deflate(Buffer.from(xml, 'utf8'))).toString('base64');
}

export function isoOf(at: number): string {
  return new Date(at).toISOString();
}

/** The name by which an app knows a person. Persistent ids differ from app to app, so that two can't compare them. */
export function nameIdOf(app: SsoApp<SamlSettings>, { person }: Subscriber, random: (bytes: number) => Buffer): NameId {
  const format = NAME_ID_FORMATS[app.settings.nameId];
  switch (app.settings.nameId) {
    case 'email':
      return { value: person.email, format };
    case 'persistent':
      return { value: createHmac('sha256', app.id).update(person.id).digest('base64url'), format };
    case 'transient':
      return { value: `_${random(16).toString('hex')}`, format };
    default:
      return { value: person.login, format };
  }
}

function attributeValues(
  source: SamlSettings['attributes'][number],
  { person, groups }: Subscriber,
): readonly string[] {
  const { first, last } = splitName(person.name);
  switch (source.source) {
    case 'groups':
      return groups.map(({ name }) => name);
    case 'roles':
      return person.roles;
    case 'firstName':
      return [first];
    case 'lastName':
      return [last];
    case 'constant':
      return [(source.value ?? '').replaceAll('{}', person.login)];
    default:
      return [person[source.source]];
  }
}

function attributeStatement(app: SsoApp<SamlSettings>, subscriber: Subscriber): string {
  const attributes = app.settings.attributes.map((attribute) => {
    const values = attributeValues(attribute, subscriber)
      .map((value) => `<saml:AttributeValue>${escapeXml(value)}</saml:AttributeValue>`)
      .join('');
    return `<saml:Attribute Name="${escapeXml(attribute.name)}" NameFormat="${BASIC}${attribute.format}">${values}</saml:Attribute>`;
  });
  return attributes.length === 0 ? '' : `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>`;
}

export interface ResponseInput {
  readonly app: SsoApp<SamlSettings>;
  readonly subscriber: Subscriber;
  readonly issuer: string;
  readonly acsUrl: string;
  readonly inResponseTo: string | null;
  readonly sessionIndex: string;
  readonly nameId: NameId;
  readonly authAt: number;
  readonly sessionEndsAt: number;
  readonly strength: Strength;
  readonly now: number;
  readonly newId: () => string;
}

function assertionXml(input: ResponseInput, id: string): string {
  const { app, acsUrl, nameId, now } = input;
  const until = isoOf(now + ASSERTION_MS);
  const reply = input.inResponseTo === null ? '' : ` InResponseTo="${escapeXml(input.inResponseTo)}"`;
  return [
    `<saml:Assertion xmlns:saml="${NS.assertion}" ID="${id}" Version="2.0" IssueInstant="${isoOf(now)}">`,
    `<saml:Issuer>${escapeXml(input.issuer)}</saml:Issuer>`,
    `<saml:Subject><saml:NameID Format="${nameId.format}">${escapeXml(nameId.value)}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">`,
    `<saml:SubjectConfirmationData NotOnOrAfter="${until}" Recipient="${escapeXml(acsUrl)}"${reply}/>`,
    `</saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions NotBefore="${isoOf(now - SKEW_MS)}" NotOnOrAfter="${until}">`,
    `<saml:AudienceRestriction><saml:Audience>${escapeXml(app.settings.entityId)}</saml:Audience></saml:AudienceRestriction>`,
    `</saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="${isoOf(input.authAt)}" SessionIndex="${input.sessionIndex}" SessionNotOnOrAfter="${isoOf(input.sessionEndsAt)}">`,
    `<saml:AuthnContext><saml:AuthnContextClassRef>${CONTEXT_CLASS[input.strength]}</saml:AuthnContextClassRef></saml:AuthnContext>`,
    `</saml:AuthnStatement>`,
    attributeStatement(app, input.subscriber),
    `</saml:Assertion>`,
  ].join('');
}

function encryptTo(certificate: string, xml: string): Promise<string> {
  const options = {
    rsa_pub: certificate,
    pem: certificate,
    encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
    disallowEncryptionWithInsecureAlgorithm: true,
  } as const;
  return new Promise((done, fail) => {
    encrypt(xml, options, (error, result) => {
      if (error) fail(error);
      else done(`<saml:EncryptedAssertion xmlns:saml="${NS.assertion}">${result}</saml:EncryptedAssertion>`);
    });
  });
}

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

function envelopeXml(
  name: string,
  input: { id: string; issuer: string; destination: string; inResponseTo: string | null; now: number; status: string },
  body: string,
): string {
  const reply = input.inResponseTo === null ? '' : ` InResponseTo="${escapeXml(input.inResponseTo)}"`;
  // A second-level status stands inside one of the first level (SAML Core, section 3.2.2.2).
  const status =
    input.status === SUCCESS
      ? `<samlp:StatusCode Value="${SUCCESS}"/>`
      : `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="${input.status}"/></samlp:StatusCode>`;
  return [
    `<samlp:${name} xmlns:samlp="${NS.protocol}" xmlns:saml="${NS.assertion}" ID="${input.id}" Version="2.0"`,
    ` IssueInstant="${isoOf(input.now)}" Destination="${escapeXml(input.destination)}"${reply}>`,
    `<saml:Issuer>${escapeXml(input.issuer)}</saml:Issuer><samlp:Status>${status}</samlp:Status>${body}</samlp:${name}>`,
  ].join('');
}

/** A signed Response with one assertion (SAML Profiles, section 4.1.4). */
export async function makeResponse(input: ResponseInput, pair: SamlPair): Promise<string> {
  const { app } = input;
  const [id, assertionId] = [input.newId(), input.newId()];
  const { sign, encrypt: encrypts, certificates } = app.settings;
  let assertion = assertionXml(input, assertionId);
  if (sign !== 'response') assertion = signElement(assertion, { name: 'Assertion', id: assertionId }, pair);
  if (encrypts) assertion = await encryptTo(certificates[0] ?? '', assertion);
  const facts = {
    id,
    issuer: input.issuer,
    destination: input.acsUrl,
    inResponseTo: input.inResponseTo,
    now: input.now,
  };
  const response = envelopeXml('Response', { ...facts, status: SUCCESS }, assertion);
  return sign === 'assertion' ? response : signElement(response, { name: 'Response', id }, pair);
}

/** A signed Response that says no, so that the app can tell its user. */
export function makeRefusal(
  input: Pick<ResponseInput, 'issuer' | 'acsUrl' | 'inResponseTo' | 'now' | 'newId'> & { readonly status: string },
  pair: SamlPair,
): string {
  const id = input.newId();
  const { issuer, acsUrl: destination, inResponseTo, now } = input;
  const status = `urn:oasis:names:tc:SAML:2.0:status:${input.status}`;
  const xml = envelopeXml('Response', { id, issuer, destination, inResponseTo, now, status }, '');
  return signElement(xml, { name: 'Response', id }, pair);
}

export function logoutResponseXml(input: {
  readonly id: string;
  readonly issuer: string;
  readonly destination: string;
  readonly inResponseTo: string;
  readonly now: number;
}): string {
  return envelopeXml('LogoutResponse', { ...input, status: SUCCESS }, '');
}

export function logoutRequestXml(input: {
  readonly id: string;
  readonly issuer: string;
  readonly destination: string;
  readonly nameId: NameId;
  readonly sessionIndex: string;
  readonly now: number;
}): string {
  return [
    `<samlp:LogoutRequest xmlns:samlp="${NS.protocol}" xmlns:saml="${NS.assertion}" ID="${input.id}" Version="2.0"`,
    ` IssueInstant="${isoOf(input.now)}" Destination="${escapeXml(input.destination)}" NotOnOrAfter="${isoOf(input.now + ASSERTION_MS)}">`,
    `<saml:Issuer>${escapeXml(input.issuer)}</saml:Issuer>`,
    `<saml:NameID Format="${input.nameId.format}">${escapeXml(input.nameId.value)}</saml:NameID>`,
    `<samlp:SessionIndex>${escapeXml(input.sessionIndex)}</samlp:SessionIndex></samlp:LogoutRequest>`,
  ].join('');
}

export function soapOf(xml: string): string {
  return `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>${xml}</soap:Body></soap:Envelope>`;
}

export function metadataXml(entityId: string, base: string, certificates: readonly string[]): string {
  const keys = certificates.map((pem) => {
    const der = pem.replace(/-----[^-]+-----|\s/g, '');
    return `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${NS.signature}"><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
  });
  const at = (name: string, path: string): string =>
    ['HTTP-Redirect', 'HTTP-POST']
      .map(
        (binding) =>
          `<md:${name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${base}${path}"/>`,
      )
      .join('');
  return [
    `<?xml version="1.0" encoding="UTF-8"?><md:EntityDescriptor xmlns:md="${NS.metadata}" entityID="${escapeXml(entityId)}">`,
    `<md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="${NS.protocol}">`,
    keys.join(''),
    at('SingleLogoutService', '/slo'),
    Object.values(NAME_ID_FORMATS)
      .map((format) => `<md:NameIDFormat>${format}</md:NameIDFormat>`)
      .join(''),
    at('SingleSignOnService', '/sso'),
    `</md:IDPSSODescriptor></md:EntityDescriptor>`,
  ].join('');
}
