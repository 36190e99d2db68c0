import { createRequire } from 'node:module';

/**
 * The XML libraries' own declarations pull the browser's types into the whole program, where they clash with Node's. So
 * they are loaded without them, and only what is used here is described.
 */
export interface XmlNode {
  readonly nodeType: number;
  readonly textContent: string | null;
  readonly childNodes: ArrayLike<XmlNode>;
}

export interface XmlElement extends XmlNode {
  readonly localName: string;
  readonly namespaceURI: string | null;
  /** xmldom answers '' for an attribute that isn't there. */
  getAttribute(name: string): string | null;
}

interface Parser {
  parseFromString(text: string, type: string): { readonly documentElement: XmlElement | null };
}

interface Signature {
  addReference(reference: {
    readonly xpath: string;
    readonly digestAlgorithm: string;
    readonly transforms: readonly string[];
  }): void;
  computeSignature(
    xml: string,
    options: { readonly prefix: string; readonly location: { readonly reference: string; readonly action: 'after' } },
  ): void;
  getSignedXml(): string;
  loadSignature(signature: XmlElement): void;
  checkSignature(xml: string): boolean;
  getSignedReferences(): string[];
}

interface SignatureOptions {
  readonly privateKey?: string;
  readonly publicCert: string;
  readonly signatureAlgorithm?: string;
  readonly canonicalizationAlgorithm?: string;
  readonly idAttribute?: string;
  readonly getCertFromKeyInfo?: () => null;
}

const require = createRequire(import.meta.url);

interface XmlDom {
  readonly DOMParser: new (options: {
    readonly errorHandler: Readonly<Record<string, (text: string) => void>>;
  }) => Parser;
}
interface XmlCrypto {
  readonly SignedXml: new (options: SignatureOptions) => Signature;
}

export const { DOMParser } = require('@xmldom/xmldom') as XmlDom; // described above
export const { SignedXml } = require('xml-crypto') as XmlCrypto; // described above
