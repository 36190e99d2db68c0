import { randomBytes } from 'node:crypto';
import { type CacheProvider, SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { IdentityError, SsoMessageInvalid } from '../errors.ts';
import type { SamlPair } from '../sso/saml-keys.ts';
import {
  children,
  isElement,
  NS,
  onlyChild,
  parseXml,
  textOf,
  verifyEnveloped,
  XML_CHARS_MAX,
} from '../sso/saml-xml.ts';
import type { XmlElement } from '../sso/xml-libraries.ts';
import type { Provider, SamlProviderSettings } from './provider.ts';
import { type UpstreamReason, refuseUpstream } from './refusal.ts';
import { readAssertion, type ReadAssertion, SKEW_MS } from './saml-assertion.ts';
import { placeParts, type ResponseParts } from './saml-place.ts';
import { firstText, type UpstreamPerson } from './upstream-person.ts';

const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const AGE_MS_MAX = 10 * 60_000;

/** Names under which providers release these facts, most usual first. */
const USUAL = {
  email: [
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
    'urn:oid:0.9.2342.19200300.100.1.3',
    'email',
    'mail',
    'Email',
    'emailAddress',
  ],
  name: [
    'http://schemas.microsoft.com/identity/claims/displayname',
    'urn:oid:2.16.840.1.113730.3.1.241',
    'displayName',
    'name',
    'cn',
    'urn:oid:2.5.4.3',
    'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  ],
  groups: [
    'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups',
    'http://schemas.xmlsoap.org/claims/Group',
    'groups',
    'memberOf',
    'eduPersonAffiliation',
    'urn:oid:1.3.6.1.4.1.5923.1.5.1.1',
  ],
} as const;

/** The library's own memory of requests isn't used: what was asked for lives in the database, for all processes. */
const NO_MEMORY: CacheProvider = {
  saveAsync: async () => null,
  getAsync: async () => null,
  removeAsync: async () => null,
};

export interface SamlAddresses {
  readonly entityId: string;
  readonly acsUrl: string;
  readonly sloUrl: string;
}

export interface SamlClientDeps {
  readonly provider: Provider<SamlProviderSettings>;
  readonly addresses: SamlAddresses;
  readonly pair: SamlPair;
}

export function newMessageId(): string {
  return `_${randomBytes(20).toString('hex')}`;
}

function libraryOf(
  { provider, addresses, pair }: SamlClientDeps,
  extra: { readonly id?: string; readonly fresh?: boolean } = {},
): SAML {
  const { settings } = provider;
  return new SAML({
    issuer: addresses.entityId,
    audience: addresses.entityId,
    callbackUrl: addresses.acsUrl,
    logoutCallbackUrl: addresses.sloUrl,
    entryPoint: settings.ssoUrl,
    logoutUrl: settings.sloUrl ?? settings.ssoUrl,
    idpCert: [...settings.certificates],
    idpIssuer: settings.entityId,
    wantAssertionsSigned: settings.wantSigned !== 'response',
    wantAuthnResponseSigned: settings.wantSigned !== 'assertion',
    acceptedClockSkewMs: SKEW_MS,
    validateInResponseTo: ValidateInResponseTo.never,
    cacheProvider: NO_MEMORY,
    disableRequestedAuthnContext: true,
    identifierFormat: null,
    decryptionPvk: pair.privateKey,
    forceAuthn: extra.fresh ?? false,
    ...(settings.signRequests ? { privateKey: pair.privateKey, signatureAlgorithm: 'sha256' as const } : {}),
    ...(extra.id === undefined ? {} : { generateUniqueId: () => extra.id ?? '' }),
  });
}

/** Where the browser goes with a request of this id (HTTP-Redirect binding, signed unless switched off). */
export function signOnUrl(
  deps: SamlClientDeps,
  request: { readonly id: string; readonly relayState: string; readonly fresh: boolean },
): Promise<string> {
  return libraryOf(deps, request).getAuthorizeUrlAsync(request.relayState, undefined, {});
}

/** Where a sign-out goes on: a signed LogoutRequest. */
export function logoutUrl(
  deps: SamlClientDeps,
  session: {
    readonly nameId: { readonly value: string; readonly format: string };
    readonly sessionIndex: string | null;
    readonly relayState: string;
  },
): Promise<string> {
  const { nameId, sessionIndex } = session;
  const profile = {
    issuer: deps.provider.settings.entityId,
    nameID: nameId.value,
    nameIDFormat: nameId.format,
    ...(sessionIndex === null ? {} : { sessionIndex }),
  };
  return libraryOf(deps).getLogoutUrlAsync(profile, session.relayState, {});
}

export interface SamlAnswer {
  readonly person: UpstreamPerson;
  readonly assertionId: string;
  readonly validUntil: number;
}

/** What an answer claims to be for, before anything of it is believed: only to find what it must be checked against. */
export function peekInResponseTo(message: string): string | null {
  const root = parse(decode(message));
  return root.getAttribute('InResponseTo') || null;
}

function decode(message: string): string {
  if (message.length > XML_CHARS_MAX * 2 || !/^[A-Za-z0-9+/=\s]+$/.test(message)) {
    return refuseUpstream('saml.form', 'The message is not Base64 or too large.');
  }
  return Buffer.from(message, 'base64').toString('utf8');
}

function explained<T>(reason: UpstreamReason, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SsoMessageInvalid) return refuseUpstream(reason, error.message, error);
    throw error;
  }
}

