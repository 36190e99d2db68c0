import { createVerify, X509Certificate } from 'node:crypto';
import { SsoMessageInvalid } from '../errors.ts';
import { DOMParser, SignedXml, type XmlElement } from './xml-libraries.ts';

export const NS = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;
export const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
export const EXC_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
/** RSA with SHA-2 alone: no SHA-1, no HMAC (which would make a public certificate a shared secret). */
export const SIGNATURE_ALGORITHMS: Readonly<Record<string, string>> = {
  [RSA_SHA256]: 'RSA-SHA256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384': 'RSA-SHA384',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512': 'RSA-SHA512',
};
export const DIGEST_ALGORITHMS: ReadonlySet<string> = new Set([SHA256, 'http://www.w3.org/2001/04/xmlenc#sha512']);
export const TRANSFORMS: ReadonlySet<string> = new Set([ENVELOPED, EXC_C14N]);

export const XML_CHARS_MAX = 256 * 1024;
const DEPTH_MAX = 64;
const ELEMENTS_MAX = 5_000;

export function refuse(text: string): never {
  throw new SsoMessageInvalid(text);
}

export function escapeXml(text: string): string {
  // Characters that XML 1.0 can't hold would make the whole document unreadable.
  // oxlint-disable-next-line no-control-regex -- named to be removed
  const clean = text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '');
  return clean.replace(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/**
 * Parses a message of another party. Refused before anything looks inside: document types and entities, comments and
 * processing instructions (which split text differently for different readers), repeated ids, and what is too large.
 */
export function parseXml(text: string): XmlElement {
  if (text.length > XML_CHARS_MAX) refuse('The message is too large.');
  const body = text.replace(/^\uFEFF?\s*<\?xml [^?>]{0,200}\?>/, '');
  if (/<!|<\?/.test(body)) {
    refuse('The message holds a document type, an entity, a comment, CDATA or a processing instruction.');
  }
  let root: XmlElement | null;
  try {
    const fail = (message: string): never => refuse(`The message is not well-formed XML: ${message.slice(0, 100)}`);
    const parser = new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } });
    root = parser.parseFromString(body, 'text/xml').documentElement;
  } catch (error) {
    if (error instanceof SsoMessageInvalid) throw error;
    return refuse('The message is not well-formed XML.');
  }
  if (!root) return refuse('The message is empty.');
  checkShape(root);
  return root;
}

function checkShape(root: XmlElement): void {
  const ids = new Set<string>();
  let elements = 0;
  const walk = (element: XmlElement, depth: number): void => {
    elements += 1;
    if (depth > DEPTH_MAX || elements > ELEMENTS_MAX) refuse('The message is nested too deeply or too large.');
    for (const name of ['ID', 'Id', 'id', 'AssertionID']) {
      const id = element.getAttribute(name);
      if (!id) continue;
      if (ids.has(id)) refuse('An id appears twice in the message.');
      ids.add(id);
    }
    for (const child of childElements(element)) walk(child, depth + 1);
  };
  walk(root, 1);
}

export function childElements(element: XmlElement): XmlElement[] {
  // xmldom's children have no `children`; a node of type 1 is an element.
  return Array.from(element.childNodes).filter((node): node is XmlElement => node.nodeType === 1);
}

export function children(element: XmlElement, namespace: string, name: string): XmlElement[] {
  return childElements(element).filter((one) => one.namespaceURI === namespace && one.localName === name);
}

/** The only child of that name; undefined without one, refused with several. */
export function onlyChild(element: XmlElement, namespace: string, name: string): XmlElement | undefined {
  const found = children(element, namespace, name);
  if (found.length > 1) refuse(`There are several ${name} elements.`);
  return found[0];
}

export function textOf(element: XmlElement | undefined): string {
  if (!element) return '';
  if (childElements(element).length > 0) refuse(`${element.localName} holds elements where text belongs.`);
  return (element.textContent ?? '').trim();
}

export function isElement(element: XmlElement, namespace: string, name: string): boolean {
  return element.namespaceURI === namespace && element.localName === name;
}

/**
 * Checks the enveloped signature of exactly this element and returns the element as it was signed, parsed anew from the
 * canonical bytes that the digest covers: whatever else the message holds is out of reach (XML signature wrapping).
 */
