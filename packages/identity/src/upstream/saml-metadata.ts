import { X509Certificate } from 'node:crypto';
import { InputInvalid, SsoMessageInvalid } from '../errors.ts';
import { children, escapeXml, isElement, NS, parseXml, textOf } from '../sso/saml-xml.ts';
import type { XmlElement } from '../sso/xml-libraries.ts';
import type { SamlAddresses } from './saml-client.ts';

const ENTITIES_MAX = 50;
const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:';

/** What a provider's metadata says of it. */
export interface ImportedMetadata {
  readonly entityId: string;
  readonly ssoUrl: string;
  readonly sloUrl: string | null;
  readonly certificates: readonly string[];
  readonly wantsSignedRequests: boolean;
}

function fail(text: string): never {
  throw new InputInvalid(text);
}

function pemOf(base64: string): string | null {
  try {
    return new X509Certificate(Buffer.from(base64.replace(/\s/g, ''), 'base64')).toString();
  } catch {
    return null;
  }
}

function locationOf(role: XmlElement, service: string): string | null {
  const all = children(role, NS.metadata, service);
  const at = (binding: string): string | null =>
    all.find((one) => one.getAttribute('Binding') === BINDING + binding)?.getAttribute('Location') || null;
  return at('HTTP-Redirect');
}

/** Reads the metadata of an identity provider, also within a list of entities (SAML Metadata, section 2.3). */
export function readProviderMetadata(text: string, entityId?: string): ImportedMetadata {
  let root: XmlElement;
  try {
    // Comments are common in metadata and mean nothing here: the document is not signed text that somebody relies on.
    root = parseXml(text.replace(/<!--[\s\S]*?-->/g, ''));
  } catch (error) {
    if (error instanceof SsoMessageInvalid) return fail(`The metadata can’t be read: ${error.message}`);
    throw error;
  }
  const entities = isElement(root, NS.metadata, 'EntitiesDescriptor')
    ? children(root, NS.metadata, 'EntityDescriptor').slice(0, ENTITIES_MAX)
    : [root];
  const providers = entities.filter(
    (one) =>
      isElement(one, NS.metadata, 'EntityDescriptor') && children(one, NS.metadata, 'IDPSSODescriptor').length > 0,
  );
  const found =
    entityId === undefined ? providers : providers.filter((one) => one.getAttribute('entityID') === entityId);
  const [entity] = found;
  if (!entity) return fail('The metadata describes no identity provider.');
  if (found.length > 1) return fail('The metadata describes several identity providers; give the entity id of one.');
  const role =
    children(entity, NS.metadata, 'IDPSSODescriptor')[0] ?? fail('The metadata describes no identity provider.');
  const certificates = children(role, NS.metadata, 'KeyDescriptor')
    .filter((key) => key.getAttribute('use') !== 'encryption')
    .flatMap((key) => certificateTexts(key))
    .flatMap((base64) => pemOf(base64) ?? []);
  if (certificates.length === 0) return fail('The metadata holds no certificate for signatures.');
  return {
    entityId: entity.getAttribute('entityID') || fail('The metadata has no entity id.'),
    ssoUrl: locationOf(role, 'SingleSignOnService') ?? fail('The provider offers no sign-on by HTTP-Redirect.'),
    sloUrl: locationOf(role, 'SingleLogoutService'),
    certificates: [...new Set(certificates)].slice(0, 4),
    wantsSignedRequests: ['true', '1'].includes(role.getAttribute('WantAuthnRequestsSigned') ?? ''),
  };
}

function certificateTexts(key: XmlElement): string[] {
  const [info] = children(key, NS.signature, 'KeyInfo');
  const data = info ? children(info, NS.signature, 'X509Data') : [];
  return data.flatMap((one) =>
    children(one, NS.signature, 'X509Certificate').map((certificate) => textOf(certificate)),
  );
}

/** What the provider is told of Cordon. */
export function serviceProviderMetadata(
  addresses: SamlAddresses,
  certificates: readonly string[],
  signsRequests: boolean,
): string {
  const keys = certificates.map((pem, index) => {
    const der = pem.replace(/-----[^-]+-----|\s/g, '');
    // Only the first one's key opens what is encrypted.
    const use = index === 0 ? '' : ' use="signing"';
    return `<md:KeyDescriptor${use}><ds:KeyInfo xmlns:ds="${NS.signature}"><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
  });
  const { entityId, acsUrl, sloUrl } = addresses;
  return [
    `<?xml version="1.0" encoding="UTF-8"?><md:EntityDescriptor xmlns:md="${NS.metadata}" entityID="${escapeXml(entityId)}">`,
    `<md:SPSSODescriptor AuthnRequestsSigned="${signsRequests}" WantAssertionsSigned="true" protocolSupportEnumeration="${NS.protocol}">`,
    keys.join(''),
    `<md:SingleLogoutService Binding="${BINDING}HTTP-Redirect" Location="${escapeXml(sloUrl)}"/>`,
    `<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>`,
    `<md:AssertionConsumerService Binding="${BINDING}HTTP-POST" Location="${escapeXml(acsUrl)}" index="0" isDefault="true"/>`,
    `</md:SPSSODescriptor></md:EntityDescriptor>`,
  ].join('');
}