function parse(text: string): XmlElement {
  const root = explained('saml.form', () => parseXml(text));
  if (!isElement(root, NS.protocol, 'Response')) return refuseUpstream('saml.form', 'The message is no Response.');
  return root;
}

/**
 * Checks an answer of the provider. Strict rules of our own come first; then two readers that share no code above the
 * XML library must agree on who it is about: this file's, and node-saml.
 */
export async function readResponse(
  deps: SamlClientDeps,
  message: string,
  expected: { readonly inResponseTo: string | null; readonly now: number },
): Promise<SamlAnswer> {
  const { settings } = deps.provider;
  const text = decode(message);
  const root = parse(text);
  checkOuter(root, deps, expected);
  const parts = explained('saml.wrapped', () => placeParts(root));
  if (!parts.assertion && !parts.encrypted) return refuseUpstream('saml.form', 'There is no assertion.');
  checkSigned(parts, settings);
  const own = verified(text, root, parts, settings);
  const profile = await readByLibrary(deps, message);
  const assertion = own ?? explained('saml.form', () => parseXml(profile.xml));
  const read = explained('saml.form', () =>
    readAssertion(assertion, {
      entityId: settings.entityId,
      audience: deps.addresses.entityId,
      recipient: deps.addresses.acsUrl,
      inResponseTo: expected.inResponseTo,
      now: expected.now,
    }),
  );
  if ((read.nameId?.value ?? '') !== profile.nameId)
    return refuseUpstream('saml.wrapped', 'Two readers see different names.');
  return { person: personOf(read, settings), assertionId: read.id, validUntil: read.validUntil };
}

function checkOuter(
  root: XmlElement,
  { provider, addresses }: SamlClientDeps,
  expected: { readonly inResponseTo: string | null; readonly now: number },
): void {
  if (root.getAttribute('Version') !== '2.0') refuseUpstream('saml.form', 'The message is not of SAML 2.0.');
  const issuer = explained('saml.form', () => textOf(onlyChild(root, NS.assertion, 'Issuer')));
  if (issuer !== '' && issuer !== provider.settings.entityId)
    refuseUpstream('saml.issuer', `The Response’s Issuer is ${issuer}.`);
  const destination = root.getAttribute('Destination');
  if (destination !== addresses.acsUrl)
    refuseUpstream('saml.destination', `Destination is ${destination || 'missing'}.`);
  if ((root.getAttribute('InResponseTo') || null) !== expected.inResponseTo) {
    refuseUpstream('saml.in_response_to', 'The Response answers another request.');
  }
  const issued = Date.parse(root.getAttribute('IssueInstant') ?? '');
  if (!(Math.abs(expected.now - issued) <= AGE_MS_MAX))
    refuseUpstream('saml.time', 'The Response is too old or dated ahead.');
  checkStatus(root);
}

