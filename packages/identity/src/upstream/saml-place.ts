import {
  childElements,
  children,
  DIGEST_ALGORITHMS,
  EXC_C14N,
  isElement,
  NS,
  onlyChild,
  SIGNATURE_ALGORITHMS,
  TRANSFORMS,
} from '../sso/saml-xml.ts';
import type { XmlElement } from '../sso/xml-libraries.ts';
import { refuseUpstream } from './refusal.ts';

const XENC = 'http://www.w3.org/2001/04/xmlenc#';
const AES_GCM: ReadonlySet<string> = new Set([
  'http://www.w3.org/2009/xmlenc11#aes128-gcm',
  'http://www.w3.org/2009/xmlenc11#aes192-gcm',
  'http://www.w3.org/2009/xmlenc11#aes256-gcm',
]);
const AES_CBC: ReadonlySet<string> = new Set([`${XENC}aes128-cbc`, `${XENC}aes192-cbc`, `${XENC}aes256-cbc`]);
/** No RSA with PKCS#1 v1.5: its padding can be asked for byte by byte (Bleichenbacher). */
const KEY_TRANSPORT: ReadonlySet<string> = new Set([
  `${XENC}rsa-oaep-mgf1p`,
  'http://www.w3.org/2009/xmlenc11#rsa-oaep',
]);

/** Where the parts of a response stand. Nothing in it is believed yet. */
export interface ResponseParts {
  readonly assertion: XmlElement | null;
  readonly encrypted: XmlElement | null;
  readonly responseSigned: boolean;
  readonly assertionSigned: boolean;
}

/**
 * Looks at a whole response before any signature is computed: one Response, one assertion right below it, signatures
 * right below what they sign. Wrapping attacks (Somorovsky et al., "On Breaking SAML", XSW1 to XSW8) all need a second
 * Response or assertion somewhere, or a signature that stands elsewhere than in what it covers.
 */
export function placeParts(root: XmlElement): ResponseParts {
  const assertions: XmlElement[] = [];
  const signatures: { readonly signature: XmlElement; readonly parent: XmlElement }[] = [];
  const walk = (element: XmlElement, parent: XmlElement | null): void => {
    const name = element.localName;
    if (name === 'Response' && parent !== null)
      refuseUpstream('saml.wrapped', 'A Response stands inside another element.');
    if (name === 'Assertion' || name === 'EncryptedAssertion') {
      if (parent !== root) {
        refuseUpstream(
          'saml.wrapped',
          `An ${name} stands inside ${parent?.localName ?? 'nothing'}, not inside the Response.`,
        );
      }
      if (element.namespaceURI !== NS.assertion) refuseUpstream('saml.form', `${name} is of another namespace.`);
      assertions.push(element);
    }
    if (name === 'Signature' && element.namespaceURI === NS.signature && parent)
      signatures.push({ signature: element, parent });
    for (const child of childElements(element)) walk(child, element);
  };
  walk(root, null);
  const [only, ...more] = assertions;
  if (more.length > 0) refuseUpstream('saml.several_assertions', `${assertions.length} assertions`);
  for (const { signature, parent } of signatures) {
    if (parent !== root && parent !== only) {
      refuseUpstream('saml.wrapped', `A signature stands inside ${parent.localName}.`);
    }
    checkSignature(signature, parent);
  }
  const countIn = (parent: XmlElement | undefined): number => signatures.filter((one) => one.parent === parent).length;
  if (countIn(root) > 1 || (only && countIn(only) > 1))
    refuseUpstream('saml.wrapped', 'An element has several signatures.');
  const isEncrypted = only !== undefined && isElement(only, NS.assertion, 'EncryptedAssertion');
  const responseSigned = countIn(root) === 1;
  if (isEncrypted) checkEncryption(only, responseSigned);
  return {
    assertion: only === undefined || isEncrypted ? null : only,
    encrypted: isEncrypted ? only : null,
    responseSigned,
    assertionSigned: only !== undefined && !isEncrypted && countIn(only) === 1,
  };
}

function algorithmOf(element: XmlElement | undefined): string {
  return element?.getAttribute('Algorithm') ?? '';
}

function checkSignature(signature: XmlElement, parent: XmlElement): void {
  if (children(signature, NS.signature, 'Object').length > 0) {
    refuseUpstream('saml.wrapped', 'The signature holds an Object.');
  }
  const infos = children(signature, NS.signature, 'SignedInfo');
  const [info] = infos;
  if (!info || infos.length > 1) return refuseUpstream('saml.wrapped', 'The signature has no or several SignedInfo.');
  const references = children(info, NS.signature, 'Reference');
  const [reference] = references;
  if (!reference || references.length > 1) {
    return refuseUpstream('saml.wrapped', `The signature has ${references.length} references.`);
  }
  const id = parent.getAttribute('ID') ?? '';
  if (id === '' || reference.getAttribute('URI') !== `#${id}`) {
    return refuseUpstream('saml.wrapped', 'The signature covers another element than the one it stands in.');
  }
  const method = algorithmOf(onlyChild(info, NS.signature, 'SignatureMethod'));
  if (SIGNATURE_ALGORITHMS[method] === undefined) return refuseUpstream('saml.algorithm', method);
  const form = algorithmOf(onlyChild(info, NS.signature, 'CanonicalizationMethod'));
  if (form !== EXC_C14N) return refuseUpstream('saml.algorithm', form);
  const digest = algorithmOf(onlyChild(reference, NS.signature, 'DigestMethod'));
  if (!DIGEST_ALGORITHMS.has(digest)) return refuseUpstream('saml.algorithm', digest);
  const transforms = onlyChild(reference, NS.signature, 'Transforms');
  for (const transform of transforms ? childElements(transforms) : []) {
    if (!TRANSFORMS.has(algorithmOf(transform))) refuseUpstream('saml.algorithm', algorithmOf(transform));
  }
  return undefined;
}

/** What can be asked about byte by byte (CBC without a signature around it) is refused with what is broken. */
function checkEncryption(encrypted: XmlElement, isSignedAround: boolean): void {
  const walk = (element: XmlElement): void => {
    if (element.localName === 'EncryptionMethod') {
      const algorithm = algorithmOf(element);
      const allowed =
        AES_GCM.has(algorithm) || KEY_TRANSPORT.has(algorithm) || (isSignedAround && AES_CBC.has(algorithm));
      if (!allowed) refuseUpstream('saml.algorithm', algorithm);
    }
    for (const child of childElements(element)) walk(child);
  };
  walk(encrypted);
}