export function verifyEnveloped(text: string, element: XmlElement, certificates: readonly string[]): XmlElement {
  const signature = onlyChild(element, NS.signature, 'Signature');
  if (!signature) return refuse('The message is not signed.');
  checkSignatureForm(signature, element.getAttribute('ID') ?? '');
  for (const certificate of certificates) {
    const checker = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null });
    try {
      checker.loadSignature(signature);
      if (!checker.checkSignature(text)) continue;
    } catch {
      continue;
    }
    const [signed, ...more] = checker.getSignedReferences();
    if (signed === undefined || more.length > 0) return refuse('The signature covers something else.');
    const found = parseXml(signed);
    if (found.getAttribute('ID') !== element.getAttribute('ID') || found.localName !== element.localName) {
      return refuse('The signature covers something else.');
    }
    return found;
  }
  return refuse('The signature is not valid.');
}

function checkSignatureForm(signature: XmlElement, id: string): void {
  const info = onlyChild(signature, NS.signature, 'SignedInfo') ?? refuse('The signature has no SignedInfo.');
  const algorithmOf = (name: string, of: XmlElement): string =>
    onlyChild(of, NS.signature, name)?.getAttribute('Algorithm') ?? '';
  if (algorithmOf('CanonicalizationMethod', info) !== EXC_C14N) refuse('The canonicalization is not accepted.');
  if (SIGNATURE_ALGORITHMS[algorithmOf('SignatureMethod', info)] === undefined) {
    refuse('The signature algorithm is not accepted.');
  }
  const reference = onlyChild(info, NS.signature, 'Reference') ?? refuse('The signature covers nothing.');
  if (id === '' || reference.getAttribute('URI') !== `#${id}`) refuse('The signature covers something else.');
  if (!DIGEST_ALGORITHMS.has(algorithmOf('DigestMethod', reference))) refuse('The digest algorithm is not accepted.');
  const transforms = onlyChild(reference, NS.signature, 'Transforms');
  const used = transforms ? children(transforms, NS.signature, 'Transform') : [];
  if (used.length > 2 || used.some((one) => !TRANSFORMS.has(one.getAttribute('Algorithm') ?? ''))) {
    refuse('A transform of the signature is not accepted.');
  }
  if (children(signature, NS.signature, 'Object').length > 0) refuse('The signature holds an object.');
}

/** Checks the signature of the redirect binding (SAML Bindings, section 3.4.4.1) over the octets as they were sent. */
export function verifyRedirect(
  query: string,
  kind: 'SAMLRequest' | 'SAMLResponse',
  certificates: readonly string[],
): void {
  const raw = new Map<string, string>();
  for (const pair of query.split('&')) {
    const name = pair.split('=', 1)[0] ?? '';
    if (raw.has(name)) refuse(`${name} appears twice.`);
    raw.set(name, pair);
  }
  const value = (name: string): string => decodeURIComponent((raw.get(name) ?? '').slice(name.length + 1));
  if (!raw.has('Signature')) refuse('The message is not signed.');
  const algorithm = SIGNATURE_ALGORITHMS[value('SigAlg')];
  if (algorithm === undefined) return refuse('The signature algorithm is not accepted.');
  const signed = [kind, 'RelayState', 'SigAlg'].flatMap((name) => raw.get(name) ?? []).join('&');
  const signature = Buffer.from(value('Signature'), 'base64');
  const isValid = certificates.some((certificate) =>
    createVerify(algorithm).update(signed).verify(new X509Certificate(certificate).publicKey, signature),
  );
  if (!isValid) refuse('The signature is not valid.');
}

/** Signs the element of that name and id in place, with the signature after its Issuer. */
export function signElement(
  xml: string,
  element: { readonly name: string; readonly id: string },
  pair: { readonly privateKey: string; readonly certificate: string },
): string {
  const signer = new SignedXml({
    privateKey: pair.privateKey,
    publicCert: pair.certificate,
    signatureAlgorithm: RSA_SHA256,
    canonicalizationAlgorithm: EXC_C14N,
    idAttribute: 'ID',
  });
  const xpath = `//*[local-name(.)='${element.name}' and @ID='${element.id}']`;
  signer.addReference({ xpath, digestAlgorithm: SHA256, transforms: [ENVELOPED, EXC_C14N] });
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
  });
  return signer.getSignedXml();
}