function checkStatus(root: XmlElement): void {
  const status = explained('saml.form', () => onlyChild(root, NS.protocol, 'Status'));
  const code = status && children(status, NS.protocol, 'StatusCode')[0];
  const value = code?.getAttribute('Value') ?? '';
  if (value === 'urn:oasis:names:tc:SAML:2.0:status:Success') return;
  const second = code && children(code, NS.protocol, 'StatusCode')[0]?.getAttribute('Value');
  const text = status && children(status, NS.protocol, 'StatusMessage')[0]?.textContent;
  const last = (urn: string): string => urn.split(':').at(-1) ?? '';
  refuseUpstream('saml.status', [last(value), second ? last(second) : '', text ?? ''].filter(Boolean).join(': '));
}

function checkSigned(parts: ResponseParts, { wantSigned }: SamlProviderSettings): void {
  if (wantSigned !== 'assertion' && !parts.responseSigned)
    refuseUpstream('saml.unsigned', 'The Response is not signed.');
  // Inside an encrypted assertion the library looks, after it has opened it.
  if (wantSigned !== 'response' && parts.assertion && !parts.assertionSigned) {
    refuseUpstream('saml.unsigned', 'The assertion is not signed.');
  }
}

/** The assertion, parsed anew from the bytes that a signature covers; null for an encrypted one. */
function verified(
  text: string,
  root: XmlElement,
  parts: ResponseParts,
  settings: SamlProviderSettings,
): XmlElement | null {
  return explained('saml.signature', () => {
    const around = parts.responseSigned ? verifyEnveloped(text, root, settings.certificates) : null;
    if (!parts.assertion) return null;
    if (parts.assertionSigned) return verifyEnveloped(text, parts.assertion, settings.certificates);
    return (
      (around && onlyChild(around, NS.assertion, 'Assertion')) ??
      refuseUpstream('saml.unsigned', 'No signature covers the assertion.')
    );
  });
}

const LIBRARY_REASONS: readonly (readonly [RegExp, UpstreamReason])[] = [
  [/audience/i, 'saml.audience'],
  [/expired|not yet valid|skewed/i, 'saml.time'],
  [/issuer/i, 'saml.issuer'],
  [/multiple assertions/i, 'saml.several_assertions'],
  [/signature/i, 'saml.signature'],
  [/subject confirmation/i, 'saml.recipient'],
];

async function readByLibrary(deps: SamlClientDeps, message: string): Promise<{ nameId: string; xml: string }> {
  try {
    const { profile } = await libraryOf(deps).validatePostResponseAsync({ SAMLResponse: message });
    if (!profile) return refuseUpstream('saml.form', 'There is no assertion.');
    return { nameId: profile.nameID ?? '', xml: profile.getAssertionXml?.() ?? '' };
  } catch (error) {
    if (!(error instanceof Error) || error instanceof IdentityError) throw error;
    const found = LIBRARY_REASONS.find(([pattern]) => pattern.test(error.message));
    return refuseUpstream(found?.[1] ?? 'saml.form', error.message, error);
  }
}

function personOf(read: ReadAssertion, settings: SamlProviderSettings): UpstreamPerson {
  const find = (name: string): readonly string[] => read.attributes.get(name) ?? [];
  const orElse = (names: readonly string[], usual: readonly string[]): readonly string[] =>
    names.length > 0 ? names : usual;
  const { nameId } = read;
  const lasting = nameId && nameId.value !== '' && nameId.format !== TRANSIENT ? nameId.value : null;
  const subject = settings.subjectFrom === null ? lasting : firstText([settings.subjectFrom], find);
  const byName = nameId?.format === EMAIL_FORMAT ? nameId.value : null;
  return {
    subject:
      subject ?? refuseUpstream('saml.name', nameId ? `The name’s format is ${nameId.format || 'missing'}.` : ''),
    email: firstText(orElse(settings.emailFrom, USUAL.email), find) ?? byName,
    // SAML has no word for it; it counts only within domains that are verified for this very provider.
    emailVerified: true,
    name: firstText(orElse(settings.nameFrom, USUAL.name), find),
    groups: [...new Set(orElse(settings.groupsFrom, USUAL.groups).flatMap((name) => find(name)))],
    methods: read.contextClasses,
    authAt: read.authAt,
    sid: read.sessionIndex,
    nameId,
    idToken: null,
    sessionEndsAt: read.sessionEndsAt,
  };
}
